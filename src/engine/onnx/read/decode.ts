import type { OnnxValueInfo } from '../model.ts';
import type { ReadContext } from './context.ts';
import { printable, quoted } from './context.ts';
import { decodeOpset, decodeSparseName, decodeTensor, decodeValueInfo } from './decode-leaves.ts';
import type { RawAttribute, RawFunction, RawGraph, RawModel, RawNode, RawTensor, RawValue } from './raw.ts';
import { WireMessage } from './wire.ts';

// Field numbers are those of onnx.proto.

/** Branches and loops within each other: real models have two or three. */
export const deepestGraph: number = 8;

/** @throws ModelError where the bytes are no protobuf or a message is not of ONNX */
export function decodeModel(context: ReadContext, bytes: Uint8Array): RawModel {
  const message = new WireMessage(context, bytes);
  const opsets = new Map<string, number>();
  const functions: RawFunction[] = [];
  let graph: RawGraph | undefined;
  let [name, version] = ['', ''];
  while (message.next()) {
    if (message.field === 2) name = message.text();
    else if (message.field === 3) version = message.text();
    else if (message.field === 7) graph = decodeGraph(message.message(), 0);
    else if (message.field === 8) decodeOpset(message.message(), opsets);
    else if (message.field === 25) functions.push(decodeFunction(message.message()));
  }
  return { producer: printable(`${name} ${version}`.trim()), opsets, graph, functions };
}

function decodeGraph(message: WireMessage, depth: number): RawGraph {
  message.context.spendMessage();
  if (depth > deepestGraph)
    message.context.fail(`nests more than ${deepestGraph} branches and loops. Export it without control flow.`);
  const nodes: RawNode[] = [];
  const initializers: RawTensor[] = [];
  const sparse: string[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  while (message.next()) {
    if (message.field === 1) nodes.push(decodeNode(message.message(), nodes.length, depth));
    else if (message.field === 5) initializers.push(decodeTensor(message.message()));
    else if (message.field === 15) sparse.push(decodeSparseName(message.message()));
    else if (message.field === 11) inputs.push(decodeValueInfo(message.message()));
    else if (message.field === 12) outputs.push(decodeValueInfo(message.message()));
  }
  return { nodes, initializers, sparse, inputs, outputs };
}

function decodeFunction(message: WireMessage): RawFunction {
  message.context.spendMessage();
  const nodes: RawNode[] = [];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const defaults: RawAttribute[] = [];
  const opsets = new Map<string, number>();
  let [name, domain, overload] = ['', '', ''];
  while (message.next()) {
    if (message.field === 1) name = message.text();
    else if (message.field === 4) inputs.push(decodeName(message));
    else if (message.field === 5) outputs.push(decodeName(message));
    else if (message.field === 7) nodes.push(decodeNode(message.message(), nodes.length, 0));
    else if (message.field === 9) decodeOpset(message.message(), opsets);
    else if (message.field === 10) domain = message.text();
    else if (message.field === 11) defaults.push(decodeAttribute(message.message(), 0));
    else if (message.field === 13) overload = message.text();
  }
  return { name, domain, overload, inputs, outputs, defaults, nodes, opsets };
}

function decodeNode(message: WireMessage, index: number, depth: number): RawNode {
  message.context.spendMessage();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: RawAttribute[] = [];
  let [name, operator, domain, overload] = ['', '', '', ''];
  while (message.next()) {
    if (message.field === 1) inputs.push(decodeName(message));
    else if (message.field === 2) outputs.push(decodeName(message));
    else if (message.field === 3) name = message.text();
    else if (message.field === 4) operator = message.text();
    else if (message.field === 5) attributes.push(decodeAttribute(message.message(), depth));
    else if (message.field === 7) domain = message.text();
    else if (message.field === 8) overload = message.text();
  }
  if (operator === '') message.context.fail(`node ${index} names no operator: the file is damaged. Export it again.`);
  operator = printable(operator);
  name = name === '' ? `${operator}_${index}` : printable(name);
  return { name, operator, domain: domain === 'ai.onnx' ? '' : domain, overload, inputs, outputs, attributes };
}

/** What an attribute may hold, field by field; its type says which of them counts. */
interface StoredValues {
  float: number;
  int: number;
  string: string;
  tensor: RawTensor;
  graph: RawGraph;
  floats: readonly number[];
  ints: readonly number[];
  strings: readonly string[];
}

function decodeAttribute(message: WireMessage, depth: number): RawAttribute {
  message.context.spendMessage();
  const found: Partial<StoredValues> = {};
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  let [name, reference, type] = ['', '', 0];
  while (message.next()) {
    if (message.field === 1) name = message.text();
    else if (message.field === 2) found.float = message.float();
    else if (message.field === 3) found.int = message.integer();
    else if (message.field === 4) found.string = message.text();
    else if (message.field === 5) found.tensor = decodeTensor(message.message());
    else if (message.field === 6) found.graph = decodeGraph(message.message(), depth + 1);
    else if (message.field === 7) message.floatsInto(floats);
    else if (message.field === 8) message.integersInto(ints);
    else if (message.field === 9) strings.push(decodeName(message));
    else if (message.field === 20) type = message.integer();
    else if (message.field === 21) reference = message.text();
  }
  if (reference !== '') return { name, reference, value: { kind: 'unread' } };
  const missing = (): never =>
    message.context.fail(
      `attribute ${quoted(name)} holds no value of its type ${type}: the file is damaged. Export it again.`,
    );
  return { name, reference, value: chosen(type, { ...found, floats, ints, strings }, missing) };
}

function chosen(type: number, found: Partial<StoredValues>, missing: () => never): RawValue {
  // A number, text or list that equals its default may be left out of the file.
  if (type === 1) return { kind: 'float', value: found.float ?? 0 };
  if (type === 2) return { kind: 'int', value: found.int ?? 0 };
  if (type === 3) return { kind: 'string', value: found.string ?? '' };
  if (type === 4) return { kind: 'tensor', value: found.tensor ?? missing() };
  if (type === 5) return { kind: 'graph', value: found.graph ?? missing() };
  if (type === 6) return { kind: 'floats', value: found.floats ?? [] };
  if (type === 7) return { kind: 'ints', value: found.ints ?? [] };
  if (type === 8) return { kind: 'strings', value: found.strings ?? [] };
  return type >= 9 && type <= 14 ? { kind: 'unread' } : missing();
}

function decodeName(message: WireMessage): string {
  message.context.spend(4);
  return message.text();
}
