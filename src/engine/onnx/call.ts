import { ModelError } from '../../errors/errors.ts';
import type { FloatDType } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../jax.ts';
import type { OnnxAttribute, OnnxNode } from './model.ts';
import type { HostValue, OnnxValue } from './value.ts';
import { shapeOfValue } from './value.ts';

/** What an operator does: results in the order of the node's outputs. Runs while tracing; never consumes its operands. */
export type OperatorRule = (call: OperatorCall) => OnnxValue | readonly OnnxValue[];

/** Rules by ONNX operator name. */
export type OperatorRules = Readonly<Record<string, OperatorRule>>;

/** One node with its operands, as a rule sees it. */
export class OperatorCall {
  readonly node: OnnxNode;
  /** Version of the operator set. */
  readonly opset: number;
  readonly jax: JaxLibrary;
  /** Element type in which all float arithmetic is traced. */
  readonly dtype: FloatDType;
  readonly inputs: readonly (OnnxValue | undefined)[];

  constructor(
    node: OnnxNode,
    inputs: readonly (OnnxValue | undefined)[],
    context: { readonly opset: number; readonly jax: JaxLibrary; readonly dtype: FloatDType },
  ) {
    this.node = node;
    this.inputs = inputs;
    this.opset = context.opset;
    this.jax = context.jax;
    this.dtype = context.dtype;
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

  /** The operand where it is known while tracing. @throws ModelError where it depends on run-time values */
  host(index: number): HostValue {
    const value = this.value(index);
    if (value.kind === 'host') return value;
    return this.fail(
      `needs its input ${index + 1} before the run, but it depends on run-time values. Export with fixed sizes.`,
    );
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
  if (value.type === 'float') {
    const data = dtype === 'float32' ? Float32Array.from(value.data) : Float64Array.from(value.data);
    return np.array(data, { shape, dtype: dtype === 'float32' ? np.float32 : np.float64 });
  }
  const whole = np.array(Int32Array.from(value.data), { shape, dtype: np.int32 });
  return value.type === 'int' ? whole : whole.astype(np.bool);
}
