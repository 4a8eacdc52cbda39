import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { castFloat, sameShape, showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { asBatch } from './edit-image.ts';
import type { DirectionSet } from './direction-set.ts';
import { describeDirections, outsideBlock } from './find-directions.ts';
import type { FindOptions } from './find-directions.ts';
import { checkMask, expandMask } from './mask.ts';
import { withoutNullBlock } from './null-space.ts';

/**
 * The direction that takes a noisy image from one condition towards another (T-LOCO): one reverse product
 * v = J_e^T P (D_e(x) - D_o(x)) of the denoiser under the condition wanted, less the outside's leading directions.
 * Editing goes on with the original denoiser alone.
 * @param original  D_o, the denoiser under the image's own condition
 * @param wanted    D_e, the same network under the condition to edit towards, or any other denoiser of the same samples
 * @param x         one noisy image, [...sampleShape] or [1, ...sampleShape], at noise level sigma, VE coordinates
 * @throws ShapeError for denoisers of different samples; DomainError where the two conditions agree inside the mask; as `findDirections`
 * @source Chen et al. 2024, arXiv 2409.02374, section 4.3 and appendix (T-LOCO)
 */
export async function supervisedDirection(
  original: Denoiser,
  wanted: Denoiser,
  x: FloatTensor,
  sigma: number,
  options: Omit<FindOptions, 'method' | 'rank'> = {},
): Promise<DirectionSet> {
  const { sampleShape } = original;
  const { mask } = options;
  if (!sameShape(wanted.sampleShape, sampleShape)) {
    throw new ShapeError('edit', `expected denoisers of the same samples, got ${showShape(sampleShape)} and ${showShape(wanted.sampleShape)}.`); // prettier-ignore
  }
  if (mask !== undefined) checkMask('edit', mask, sampleShape);
  const batch = asBatch('edit', x, sampleShape);
  const [here, there] = [await original.denoise(batch, sigma), await wanted.denoise(batch, sigma)];
  const flags = mask && expandMask(mask, sampleShape);
  const n = sizeOf(sampleShape);
  const difference = Float64Array.from({ length: n }, (_, i) =>
    flags?.[i] === 0 ? 0 : (there.data[i] as number) - (here.data[i] as number),
  );
  const pulled = await wanted.linearize(x, sigma).applyTranspose(tensor('float64', [1, n], difference));
  const length = Math.sqrt(castFloat(pulled, 'float64').data.reduce((sum, v) => sum + v * v, 0));
  if (!(length > 0)) {
    throw new DomainError('edit', 'the two conditions give the same image inside the mask. Choose another condition, mask or noise level.'); // prettier-ignore
  }
  const unit = tensor(
    'float64',
    [1, n],
    Float64Array.from(pulled.data, (v) => v / length),
  );
  const block = await outsideBlock(original.linearize(x, sigma), sampleShape, options);
  return describeDirections(original, x, sigma, {
    method: 'supervised',
    mask,
    ...withoutNullBlock(unit, block),
    nullRank: block?.shape[0] ?? 0,
  });
}
