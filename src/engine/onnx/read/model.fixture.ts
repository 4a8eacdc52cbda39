import type { MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { AttributeProto, FunctionProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import { LabError } from '../../../errors/errors.ts';
import type { OnnxModel } from '../model.ts';
import type { ReadOnnxOptions } from './read-onnx.ts';
import { readOnnx } from './read-onnx.ts';

// Small models written by the generated encoder, which shares nothing with the reader under test.

/** An attribute of any type. */
export function attribute(
  name: string,
  value: Omit<MessageInitShape<typeof AttributeProtoSchema>, 'name'>,
): AttributeProto {
  return create(AttributeProtoSchema, { ...value, name } as MessageInitShape<typeof AttributeProtoSchema>);
}

/** A node; its name is left out where none is given. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  rest: { name?: string; domain?: string; attribute?: AttributeProto[] } = {},
): NodeProto {
  return create(NodeProtoSchema, { opType, input: [...input], output: [...output], ...rest });
}

/** An array by any of its fields. */
export function array(
  name: string,
  dims: readonly number[],
  dataType: number,
  rest: Omit<MessageInitShape<typeof TensorProtoSchema>, 'name' | 'dims' | 'dataType'> = {},
): TensorProto {
  return create(TensorProtoSchema, { ...rest, name, dims: dims.map(BigInt), dataType } as MessageInitShape<
    typeof TensorProtoSchema
  >);
}

/** A float32 array in raw bytes. */
export function floats(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return array(name, dims, 1, { rawData: rawBytes(Float32Array.from(values)) });
}

/** The bytes of a typed array. */
export function rawBytes(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** A declared float32 value; undefined stands for a type that is not declared. */
export function value(name: string, shape?: readonly (number | string)[], elemType: number = 1): ValueInfoProto {
  if (shape === undefined) return create(ValueInfoProtoSchema, { name });
  const dim = shape.map((d) => ({
    value:
      typeof d === 'string' ? { case: 'dimParam' as const, value: d } : { case: 'dimValue' as const, value: BigInt(d) },
  }));
  const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType, shape: { dim } } } });
  return create(ValueInfoProtoSchema, { name, type });
}

/** A graph; without inputs and outputs it takes `x` and gives `y`. */
export function graph(parts: {
  nodes: NodeProto[];
  arrays?: TensorProto[];
  inputs?: ValueInfoProto[];
  outputs?: ValueInfoProto[];
}): GraphProto {
  const { nodes, arrays = [], inputs = [value('x', [1])], outputs = [value('y', [1])] } = parts;
  return create(GraphProtoSchema, { name: 'g', node: nodes, initializer: arrays, input: inputs, output: outputs });
}

/** A function of a model's own. */
export function localFunction(
  name: string,
  input: string[],
  output: string[],
  nodes: NodeProto[],
  rest: Omit<MessageInitShape<typeof FunctionProtoSchema>, 'name' | 'input' | 'output' | 'node'> = {},
): FunctionProto {
  const opsetImport = [{ domain: '', version: 17n }];
  return create(FunctionProtoSchema, {
    domain: 'own',
    opsetImport,
    ...rest,
    name,
    input,
    output,
    node: nodes,
  } as MessageInitShape<typeof FunctionProtoSchema>);
}

/** A whole file, of opset 17 where nothing else is said. */
export function file(main: GraphProto, rest: { opset?: number; functions?: FunctionProto[] } = {}): Uint8Array {
  const { opset = 17, functions = [] } = rest;
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: 'test',
      producerVersion: '1.0',
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph: main,
      functions,
    }),
  );
}

/** Reads a graph as the only content of a file. */
export function readGraph(main: GraphProto, options?: ReadOnnxOptions): Promise<OnnxModel> {
  return readOnnx('model.onnx', file(main), options);
}

/** The message of the error that reading must end in; one line, from this project. */
export async function refusal(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof LabError && !/[\n\r]/.test(error.message)) return error.message;
    throw error;
  }
  return 'was read';
}
