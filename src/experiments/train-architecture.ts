import type { Dataset } from '../data/dataset.ts';
import type { Architecture } from '../denoisers/network/architecture.ts';
import { SpecError } from '../errors/errors.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { TrainSpec } from './train-spec.ts';

/** Features of the noise level and groups of the normalizations, alike in all networks trained here. */
const noiseFeatureCount = 32;
const normGroups = 8;
/** Dimension of a subspace, and most directions of a linear denoiser, where the spec says none. */
const usualRank = { 'low-rank': 8, linear: 1024 } as const;

/**
 * The network that a spec asks for, in the size of the samples.
 * @param sigmaData  standard deviation of the data: the unit in which closed forms count variances
 * @throws SpecError for a U-Net on vectors, and a rank above the size of a sample
 */
export function architectureOf(spec: TrainSpec, data: Dataset, sigmaData: number): Architecture {
  const { sampleShape } = data;
  const { channels, attention, depth, components } = spec;
  switch (spec.architecture) {
    case 'unet': {
      if (sampleShape.length !== 3) {
        throw new SpecError('train', `a U-Net takes images, ${data.name} holds vectors. Use --arch mlp.`);
      }
      const shape = sampleShape as [number, number, number];
      return { kind: 'unet', sampleShape: shape, channels, attention, groups: normGroups, features: noiseFeatureCount };
    }
    case 'mlp':
      return { kind: 'mlp', sampleShape, width: channels[0] as number, depth, features: noiseFeatureCount };
    case 'linear':
      return { kind: 'linear', sampleShape, rank: rankOf(spec, 'linear', data), sigmaData };
    case 'low-rank':
      return { kind: 'low-rank', sampleShape, components, rank: rankOf(spec, 'low-rank', data), sigmaData };
  }
}

function rankOf({ rank }: TrainSpec, kind: keyof typeof usualRank, { name, sampleShape }: Dataset): number {
  const dimension = sizeOf(sampleShape);
  if (rank === undefined) return Math.min(usualRank[kind], dimension);
  if (rank <= dimension) return rank;
  throw new SpecError('train', `rank: expected at most ${dimension}, the size of a sample of ${name}, got ${rank}.`);
}
