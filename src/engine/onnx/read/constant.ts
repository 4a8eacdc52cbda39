import type { HostArray } from '../model.ts';
import type { ReadContext } from './context.ts';
import { quoted } from './context.ts';
import type { RawNode, RawTensor } from './raw.ts';

/** What a Constant node holds: an array as stored, a number or list, or a kind that is not read. */
export type FoldedConstant =
  { readonly stored: RawTensor } | { readonly constant: HostArray } | { readonly refused: string };

/** Value of a Constant node in any of its forms. @throws ModelError where it has none */
export function foldConstant(context: ReadContext, node: RawNode): FoldedConstant {
  const found = node.attributes.find(
    ({ name }) => name === 'sparse_value' || /^value(_(float|int|string)s?)?$/.test(name),
  );
  const value = found?.value;
  switch (value?.kind) {
    case 'tensor':
      return { stored: value.value };
    case 'int':
    case 'float':
      return { constant: { type: value.kind, shape: [], data: Float64Array.of(value.value) } };
    case 'ints':
      return { constant: { type: 'int', shape: [value.value.length], data: Float64Array.from(value.value) } };
    case 'floats':
      return { stored: floatList(node.outputs[0] ?? '', value.value) };
    case 'string':
    case 'strings':
      return { refused: 'holds text' };
    case 'unread':
      return { refused: 'is a sparse array' };
    default:
      return context.fail(`node ${quoted(node.name)} (Constant) holds no value. The file is damaged: export it again.`);
  }
}

/** A list of floats as an array like any other: a weight where it is longer than one. */
function floatList(name: string, list: readonly number[]): RawTensor {
  const raw = new Uint8Array(Float32Array.from(list).buffer);
  return { name, dims: [list.length], type: 1, raw, typed: new Map(), external: undefined };
}
