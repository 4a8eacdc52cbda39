import { computeJacobian } from '../../analysis/jacobian.ts';
import { symmetryDefect } from '../../analysis/symmetry.ts';
import { lowRankMixtureDenoiser, mixturePosterior } from '../../denoisers/low-rank-mixture.ts';
import type { LowRankMixture } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { throwIfAborted } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { row, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const SOURCE = 'arXiv 2409.02426, posterior mean; arXiv 2409.02374, Lemma 1; Jacobian derived';

/** Posterior mean and Jacobian of mixtures against what needs no formula of theirs. */
export const mixturePosteriorCheck: Reproduction = {
  name: 'mixture-posterior',
  title: 'Posterior mean and Jacobian of low-rank mixtures',
  source: SOURCE,
  async run(size, context): Promise<ReproductionResult> {
    const { draws, points } = size === 'full' ? { draws: 1_000_000, points: 8 } : { draws: 40_000, points: 2 };
    const seed = context.seed;
    const unequal = randomMixture({ n: 4, ranks: [1, 2], variances: [2, 0.5], weights: [1, 2], means: [1, 0.5], seed });
    const plain = randomMixture({ n: 48, ranks: [3, 5], variances: [1, 1], seed });
    const claims = [
      await monteCarloClaim(unequal, draws, points, context),
      ...(await jacobianClaims('unequal ranks, variances, means', unequal, points, context)),
      ...(await jacobianClaims('n = 48, d = 3 and 5', plain, points, context)),
      formulaClaim(plain, points, context),
    ];
    return {
      claims,
      values: { draws, points, claims },
      notes: ['Finite differences are central, of fourth order, with step 0.005 sigma.'],
    };
  },
};

function noisyPoints(mixture: LowRankMixture, sigma: number, points: number, seed: number): Tensor<'float64'> {
  const { x } = sampleMixture(mixture, randomKey(seed, 'mixture-posterior'), points);
  const noise = normal(randomKey(seed, 'mixture-posterior noise'), x.shape).data;
  const data = x.data.map((value, i) => value + sigma * (noise[i] as number));
  return tensor('float64', x.shape, data);
}

/** E[x0 | x] as the mean of prior draws weighted by the density of the noise that leads from them to x. */
async function monteCarloClaim(
  mixture: LowRankMixture,
  draws: number,
  points: number,
  { seed, signal }: TopicContext,
): Promise<ClaimResult> {
  const sigma = 1;
  const noisy = noisyPoints(mixture, sigma, points, seed);
  const { mean } = mixturePosterior(mixture, noisy, sigma);
  const prior = sampleMixture(mixture, randomKey(seed, 'prior'), draws).x.data;
  const n = noisy.shape[1] as number;
  let worst = 0;
  for (let p = 0; p < points; p++) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // an interrupt must be heard
    throwIfAborted('mixture-posterior', signal);
    const x = row(noisy, p).data;
    const weights = new Float64Array(draws);
    for (let i = 0; i < draws; i++) {
      let squares = 0;
      for (let j = 0; j < n; j++) squares += ((prior[i * n + j] as number) - (x[j] as number)) ** 2;
      weights[i] = Math.exp(-squares / (2 * sigma * sigma));
    }
    const total = weights.reduce((sum, w) => sum + w, 0);
    for (let j = 0; j < n; j++) {
      let estimate = 0;
      for (let i = 0; i < draws; i++) estimate += ((weights[i] as number) * (prior[i * n + j] as number)) / total;
      // Delta method for a ratio of means.
      let variance = 0;
      for (let i = 0; i < draws; i++) variance += (((weights[i] as number) / total) * ((prior[i * n + j] as number) - estimate)) ** 2; // prettier-ignore
      worst = Math.max(worst, Math.abs(estimate - (mean.data[p * n + j] as number)) / Math.sqrt(variance));
    }
  }
  return between('posterior mean against Monte Carlo, in standard errors', worst, 0, 4, SOURCE);
}

