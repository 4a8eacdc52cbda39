import type { OnnxDimension, OnnxValueInfo } from '../model.ts';
import { elementTypeName } from './element-types.ts';
import type { RawTensor } from './raw.ts';
import type { WireMessage } from './wire.ts';

// Messages that hold no nodes; field numbers are those of onnx.proto.

/** An array; its contents stay views of the file. */
export function decodeTensor(message: WireMessage): RawTensor {
  message.context.spendMessage();
  const dims: number[] = [];
  const typed = new Map<number, Uint8Array[]>();
  const external = new Map<string, string>();
  let [name, type, location] = ['', 0, 0];
  let raw: Uint8Array | undefined;
  while (message.next()) {
    const { field } = message;
    if (field === 1) message.integersInto(dims);
    else if (field === 2) type = message.integer();
    else if (field === 3)
      message.context.fail('holds an array in segments, which no exporter writes. Export it again.');
    else if (field === 8) name = message.text();
    else if (field === 9) raw = message.bytes();
    else if (field === 13) decodePair(message.message(), external);
    else if (field === 14) location = message.integer();
    else if (field === 4 || field === 5 || field === 7 || field === 10 || field === 11) {
      message.context.spend(4); // a list that is not packed comes as one view an element
      const chunks = typed.get(field) ?? [];
      chunks.push(message.numbers());
      typed.set(field, chunks);
    }
  }
  return { name, dims, type, raw, typed, external: location === 1 ? external : undefined };
}

/** Name of a sparse array, which is all that is read of it. */
export function decodeSparseName(message: WireMessage): string {
  message.context.spendMessage();
  let name = '';
  while (message.next()) if (message.field === 1) name = decodeTensor(message.message()).name;
  return name;
}

function decodePair(message: WireMessage, into: Map<string, string>): void {
  message.context.spendMessage();
  let [key, value] = ['', ''];
  while (message.next()) {
    if (message.field === 1) key = message.text();
    else if (message.field === 2) value = message.text();
  }
  into.set(key, value);
}

/** Adds one version of one set of operators. */
export function decodeOpset(message: WireMessage, into: Map<string, number>): void {
  message.context.spendMessage();
  let [domain, version] = ['', 0];
  while (message.next()) {
    if (message.field === 1) domain = message.text();
    else if (message.field === 2) version = message.integer();
  }
  into.set(domain === 'ai.onnx' ? '' : domain, version);
}

/** Declared type of an input or output. */
export function decodeValueInfo(message: WireMessage): OnnxValueInfo {
  message.context.spendMessage();
  let name = '';
  let type: Omit<OnnxValueInfo, 'name'> = { elementType: 'undeclared', shape: undefined };
  while (message.next()) {
    if (message.field === 1) name = message.text();
    else if (message.field === 2) type = decodeType(message.message());
  }
  return { name, ...type };
}

const otherTypes: ReadonlyMap<number, string> = new Map([
  [4, 'sequence'],
  [5, 'map'],
  [8, 'sparse tensor'],
  [9, 'optional'],
]);

function decodeType(message: WireMessage): Omit<OnnxValueInfo, 'name'> {
  let [elementType, code] = ['undeclared', 0];
  let shape: readonly OnnxDimension[] | undefined;
  while (message.next()) {
    elementType = otherTypes.get(message.field) ?? elementType;
    if (message.field !== 1) continue;
    const tensor = message.message();
    while (tensor.next()) {
      if (tensor.field === 1) code = tensor.integer();
      else if (tensor.field === 2) shape = decodeShape(tensor.message());
    }
    elementType = elementTypeName(code);
  }
  return { elementType, shape };
}

function decodeShape(message: WireMessage): OnnxDimension[] {
  const shape: OnnxDimension[] = [];
  while (message.next()) {
    if (message.field !== 1) continue;
    const dimension = message.message();
    dimension.context.spend(1);
    let size: OnnxDimension = '';
    while (dimension.next()) {
      if (dimension.field === 1) size = dimension.integer();
      else if (dimension.field === 2) size = dimension.text();
    }
    shape.push(typeof size === 'number' && size < 0 ? '' : size); // some exporters write -1 for an open size
  }
  return shape;
}
