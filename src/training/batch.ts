import type { Dataset } from '../data/dataset.ts';
import { noiseFeatures } from '../denoisers/network/features.ts';
import { edmPreconditioning, edmTrainingNoise, trainingSigma } from '../diffusion/edm.ts';
import type { TrainingNoise } from '../diffusion/edm.ts';
import { normal, permutation, randomKey } from '../tensor/random.ts';
import { allocate, sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What one gradient step of the EDM loss takes, ready for the graph. */
export interface TrainingBatch {
  /** cIn (x0 + sigma n), [B, ...sampleShape]. */
  readonly input: Tensor<'float32'>;
  /** Noise features, [B, F]. */
  readonly features: Tensor<'float32'>;
  /** (x0 - cSkip (x0 + sigma n)) / cOut: what the network should give, [B, ...sampleShape]. */
  readonly target: Tensor<'float32'>;
}

/** Indices of the images of step 1, 2, ...: every epoch is a fresh permutation, and a batch may span two. */
export function batchIndices(count: number, batchSize: number, step: number, seed: number): Int32Array {
  const indices = new Int32Array(batchSize);
  const first = (step - 1) * batchSize;
  let epoch = -1;
  let order = new Int32Array(0);
  for (let i = 0; i < batchSize; i++) {
    const wanted = Math.floor((first + i) / count);
    if (wanted !== epoch) {
      epoch = wanted;
      order = permutation(randomKey(seed, 'order', epoch), count) as Int32Array<ArrayBuffer>;
    }
    indices[i] = order[(first + i) % count] as number;
  }
  return indices;
}

/**
 * The batch of a step: images, noise levels and noise are functions of (seed, step) alone, so a run resumes where it stopped.
 * With the EDM weight the loss in D becomes the plain squared error of the network against `target`.
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 8 and Table 1
 */
export async function trainingBatch(
  data: Dataset,
  batchSize: number,
  step: number,
  seed: number,
  sigmaData: number,
  featureCount: number,
  noise: TrainingNoise = edmTrainingNoise,
): Promise<TrainingBatch> {
  const x0 = await data.read(batchIndices(data.count, batchSize, step, seed));
  return noisyBatch(x0, randomKey(seed, 'noise', step), sigmaData, featureCount, noise);
}

/** Noise added to clean images at levels drawn from a law, by default EDM's. */
export function noisyBatch(
  x0: Tensor<'float32'>,
  key: ReturnType<typeof randomKey>,
  sigmaData: number,
  featureCount: number,
  noise: TrainingNoise = edmTrainingNoise,
): TrainingBatch {
  const batchSize = x0.shape[0] as number;
  const dimension = sizeOf(x0.shape.slice(1));
  // The first B draws choose the levels, the rest are the noise itself.
  const draws = normal(key, [batchSize + x0.data.length]).data;
  const input = allocate('float32', x0.data.length);
  const target = allocate('float32', x0.data.length);
  const cNoise = new Float64Array(batchSize);
  for (let b = 0; b < batchSize; b++) {
    const sigma = trainingSigma(draws[b] as number, noise);
    const factors = edmPreconditioning(sigma, sigmaData);
    cNoise[b] = factors.cNoise;
    for (let i = b * dimension; i < (b + 1) * dimension; i++) {
      const clean = x0.data[i] as number;
      const noisy = clean + sigma * (draws[batchSize + i] as number);
      input[i] = factors.cIn * noisy;
      target[i] = (clean - factors.cSkip * noisy) / factors.cOut;
    }
  }
  return {
    input: tensor('float32', x0.shape, input),
    features: noiseFeatures(cNoise, featureCount),
    target: tensor('float32', x0.shape, target),
  };
}
