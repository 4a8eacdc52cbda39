import { drawProblem } from '../../analysis/clustering/subspace-problem.ts';
import { lowRankNetwork } from '../../denoisers/network/low-rank.ts';
import { throwIfAborted } from '../../errors/errors.ts';
import { subspaceDistance } from '../../linalg/angles.ts';
import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { leadingSvd } from '../../linalg/svd.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { largestMoment, lowRankDefaults } from '../../training/low-rank/spec.ts';
import type { LowRankSpec, NoiseLevels } from '../../training/low-rank/spec.ts';
import { trainLowRank } from '../../training/low-rank/train.ts';
import type { LowRankTraining } from '../../training/low-rank/train.ts';
import type { Curve } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const source = 'arXiv 2409.02426, Theorem 1';
const derived = 'derived; theory of Theorem 1, checked by simulation';
const [n, d, N] = [48, 4, 10];

/** A stochastic training and the distance from the principal subspace that it is known to end at. */
interface Setting {
  readonly name: string;
  readonly sigma: NoiseLevels;
  /** After 20,000 steps. */
  readonly expected: number;
}

const settings: readonly Setting[] = [
  { name: 'sigma 0.1', sigma: 0.1, expected: 0.0014 },
  { name: 'sigma 0.5', sigma: 0.5, expected: 0.028 },
  { name: 'sigma 2', sigma: 2, expected: 0.087 },
  { name: 'sigma log-normal(-1.2, 1.2)', sigma: { logMean: -1.2, logStd: 1.2 }, expected: 0.025 },
];

/** The one-subspace denoiser trained by its diffusion loss is principal component analysis, at every noise level. */
export const pcaEquivalence: Reproduction = {
  name: 'pca-equivalence',
  title: 'A low-rank denoiser of one subspace learns the principal components',
  source,
  async run(size, context): Promise<ReproductionResult> {
    const { points } = drawProblem({ n, d, N, components: 1, noise: 0, seed: context.seed });
    const pca = leadingSvd(points, d).v;
    const [chosen, steps] = size === 'full' ? [settings, 20_000] : [settings.slice(0, 2), 1500];
    const stochastic: { setting: Setting; training: LowRankTraining }[] = [];
    for (const setting of chosen) {
      throwIfAborted('pca-equivalence', context.signal);
      const training = await trainLowRank(points, stochasticSpec(points, setting, steps, context.seed), {
        signal: context.signal,
        onProgress: (done) => context.onProgress?.(stochastic.length * steps + done, chosen.length * steps),
      });
      stochastic.push({ setting, training });
    }
    const claims = [
      ...stochastic.map(({ setting, training }) => stochasticClaim(setting, distance(training, pca), steps)),
      ...(await everyLevelClaims(context, size === 'full' ? [0.05, 0.2, 0.5, 1, 2] : [0.2, 1])),
      await closedFormClaim(context, size === 'full' ? 100_000 : 10_000),
    ];
    const curves = stochastic.map(({ setting: { name }, training: { history } }): Curve => {
      const shown = history.filter(({ step }) => step > 0);
      const y = shown.map(({ bases }) => subspaceDistance(bases[0] as Tensor<'float64'>, pca));
      return { name, x: shown.map(({ step }) => step), y, style: 'line' };
    });
    const axes = { xScale: 'log', yScale: 'log', xLabel: 'training step', yLabel: '‖P network − P PCA‖' } as const;
    const title = `One subspace, n = ${n}, d = ${d}, N = ${N}: distance from the principal subspace`;
    return {
      claims,
      figures: { distance: { kind: 'curves', title, ...axes, curves } },
      values: { n, d, N, steps, curves: curves.map(({ name, x, y }) => ({ name, step: x, distance: y })) },
      notes: [
        'The optimiser of the paper is not known: gradient descent with fresh noise, QR retraction, step 0.2 / (1 + i / 50).',
      ],
    };
  },
};

