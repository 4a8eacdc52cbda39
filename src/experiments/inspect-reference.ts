import { energyRuleNames, numericalRank, rankRatio } from '../analysis/rank.ts';
import type { Dataset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { gramKernel } from '../linalg/gram.ts';
import { wienerGain } from '../denoisers/gaussian.ts';
import { eigenvaluesSymmetric } from '../linalg/eigh.ts';
import type { InspectReference } from './inspect-result.ts';

/** Where the variances of a Gaussian come from. */
export interface ReferenceSource {
  readonly train?: Dataset | undefined;
  readonly variances?: Float64Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The rank curve of the best affine denoiser of the same data: singular values l / (l + sigma^2), the same at every point.
 * @param sigmas  noise levels in data units
 * @returns undefined where neither variances nor training data are at hand
 * @source arXiv 2410.24060 theorem 1
 */
export async function gaussianReference(
  sigmas: readonly number[],
  { train, variances, signal }: ReferenceSource,
): Promise<InspectReference | undefined> {
  const known = variances ?? (train && (await trainingVariances(train, signal)));
  if (known === undefined) return undefined;
  return {
    name: 'Gaussian with the training covariance',
    rankCurve: sigmas.flatMap((sigma) => {
      const values = known.map((l) => wienerGain(Math.max(0, l), sigma));
      return energyRuleNames.map((rule) => ({
        sigma,
        rule,
        ratio: rankRatio(numericalRank(values, rule), values.length),
      }));
    }),
  };
}

async function trainingVariances(train: Dataset, signal: AbortSignal | undefined): Promise<Float64Array> {
  const { covariance } = await computeMoments(train, { gram: gramKernel, ...(signal && { signal }) });
  return eigenvaluesSymmetric(covariance);
}
