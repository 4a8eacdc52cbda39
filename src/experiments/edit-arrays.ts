import { castFloat, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { AppliedDirection, Composed, EditStage } from './edit-apply.ts';
import type { PartDirections } from './edit-directions.ts';
import type { EditArrays } from './edit-result.ts';

/** Everything of a run that is an array, images as float32. */
export function assembleArrays(
  images: FloatTensor,
  parts: readonly PartDirections[],
  applied: readonly AppliedDirection[],
  composition: Composed | undefined,
  { subject, noisy, back, strengths }: EditStage,
): EditArrays {
  const n = sizeOf(subject.denoiser.sampleShape);
  const masks = parts.flatMap(({ mask }) => (mask === undefined ? [] : [mask]));
  const transfers = applied.flatMap(({ transfers: t }) => (t === undefined ? [] : [t]));
  const [first] = masks;
  return {
    images: castFloat(images, 'float32'),
    reconstructions: castFloat(back, 'float32'),
    noisy: castFloat(noisy, 'float32'),
    directions: tensor('float64', [applied.length, n], joined(Float64Array, parts.map(({ set }) => set.vectors))),
    strengths: tensor('float64', [strengths.length], Float64Array.from(strengths)),
    edits: stacked(applied.map(({ edits }) => edits)),
    ...(transfers.length > 0 && { transfers: stacked(transfers) }),
    ...(first && {
      masks: tensor('uint8', [masks.length, first.height, first.width], Uint8Array.from(masks.flatMap(({ inside }) => [...inside]))),
    }),
    ...(composition && { composition: castFloat(composition.images, 'float32') }),
  }; // prettier-ignore
}

/** [D, ...shape] of D arrays of one shape. */
function stacked(arrays: readonly FloatTensor[]): Tensor<'float32'> {
  return tensor('float32', [arrays.length, ...(arrays[0]?.shape ?? [])], joined(Float32Array, arrays));
}

function joined<A extends Float32Array | Float64Array>(
  kind: new (length: number) => A,
  arrays: readonly FloatTensor[],
): A {
  const out = new kind(arrays.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of arrays) {
    out.set(data, at);
    at += data.length;
  }
  return out;
}
