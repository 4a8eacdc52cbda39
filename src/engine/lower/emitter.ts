import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { AttributeProto, NodeProto, TensorProto } from 'onnx-buf';
import type { DType, Tensor } from '../../tensor/tensor.ts';

/** ONNX TensorProto.DataType of the element types in use; int64 is for shapes and indices only. */
export const onnxTypes: Record<DType | 'int64', number> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

/** Versions written into every model: opset 21 is the newest that current runtimes implement wholly. */
const irVersion = 10n;
const opset = 21n;

/** Value of a node attribute: an integer, a float, a list of integers, or text. */
export type EmittedAttribute = number | { readonly float: number } | readonly number[] | string;

/** Attributes of a node by name. */
export type EmittedAttributes = Readonly<Record<string, EmittedAttribute>>;

/** Collects the nodes and literals of one ONNX graph. Values are named by strings. */
export class OnnxEmitter {
  readonly #nodes: NodeProto[] = [];
  readonly #literals: TensorProto[] = [];
  readonly #known = new Map<string, readonly string[]>();
  /** What each reshape was made of. */
  readonly #reshaped = new Map<string, string>();
  #next = 0;

  /** Adds a node of one output and gives its name; an equal node is added once. */
  op(opType: string, inputs: readonly string[], attributes: EmittedAttributes = {}, domain: string = ''): string {
    return this.ops(opType, 1, inputs, attributes, domain)[0] as string;
  }

  /** The same for a node of several outputs. */
  ops(
    opType: string,
    outputs: number,
    inputs: readonly string[],
    attributes: EmittedAttributes = {},
    domain: string = '',
  ): readonly string[] {
    // The last of several reshapes decides.
    const source = opType === 'Reshape' ? this.#reshaped.get(inputs[0] as string) : undefined;
    if (source !== undefined) return this.ops(opType, outputs, [source, ...inputs.slice(1)], attributes, domain);
    const key = `${opType} ${inputs.join(' ')} ${JSON.stringify(attributes)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const output = Array.from({ length: outputs }, () => `v${this.#next++}`);
    const attribute = Object.entries(attributes).map(([k, v]) => toAttribute(k, v));
    this.#nodes.push(create(NodeProtoSchema, { opType, domain, input: [...inputs], output, attribute }));
    this.#known.set(key, output);
    if (opType === 'Reshape') this.#reshaped.set(output[0] as string, inputs[0] as string);
    return output;
  }

  /** A literal array with the elements of `value`. */
  literal(value: Tensor): string {
    const bytes = new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
    return this.#literal(bytes, value.shape, onnxTypes[value.dtype]);
  }

  /** A literal float32 list of one value. */
  filled(value: number, count: number): string {
    return this.#once(`filled ${value} ${count}`, () => {
      const data = new Float32Array(count).fill(value);
      return this.#literal(new Uint8Array(data.buffer), [count], onnxTypes.float32);
    });
  }

  /** A literal list of int64, as shapes, axes and pads are given. */
  integers(values: readonly number[]): string {
    return this.#once(`i64 ${values.join(' ')}`, () => {
      const data = BigInt64Array.from(values, BigInt);
      return this.#literal(new Uint8Array(data.buffer), [values.length], onnxTypes.int64);
    });
  }

  /** A literal scalar of rank 0. */
  scalar(value: number, dtype: 'float32' | 'float64' | 'int32' | 'bool'): string {
    return this.#once(`${dtype} ${value}`, () => {
      const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };
      const data = arrays[dtype].of(value);
      return this.#literal(new Uint8Array(data.buffer), [], onnxTypes[dtype]);
    });
  }

  /** The finished model with these arguments and results, as bytes of an ONNX file. */
  finish(
    inputs: readonly OnnxArgument[],
    outputs: readonly (OnnxArgument & { from: string })[],
  ): Uint8Array<ArrayBuffer> {
    for (const { name, from } of outputs) {
      this.#nodes.push(create(NodeProtoSchema, { opType: 'Identity', input: [from], output: [name] }));
    }
    const graph = create(GraphProtoSchema, {
      name: 'eigenlens',
      node: this.#needed(outputs.map(({ name }) => name)),
      initializer: this.#literals,
      input: inputs.map(toValueInfo),
      output: outputs.map(toValueInfo),
    });
    const isOwn = graph.node.every(({ domain }) => domain === '');
    const opsetImport = [{ domain: '', version: opset }, ...(isOwn ? [] : [{ domain: 'com.microsoft', version: 1n }])];
    const model = create(ModelProtoSchema, { irVersion, opsetImport, graph, producerName: 'eigenlens' });
    return new Uint8Array(toBinary(ModelProtoSchema, model));
  }

  /** The nodes that these values depend on, in order: the runtime would run the others as well. */
  #needed(values: readonly string[]): NodeProto[] {
    const wanted = new Set(values);
    const kept = this.#nodes.toReversed().filter(({ input, output }) => {
      const isWanted = output.some((name) => wanted.has(name));
      if (isWanted) input.forEach((name) => wanted.add(name));
      return isWanted;
    });
    return kept.reverse();
  }

  #once(key: string, make: () => string): string {
    const known = this.#known.get(key) ?? [make()];
    this.#known.set(key, known);
    return known[0] as string;
  }

  #literal(rawData: Uint8Array, shape: readonly number[], dataType: number): string {
    const name = `c${this.#next++}`;
    this.#literals.push(
      create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType, rawData: new Uint8Array(rawData) }),
    );
    return name;
  }
}

/** Name, shape and type of a graph argument or result. */
export interface OnnxArgument {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

function toAttribute(name: string, value: EmittedAttribute): AttributeProto {
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: 3, s: new TextEncoder().encode(value) });
  }
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: 2, i: BigInt(value) });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: 1, f: value.float });
  return create(AttributeProtoSchema, { name, type: 7, ints: value.map(BigInt) });
}

function toValueInfo({ name, shape, dtype }: OnnxArgument): ReturnType<typeof create<typeof ValueInfoProtoSchema>> {
  const dim = shape.map((d) => ({ value: { case: 'dimValue' as const, value: BigInt(d) } }));
  const type = create(TypeProtoSchema, {
    value: { case: 'tensorType', value: { elemType: onnxTypes[dtype], shape: { dim } } },
  });
  return create(ValueInfoProtoSchema, { name, type });
}
