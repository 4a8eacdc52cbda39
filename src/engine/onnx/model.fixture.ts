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
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { HostArray, OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxValueInfo } from './model.ts';

/** TensorProto.DataType by name. */
const types: Readonly<Record<string, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 };

/** A node with less to write. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode {
  const name = `${operator} for ${outputs.join(', ')}`;
  return { name, operator, domain: '', inputs, outputs, attributes: new Map(Object.entries(attributes)) };
}

/** A graph with less to write; its outputs are named, not typed. */
export function graph(parts: {
  readonly inputs?: readonly OnnxValueInfo[];
  readonly outputs: readonly string[];
  readonly nodes: readonly OnnxNode[];
  readonly weights?: Readonly<Record<string, FloatTensor>>;
  readonly constants?: Readonly<Record<string, HostArray>>;
}): OnnxGraph {
  return {
    inputs: parts.inputs ?? [],
    outputs: parts.outputs.map((name) => ({ name, elementType: 'float32', shape: undefined })),
    nodes: parts.nodes,
    weights: new Map(Object.entries(parts.weights ?? {})),
    constants: new Map(Object.entries(parts.constants ?? {})),
  };
}

/** A model around a graph. */
export function model(of: OnnxGraph, opset: number = 17): OnnxModel {
  return { ...of, opset, producer: 'fixture', weightBytes: 0 };
}

/** The file of a model, for the runtime that serves as oracle: floats as float32, integers as int64, outputs untyped. */
export function bytesOf(of: OnnxModel): Uint8Array<ArrayBuffer> {
  const opsetImport = [{ domain: '', version: BigInt(of.opset) }];
  const proto = create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph: toGraph(of), producerName: of.producer });
  return new Uint8Array(toBinary(ModelProtoSchema, proto));
}

function toGraph(of: OnnxGraph): GraphProto {
  const constants = [...of.constants].map(([name, value]) => toTensor(name, value));
  const weights = [...of.weights].map(([name, { shape, data }]) =>
    toTensor(name, { type: 'float', shape, data: Float64Array.from(data) }),
  );
  return create(GraphProtoSchema, {
    name: 'fixture',
    node: of.nodes.map(toNode),
    initializer: [...constants, ...weights],
    input: of.inputs.map(toInput),
    output: of.outputs.map(({ name }) => create(ValueInfoProtoSchema, { name })),
  });
}

function toNode({ name, operator, domain, inputs, outputs, attributes }: OnnxNode): NodeProto {
  const attribute = [...attributes].map(([key, value]) => toAttribute(key, value));
  return create(NodeProtoSchema, {
    name,
    opType: operator,
    domain,
    input: [...inputs],
    output: [...outputs],
    attribute,
  });
}

function toAttribute(name: string, attribute: OnnxAttribute): AttributeProto {
  const text = new TextEncoder();
  switch (attribute.kind) {
    case 'float':
      return create(AttributeProtoSchema, { name, type: 1, f: attribute.value });
    case 'int':
      return create(AttributeProtoSchema, { name, type: 2, i: BigInt(attribute.value) });
    case 'string':
      return create(AttributeProtoSchema, { name, type: 3, s: text.encode(attribute.value) });
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: 4, t: toTensor('', attribute.value) });
    case 'graph':
      return create(AttributeProtoSchema, { name, type: 5, g: toGraph(attribute.value) });
    case 'floats':
      return create(AttributeProtoSchema, { name, type: 6, floats: [...attribute.value] });
    case 'ints':
      return create(AttributeProtoSchema, { name, type: 7, ints: attribute.value.map(BigInt) });
    case 'strings':
      return create(AttributeProtoSchema, { name, type: 8, strings: attribute.value.map((s) => text.encode(s)) });
    default:
      return attribute satisfies never;
  }
}

function toTensor(name: string, { type, shape, data }: HostArray): TensorProto {
  const elements = {
    float: () => Float32Array.from(data),
    // 2^63 as a double stands for the largest int64.
    int: () => BigInt64Array.from(data, (v) => (v >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(v))),
    bool: () => Uint8Array.from(data),
  }[type]();
  const dataType = types[{ float: 'float32', int: 'int64', bool: 'bool' }[type]] as number;
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType,
    rawData: new Uint8Array(elements.buffer),
  });
}

function toInput({ name, elementType, shape = [] }: OnnxValueInfo): ValueInfoProto {
  const dim = shape.map((d) =>
    typeof d === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(d) } }
      : { value: { case: 'dimParam' as const, value: d } },
  );
  const type = create(TypeProtoSchema, {
    value: { case: 'tensorType', value: { elemType: types[elementType] as number, shape: { dim } } },
  });
  return create(ValueInfoProtoSchema, { name, type });
}
