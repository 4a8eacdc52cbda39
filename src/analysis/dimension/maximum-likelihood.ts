import { DomainError, NumericalError } from '../../errors/errors.ts';
import { trialMean } from '../../theory/trials.ts';
import type { DimensionEstimate } from './estimate.ts';
import type { Neighbours } from './neighbours.ts';

/**
 * Intrinsic dimension by maximum likelihood from the distances T_1 <= ... <= T_k to k neighbours: 1/d is the mean over samples and j < k
 * of log(T_k / T_j).
 * The inverses are averaged, as the likelihood of all samples together asks for; averaging the estimates themselves is biased upwards by
 * (k - 1) / (k - 2). Where the k neighbours reach the border or density varies among them the estimate is too low: 2,000 samples of 20
 * dimensions give 15 to 16, of 10 dimensions 9. Curved products of circles give too much: 12 to 13 for 10.
 * @param neighbours  of distinct samples, at least 2; k of them or more each
 * @param k  neighbours used, >= 2; default all there are
 * @returns interval: normal for the mean of the inverses over samples, taken as independent though they share neighbours: where every
 * sample is a query it is about 1.4 times too narrow at k of 10 to 20
 * @throws DomainError for k or the samples; NumericalError where a distance is 0 or all distances are equal
 * @source Levina and Bickel 2004, eq. 8; MacKay and Ghahramani 2005, comments on it (averaging)
 */
export function maximumLikelihoodDimension(neighbours: Neighbours, k: number = neighbours.k): DimensionEstimate {
  const where = 'maximumLikelihoodDimension';
  if (!Number.isInteger(k) || k < 2 || k > neighbours.k) {
    throw new DomainError(where, `expected k from 2 to ${neighbours.k}, the neighbours at hand, got ${k}.`);
  }
  const samples = neighbours.queries.length;
  const inverses = new Float64Array(samples);
  let scale = 0;
  for (let i = 0; i < samples; i++) {
    const row = neighbours.distances.subarray(i * neighbours.k, i * neighbours.k + k);
    if (!((row[0] as number) > 0)) {
      throw new NumericalError(where, 'expected distinct samples, got distance 0. Pass those of distinctSamples.');
    }
    const outer = row[k - 1] as number;
    let sum = 0;
    for (let j = 0; j < k - 1; j++) sum += Math.log(outer / (row[j] as number));
    inverses[i] = sum / (k - 1);
    scale += outer / samples;
  }
  const { mean, low, high } = trialMean(inverses);
  if (!(mean > 0)) {
    throw new NumericalError(where, 'expected distances that differ, got all equal: such samples have no dimension.');
  }
  return {
    dimension: 1 / mean,
    low: 1 / high,
    high: low > 0 ? 1 / low : Infinity,
    interval: 'normal over samples, 95 %, neighbourhoods taken as independent',
    samples,
    scale,
  };
}