async function jacobianClaims(
  what: string,
  mixture: LowRankMixture,
  points: number,
  { seed, signal }: TopicContext,
): Promise<ClaimResult[]> {
  await using denoiser = lowRankMixtureDenoiser({ name: what, mixture });
  const n = denoiser.sampleShape[0] as number;
  let [error, asymmetry] = [0, 0];
  for (const sigma of [0.5, 1, 3]) {
    const noisy = noisyPoints(mixture, sigma, points, seed);
    for (let p = 0; p < points; p++) {
      throwIfAborted('mixture-posterior', signal);
      const x = row(noisy, p).data;
      const jacobian = await computeJacobian(denoiser.linearize(row(noisy, p), sigma));
      asymmetry = Math.max(asymmetry, symmetryDefect(jacobian));
      const differences = differenceJacobian(mixture, x, sigma);
      // Row j of the differences is dD / dx_j: a column of J.
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const defect = (jacobian.data[i * n + j] as number) - (differences.data[j * n + i] as number);
          error = Math.max(error, Math.abs(defect));
        }
      }
    }
  }
  return [
    between(`Jacobian against finite differences, ${what}`, error, 0, 1e-8, SOURCE, '< 1e-8'),
    between(`asymmetry of the Jacobian, ${what}`, asymmetry, 0, 1e-14, SOURCE, '0'),
  ];
}

/** Fourth-order central differences of the posterior mean; row j is dD / dx_j. */
function differenceJacobian(mixture: LowRankMixture, x: Float64Array, sigma: number): Tensor<'float64'> {
  const n = x.length;
  const h = 0.005 * sigma;
  const moved = (step: number): Float64Array => {
    const points = Float64Array.from({ length: n * n }, (_, at) => x[at % n] as number);
    for (let j = 0; j < n; j++) (points[j * n + j] as number) += step;
    return mixturePosterior(mixture, tensor('float64', [n, n], points), sigma).mean.data;
  };
  const [far, near, back, farBack] = [moved(2 * h), moved(h), moved(-h), moved(-2 * h)];
  const data = near.map(
    (value, i) => (8 * (value - (back[i] as number)) - ((far[i] as number) - (farBack[i] as number))) / (12 * h),
  );
  return tensor('float64', [n, n], data);
}

/** The published form for zero mean and unit variance, with the term in d_k that unequal ranks need. */
function formulaClaim(mixture: LowRankMixture, points: number, { seed }: TopicContext): ClaimResult {
  const sigma = 0.8;
  const noisy = noisyPoints(mixture, sigma, points, seed);
  const n = noisy.shape[1] as number;
  const { mean } = mixturePosterior(mixture, noisy, sigma);
  const phi = 1 / (2 * sigma ** 2 * (1 + sigma ** 2));
  const coefficients = mixture.map(({ basis }) => matmul(noisy, basis, { transposeB: true }));
  const projections = mixture.map(({ basis }, k) => matmul(coefficients[k] as Tensor<'float64'>, basis).data);
  let worst = 0;
  for (let p = 0; p < points; p++) {
    const logits = mixture.map(({ weight, variances: { length: d } }, k) => {
      const inside = row(coefficients[k] as Tensor<'float64'>, p).data.reduce((sum, c) => sum + c * c, 0);
      return Math.log(weight) - (d / 2) * Math.log(1 + 1 / sigma ** 2) + phi * inside;
    });
    const top = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
    for (let j = p * n; j < (p + 1) * n; j++) {
      const sum = projections.reduce((s, q, k) => s + Math.exp((logits[k] as number) - top) * (q[j] as number), 0);
      worst = Math.max(worst, Math.abs(sum / total / (1 + sigma ** 2) - (mean.data[j] as number)));
    }
  }
  return between('general form against the published one, zero mean and unit variance', worst, 0, 1e-13, SOURCE, '0');
}