function stochasticSpec(points: Tensor<'float64'>, { sigma }: Setting, steps: number, seed: number): LowRankSpec {
  const rate = 0.2 * largestMoment(points); // 0.2 in the units of the points
  return { ...lowRankDefaults, ranks: [d], sigma, noise: 'drawn', steps, rate, decay: 50, restarts: 1, seed };
}

function distance({ bases }: LowRankTraining, pca: Tensor<'float64'>): number {
  return subspaceDistance(bases[0] as Tensor<'float64'>, pca);
}

/** What noise leaves falls like the root of the last step, so like one over the root of the steps. */
function stochasticClaim({ name, expected }: Setting, measured: number, steps: number): ClaimResult {
  const wanted = expected * Math.sqrt(20_000 / steps);
  const claim = `distance to PCA after ${steps} stochastic steps, ${name}`;
  // Half the expected value either way: points differ from draw to draw.
  return between(claim, measured, wanted / 2, wanted * 1.5, derived, `${Number(wanted.toPrecision(2))} ± 50 %`);
}

async function everyLevelClaims({ seed, signal }: TopicContext, sigmas: readonly number[]): Promise<ClaimResult[]> {
  // Residual noise: without it every subspace that holds the points is exact, and there is no order among directions.
  const { points } = drawProblem({ n, d, N: 30, components: 1, noise: 0.1, seed });
  const pca = leadingSvd(points, d).v;
  const claims: ClaimResult[] = [];
  for (const sigma of sigmas) {
    const spec = { ...lowRankDefaults, ranks: [d], sigma, steps: 5000, rate: 0.8, decay: Infinity, restarts: 1, seed };
    const training = await trainLowRank(points, spec, { signal, history: false });
    const claim = `distance to PCA at the optimum of the one noise level ${sigma}`;
    claims.push(between(claim, distance(training, pca), 0, 1e-6, source, '0 (below 1e-6)'));
  }
  return claims;
}

/** |x|^2 - (2a - a^2) |U^T x|^2 + d a^2 sigma^2 against the mean squared error of the denoiser itself. */
async function closedFormClaim({ seed }: TopicContext, draws: number): Promise<ClaimResult> {
  const sigma = 0.7;
  const basis = orthonormalRows(normal(randomKey(seed, 'closed form', 'basis'), [d, n])).q;
  const x = normal(randomKey(seed, 'closed form', 'point'), [1, n]).data.map((v) => v / Math.sqrt(n));
  const noise = normal(randomKey(seed, 'closed form', 'noise'), [draws, n]).data;
  await using network = lowRankNetwork({ name: 'low-rank network', bases: [basis] });
  const noisy = tensor(
    'float64',
    [draws, n],
    noise.map((e, i) => (x[i % n] as number) + sigma * e),
  );
  const out = (await network.denoise(noisy, sigma)).data;
  const errors = new Float64Array(draws);
  out.forEach((v, i) => {
    const row = Math.floor(i / n);
    errors[row] = (errors[row] as number) + (v - (x[i % n] as number)) ** 2;
  });
  const mean = errors.reduce((sum, e) => sum + e, 0) / draws;
  const spread = Math.sqrt(errors.reduce((sum, e) => sum + (e - mean) ** 2, 0) / draws);
  const a = 1 / (1 + sigma * sigma);
  const squares = (v: Float64Array): number => v.reduce((sum, c) => sum + c * c, 0);
  const inside = squares(matmul(tensor('float64', [1, n], x), basis, { transposeB: true }).data);
  const exact = squares(x) - (2 * a - a * a) * inside + d * (a * sigma) ** 2;
  const tolerance = (4 * spread) / Math.sqrt(draws);
  const result = near('mean squared error of the denoiser over noise', mean, exact, tolerance, derived);
  return { ...result, expected: `${exact.toFixed(4)} ± ${tolerance.toFixed(4)} (closed form, 4 standard errors)` };
}
