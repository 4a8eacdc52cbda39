import type { FloatTensor } from '../../../tensor/tensor.ts';
import type { HostArray } from '../model.ts';
import type { ReadContext } from './context.ts';
import { quoted } from './context.ts';
import type { RawNode, RawTensor } from './raw.ts';

/** What a Constant node holds: a stored array, a known one, a weight, or a kind that is not read. */
export type FoldedConstant =
  | { readonly stored: RawTensor }
  | { readonly constant: HostArray; readonly weight?: undefined }
  | { readonly weight: FloatTensor }
  | { readonly refused: string };

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
      return floatList(value.value);
    case 'string':
    case 'strings':
      return { refused: 'holds text' };
    case 'unread':
      return { refused: 'is a sparse array' };
    default:
      return context.fail(`node ${quoted(node.name)} (Constant) holds no value. The file is damaged: export it again.`);
  }
}

function floatList(list: readonly number[]): FoldedConstant {
  const shape = [list.length];
  if (list.length <= 1) return { constant: { type: 'float', shape, data: Float64Array.from(list) } };
  return { weight: { shape, dtype: 'float32', data: Float32Array.from(list) } };
}
