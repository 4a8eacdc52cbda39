import { castFloat, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Lowest and highest frequency of the noise features, in cycles per unit of cNoise = ln(sigma) / 4. */
const lowest = 1 / 8;
const highest = 8;

/** The frequencies of half as many features as `count`, in geometric progression; none for a count of 1. */
export function featureFrequencies(count: number): Float64Array {
  const half = Math.floor(count / 2);
  return Float64Array.from({ length: half }, (_, i) => lowest * (highest / lowest) ** (i / Math.max(1, half - 1)));
}

/**
 * Fourier features of the noise level: cos and sin of 2 pi f cNoise at frequencies f in geometric progression.
 * cNoise spans about 2.7 for sigma in [0.002, 80], so the lowest frequency orders all levels and the highest tells near ones apart.
 * @param cNoise  length B
 * @param count  even number of features, or 1 for cNoise itself
 * @returns [B, count] float32, computed in float64
 * @source in the manner of Tancik et al. 2020, arXiv 2006.10739, with fixed instead of random frequencies
 */
export function noiseFeatures(cNoise: Float64Array, count: number): Tensor<'float32'> {
  if (count === 1) return castFloat(tensor('float64', [cNoise.length, 1], cNoise), 'float32');
  const half = count / 2;
  const frequencies = featureFrequencies(count);
  const data = new Float32Array(cNoise.length * count);
  cNoise.forEach((c, b) => {
    for (let i = 0; i < half; i++) {
      const angle = 2 * Math.PI * (frequencies[i] as number) * c;
      data[b * count + i] = Math.cos(angle);
      data[b * count + half + i] = Math.sin(angle);
    }
  });
  return tensor('float32', [cNoise.length, count], data);
}
