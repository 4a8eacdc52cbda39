import { ModelError } from '../../errors/errors.ts';
import type { FloatDType } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../jax.ts';
import type { HostArray, OnnxAttribute, OnnxGraph, OnnxNode } from './model.ts';
import type { HostValue, OnnxValue } from './value.ts';
import { shapeOfValue, tracedValue } from './value.ts';

/** What an operator does: results in the order of the node's outputs. Runs while tracing; never consumes its operands. */
export type OperatorRule = (call: OperatorCall) => OnnxValue | readonly OnnxValue[];

/** Rules by ONNX operator name. */
export type OperatorRules = Readonly<Record<string, OperatorRule>>;

/** What all nodes of one trace share. */
export interface OperatorContext {
  /** Version of the operator set. */
  readonly opset: number;
  readonly jax: JaxLibrary;
  /** Element type in which all float arithmetic is traced. */
  readonly dtype: FloatDType;
  /** Runs a graph that sees the values around the node; references of the results are the caller's. Only an interpreter offers it. */
  readonly evaluate?: (graph: OnnxGraph) => readonly OnnxValue[];
}

/** One node with its operands, as a rule sees it. */
export class OperatorCall {
  readonly node: OnnxNode;
  /** Version of the operator set. */
  readonly opset: number;
  readonly jax: JaxLibrary;
  /** Element type in which all float arithmetic is traced. */
  readonly dtype: FloatDType;
  readonly inputs: readonly (OnnxValue | undefined)[];
  readonly #evaluate: OperatorContext['evaluate'];

  constructor(node: OnnxNode, inputs: readonly (OnnxValue | undefined)[], context: OperatorContext) {
    this.node = node;
    this.inputs = inputs;
    this.opset = context.opset;
    this.jax = context.jax;
    this.dtype = context.dtype;
    this.#evaluate = context.evaluate;
  }

  /** Whether every operand is known: the rule can then answer with host values. */
  get allHost(): boolean {
    return this.inputs.every((value) => value === undefined || value.kind === 'host');
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  /** @throws ModelError where the operand is left out */
  value(index: number): OnnxValue {
    return this.inputs[index] ?? this.fail(`lacks its input ${index + 1}.`);
  }

  shape(index: number): readonly number[] {
    return shapeOfValue(this.value(index));
  }

  /** The operand as a jax-js array, known values lifted: a reference of its own, for the rule to consume. */
  array(index: number): JaxArray {
    return lift(this.jax, this.value(index), this.dtype);
  }

  /** The operand with a reference of its own where it is traced. */
  operand(index: number): OnnxValue {
    const value = this.value(index);
    return value.kind === 'host' ? value : tracedValue(value.array.ref);
  }

  /** The operand where it is known while tracing. @throws ModelError where it depends on run-time values */
  host(index: number): HostValue {
    const value = this.value(index);
    if (value.kind === 'host') return value;
    return this.fail(
      `needs its input ${index + 1} before the run, but it depends on run-time values. Export with fixed sizes.`,
    );
  }

  /** The element type of the trace as jax-js names it. */
  get floatType(): JaxArray['dtype'] {
    const { numpy: np } = this.jax;
    return this.dtype === 'float32' ? np.float32 : np.float64;
  }

  /** The numbers of a known operand. */
  integers(index: number): number[] {
    return [...this.host(index).data];
  }

  int(name: string, fallback?: number): number {
    return this.#attribute(name, 'int', fallback);
  }

  float(name: string, fallback?: number): number {
    return this.#attribute(name, 'float', fallback);
  }

  ints(name: string, fallback?: readonly number[]): readonly number[] {
    return this.#attribute(name, 'ints', fallback);
  }

  floats(name: string, fallback?: readonly number[]): readonly number[] {
    return this.#attribute(name, 'floats', fallback);
  }

  string(name: string, fallback?: string): string {
    return this.#attribute(name, 'string', fallback);
  }

  /** The array of a tensor attribute. */
  tensor(name: string, fallback?: HostArray): HostArray {
    return this.#attribute(name, 'tensor', fallback);
  }

  /** Integers that older operator sets give as an attribute and newer ones as an input; undefined where neither is there. */
  integersOf(name: string, index: number): readonly number[] | undefined {
    if (this.has(index)) return this.integers(index);
    return this.hasAttribute(name) ? this.ints(name) : undefined;
  }

  /** An axis counted from the front. @throws ModelError where there is no such axis */
  axis(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    if (positive >= 0 && positive < rank) return positive;
    return this.fail(`expected an axis of an array of rank ${rank}, got ${axis}.`);
  }

  /** Results of the subgraph in an attribute. */
  evaluate(name: string): readonly OnnxValue[] {
    const graph = this.#attribute<'graph', OnnxGraph>(name, 'graph', undefined);
    return this.#evaluate?.(graph) ?? this.fail('holds a graph, which only a whole model can run.');
  }

  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name);
  }

  /** @throws ModelError in the words `node 'name' (Operator): message` */
  fail(message: string): never {
    throw new ModelError(`node '${this.node.name}' (${this.node.operator})`, message);
  }

  #attribute<K extends OnnxAttribute['kind'], V = Extract<OnnxAttribute, { kind: K }>['value']>(
    name: string,
    kind: K,
    fallback: V | undefined,
  ): V {
    const found = this.node.attributes.get(name);
    if (found === undefined) return fallback ?? this.fail(`lacks its attribute '${name}'.`);
    if (found.kind !== kind) this.fail(`expected attribute '${name}' of kind ${kind}, got ${found.kind}.`);
    return found.value as V;
  }
}

/** A value as a jax-js array with a reference of its own: floats in `dtype`, integers as int32. */
export function lift(jax: JaxLibrary, value: OnnxValue, dtype: FloatDType): JaxArray {
  if (value.kind === 'traced') return value.array.ref;
  const { numpy: np } = jax;
  const shape = [...value.shape];
  const types = { float: dtype === 'float32' ? np.float32 : np.float64, int: np.int32, bool: np.bool };
  if (value.data.length === 0) return np.zeros(shape, { dtype: types[value.type] });
  if (value.type === 'float') {
    const data = dtype === 'float32' ? Float32Array.from(value.data) : Float64Array.from(value.data);
    return np.array(data, { shape, dtype: types.float });
  }
  // Typed arrays wrap around; ends and sizes such as 2^63 must stay the largest.
  const clamped = Int32Array.from(value.data, (v) => Math.max(-(2 ** 31), Math.min(v, 2 ** 31 - 1)));
  const whole = np.array(clamped, { shape, dtype: np.int32 });
  return value.type === 'int' ? whole : whole.astype(np.bool);
}
