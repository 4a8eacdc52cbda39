import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageShape } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
} from 'onnx-buf';
import type { GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import type { GraphNode } from '../graph.ts';
import { onnxTypes } from './emitter.ts';
import { lower } from './lower.ts';

/** A model for other programs. */
export interface PortableModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** `open`: any number of samples, the first axis is called `batch`. `one`: the graph does not scale with it and takes one. */
  readonly batch: 'open' | 'one';
}

/** Names of the arguments and results of a portable model, in the order of the traced function. */
export interface PortableNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Batches at which the graph is compared: primes that no other size is likely to be, the third to check what two of them suggest. */
const PROBES = [11, 13, 17] as const;

/** Name of the open axis. */
const AXIS = 'batch';

/**
 * A traced function of batches as a model of ONNX's own operators with named arguments. A trace knows one batch only: the graph is written
 * at three of them, and where they differ in nothing but shapes that grow with the batch by one rule, these are computed from the size of
 * the first argument. A graph that differs otherwise is written for a batch of one.
 * @param traced  the graph at a batch; its first argument has the batch as its first axis, and no result is an argument
 */
export async function lowerPortable(
  traced: (batch: number) => Promise<readonly GraphNode[]>,
  names: PortableNames,
): Promise<PortableModel> {
  const at = async (batch: number): Promise<ModelProto> => {
    const { bytes, inputs, outputs } = lower(await traced(batch), { isPortable: true });
    const renamed = new Map([
      ...inputs.map(({ name }, i) => [name, names.inputs[i] as string] as const),
      ...outputs.map(({ name }, i) => [name, names.outputs[i] as string] as const),
    ]);
    const model = fromBinary(ModelProtoSchema, bytes);
    rename(model.graph as GraphProto, renamed);
    return model;
  };
  const probes = await Promise.all(PROBES.map(at));
  const model = openBatch(probes) ?? (await at(1));
  const isOpen = probes.includes(model);
  return { bytes: new Uint8Array(toBinary(ModelProtoSchema, model)), batch: isOpen ? 'open' : 'one' };
}

function rename({ node, input, output }: GraphProto, names: ReadonlyMap<string, string>): void {
  const newName = (name: string): string => names.get(name) ?? name;
  for (const value of [...input, ...output]) value.name = newName(value.name);
  for (const one of node) {
    one.input = one.input.map(newName);
    one.output = one.output.map(newName);
  }
}

/** The first of the models with its batch left open, in place; undefined where they differ in more than shapes that grow with it. */
function openBatch(models: readonly ModelProto[]): ModelProto | undefined {
  const [first, ...others] = models.map(({ graph }) => graph as GraphProto) as [GraphProto, ...GraphProto[]];
  const isAlike = (graph: GraphProto): boolean =>
    graph.node.length === first.node.length &&
    graph.initializer.length === first.initializer.length &&
    graph.node.every((node, i) => sameMessage(NodeProtoSchema, node, first.node[i] as NodeProto));
  if (!others.every(isAlike)) return undefined;
  const growing: Growth[] = [];
  for (const [i, literal] of first.initializer.entries()) {
    const all = [literal, ...others.map(({ initializer }) => initializer[i] as TensorProto)];
    if (all.every((one) => sameMessage(TensorProtoSchema, one, literal))) continue;
    const growth = growthOf(all);
    if (growth === undefined) return undefined;
    growing.push(growth);
  }
  const values = [...first.input, ...first.output];
  for (const value of values) openAxis(value);
  const replaced = new Set(growing.map(({ name }) => name));
  first.initializer = first.initializer.filter(({ name }) => !replaced.has(name));
  if (growing.length > 0) computeShapes(first, growing);
  return models[0];
}

function sameMessage<S extends typeof NodeProtoSchema | typeof TensorProtoSchema>(
  schema: S,
  a: MessageShape<S>,
  b: MessageShape<S>,
): boolean {
  const [left, right] = [toBinary(schema, a), toBinary(schema, b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** A list of integers that is rest + slope batch. */
interface Growth {
  readonly name: string;
  readonly rest: readonly bigint[];
  readonly slope: readonly bigint[];
}

/** The one rule by which a literal grows over the probes; undefined where there is none. */
function growthOf(literals: readonly TensorProto[]): Growth | undefined {
  const [first] = literals as [TensorProto];
  if (literals.some(({ dataType, rawData, name }) => dataType !== onnxTypes.int64 || rawData.length !== first.rawData.length || name !== first.name)) return undefined; // prettier-ignore
  const [a, b, c] = literals.map(({ rawData }) => new BigInt64Array(rawData.slice().buffer)) as [
    BigInt64Array,
    BigInt64Array,
    BigInt64Array,
  ];
  const [m, n, o] = PROBES.map(BigInt) as [bigint, bigint, bigint];
  const slope = Array.from(a, (v, i) => ((b[i] as bigint) - v) / (n - m));
  const rest = Array.from(a, (v, i) => v - (slope[i] as bigint) * m);
  const holds = [a, b, c].every((list, k) => {
    const batch = [m, n, o][k] as bigint;
    return list.every((v, i) => v === (rest[i] as bigint) + (slope[i] as bigint) * batch);
  });
  return holds ? { name: first.name, rest, slope } : undefined;
}

function openAxis({ type }: ValueInfoProto): void {
  const shape = type?.value.case === 'tensorType' ? type.value.value.shape : undefined;
  if (shape === undefined) return;
  shape.dim[0] = create(TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: AXIS } });
}

/** Puts the arithmetic of the growing shapes before the nodes that read them. */
function computeShapes(graph: GraphProto, growing: readonly Growth[]): void {
  const size = 'batch_size';
  const integer = (name: string, i: number) => create(AttributeProtoSchema, { name, type: 2, i: BigInt(i) }); // prettier-ignore
  const node = (opType: string, input: string[], output: string): NodeProto =>
    create(NodeProtoSchema, { opType, input, output: [output] });
  const literal = (name: string, values: readonly bigint[]): string => {
    const rawData = new Uint8Array(BigInt64Array.from(values).buffer);
    const dims = [BigInt(values.length)];
    graph.initializer.push(create(TensorProtoSchema, { name, dims, dataType: onnxTypes.int64, rawData }));
    return name;
  };
  const shape = node('Shape', [graph.input[0]?.name as string], size);
  shape.attribute = [integer('start', 0), integer('end', 1)];
  const sums = growing.flatMap(({ name, rest, slope }) => {
    const grown = `${name}_grown`;
    return [
      node('Mul', [size, literal(`${name}_slope`, slope)], grown),
      node('Add', [grown, literal(`${name}_rest`, rest)], name),
    ];
  });
  graph.node.unshift(shape, ...sums);
}
