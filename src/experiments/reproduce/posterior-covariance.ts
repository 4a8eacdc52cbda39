import { computeJacobian } from '../../analysis/jacobian.ts';
import { measureSure } from '../../analysis/sure.ts';
import { symmetryDefect } from '../../analysis/symmetry.ts';
import type { Denoiser } from '../../denoisers/denoiser.ts';
import { lowRankMixtureDenoiser } from '../../denoisers/low-rank-mixture.ts';
import type { LowRankMixture } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { eigenvaluesSymmetric } from '../../linalg/eigh.ts';
import { singularValues } from '../../linalg/svd.ts';
import { leadingTriplets } from '../../linalg/triplets.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, row, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CurveFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'Kadkhodaie et al., arXiv 2310.02557, section 2';
const SHALLOW = 'arXiv 2410.21088, second moment, derived';
const sigmas = [0.3, 1, 3];

/** What the Jacobian of an exact posterior mean is: a covariance, whose trace is the error. */
export const posteriorCovariance: Reproduction = {
  name: 'posterior-covariance',
  title: "A denoiser's Jacobian is the posterior covariance over the noise variance",
  source: PAPER,
  async run(size, context): Promise<ReproductionResult> {
    const [n, ranks] = size === 'full' ? [48, [6, 6]] : [16, [3, 2]];
    const mixture = randomMixture({ n, ranks, variances: [1, 2], means: [0.5, 1], seed: context.seed });
    await using denoiser = lowRankMixtureDenoiser({ name: 'mixture', mixture });
    const { x } = sampleMixture(mixture, randomKey(context.seed, 'posterior'), size === 'full' ? 4000 : 300);
    const claims: ClaimResult[] = [];
    for (const sigma of sigmas) {
      claims.push(...(await atPoint(denoiser, mixture, noisy(row(x, 0), sigma, context.seed), sigma, context)));
    }
    const errors = [];
    for (const [i, sigma] of sigmas.entries()) {
      const found = await measureSure(denoiser, x, sigma, { seed: context.seed, probes: 0, signal: context.signal });
      errors.push({ sigma, ...found });
      const deviations = Math.abs(found.sure - found.mse) / found.standardError;
      claims.push(
        between(
          `sigma ${sigma}: |SURE - squared error| in standard errors`,
          deviations,
          0,
          3.5,
          PAPER,
          'within Monte Carlo',
        ),
        near(
          `sigma ${sigma}: sigma^2 E tr J over the squared error`,
          found.optimal / found.mse,
          1,
          size === 'full' ? 0.05 : 0.15,
          PAPER,
        ),
      );
      context.onProgress?.(i + 1, sigmas.length);
    }
    return {
      claims,
      figures: { sure: sureFigure(errors) },
      values: { n, ranks, sigmas, errors },
      notes: ['A mixture of two low-rank Gaussians with means and unequal variances stands for the data.'],
    };
  },
};

async function atPoint(
  denoiser: Denoiser,
  mixture: LowRankMixture,
  x: Tensor<'float64'>,
  sigma: number,
  { seed, signal }: TopicContext,
): Promise<ClaimResult[]> {
  const n = x.data.length;
  const op = denoiser.linearize(x, sigma);
  const jacobian = await computeJacobian(op, { signal });
  const covariance = mixtureCovariance(mixture, x.data, sigma);
  const differences = await differenceJacobian(denoiser, x, sigma);
  const gap = (other: Float64Array): number =>
    jacobian.data.reduce((most, v, i) => Math.max(most, Math.abs(v - (other[i] as number))), 0);
  const least = Math.min(...eigenvaluesSymmetric(symmetrized(jacobian)));
  const all = singularValues(jacobian);
  const leading = await leadingTriplets(op, { rank: 3, seed, tolerance: 1e-10 });
  const triplets = leading.values.reduce((most, s, i) => Math.max(most, Math.abs(s - (all[i] as number))), 0);
  const at = `sigma ${sigma}`;
  return [
    between(`${at}: largest element of J - Cov / sigma^2`, gap(covariance), 0, 1e-8, PAPER),
    // Fourth-order differences of outputs near 1 leave about 1e-11.
    between(`${at}: J against differences of D`, gap(differences), 0, 1e-8, 'derived'),
    between(`${at}: |J - J^T| / |J|`, symmetryDefect(jacobian), 0, 1e-12, PAPER),
    between(`${at}: least eigenvalue of J`, least, -1e-12, 2, PAPER, 'not negative'),
    between(`${at}: leading triplets against the whole SVD`, triplets, 0, 1e-8, 'derived'),
    ...(await secondMoment(denoiser, x, sigma, jacobian, n, seed)),
  ];
}

/** E|J dx|^2 = |J|_F^2 / n over random unit dx, by Monte Carlo. */
async function secondMoment(
  denoiser: Denoiser,
  x: Tensor<'float64'>,
  sigma: number,
  jacobian: Tensor<'float64'>,
  n: number,
  seed: number,
): Promise<ClaimResult[]> {
  const count = 20_000;
  const z = normal(randomKey(seed, 'unit', sigma), [count, n]);
  for (let k = 0; k < count; k++) {
    const own = z.data.subarray(k * n, (k + 1) * n);
    const length = Math.hypot(...own);
    own.forEach((v, j) => (own[j] = v / length));
  }
  const Jz = castFloat(await denoiser.linearize(x, sigma).apply(z), 'float64');
  const mean = Jz.data.reduce((s, v) => s + v * v, 0) / count;
  const exact = jacobian.data.reduce((s, v) => s + v * v, 0) / n;
  // The relative variance of |J dx|^2 is at most 2, that of a Jacobian of rank 1.
  const tolerance = 4 * Math.sqrt(2 / count);
  return [near(`sigma ${sigma}: mean |J dx|^2 over |J|_F^2 / n, random unit dx`, mean / exact, 1, tolerance, SHALLOW)];
}

/** Posterior covariance over sigma^2 from second moments: sum_k w_k (C_k + a_k a_k^T) - a a^T, component by component. */
function mixtureCovariance(mixture: LowRankMixture, x: Float64Array, sigma: number): Float64Array {
  const n = x.length;
  const s2 = sigma * sigma;
  const parts = mixture.map(({ weight, mean, basis, variances }) => {
    const centred = x.map((v, j) => v - (mean[j] as number));
    const coefficients = Array.from(variances, (_, i) => dot(row(basis, i).data, centred));
    const inside = coefficients.reduce((s, c) => s + c * c, 0);
    let logWeight = Math.log(weight) - (dot(centred, centred) - inside) / (2 * s2);
    const a = mean.slice();
    coefficients.forEach((c, i) => {
      const l = variances[i] as number;
      logWeight -= (c * c) / (2 * (l + s2)) + Math.log1p(l / s2) / 2;
      row(basis, i).data.forEach((u, j) => ((a[j] as number) += (u * c * l) / (l + s2)));
    });
    return { logWeight, a, basis, variances };
  });
  const top = Math.max(...parts.map((p) => p.logWeight));
  const total = parts.reduce((s, p) => s + Math.exp(p.logWeight - top), 0);
  const second = new Float64Array(n * n);
  const first = new Float64Array(n);
  for (const { logWeight, a, basis, variances } of parts) {
    const w = Math.exp(logWeight - top) / total;
    addOuter(second, a, w);
    a.forEach((v, j) => ((first[j] as number) += w * v));
    variances.forEach((l, i) => addOuter(second, row(basis, i).data, (w * l * s2) / (l + s2)));
  }
  addOuter(second, first, -1);
  return second.map((v) => v / s2);
}

/** The Jacobian by central differences of order 4. */
async function differenceJacobian(denoiser: Denoiser, x: Tensor<'float64'>, sigma: number): Promise<Float64Array> {
  const n = x.data.length;
  const h = 2e-3 * sigma;
  const moved = async (step: number): Promise<Float64Array> => {
    const points = tensor(
      'float64',
      [n, n],
      Float64Array.from({ length: n * n }, (_, i) => x.data[i % n] as number),
    );
    for (let j = 0; j < n; j++) (points.data[j * (n + 1)] as number) += step;
    return (await denoiser.denoise(points, sigma)).data as Float64Array;
  };
  const [near1, far1, near2, far2] = [await moved(h), await moved(2 * h), await moved(-h), await moved(-2 * h)];
  return Float64Array.from({ length: n * n }, (_, at) => {
    const i = (at % n) * n + Math.floor(at / n); // row j of the outputs holds dD/dx_j
    const close = (near1[i] as number) - (near2[i] as number);
    const wide = (far1[i] as number) - (far2[i] as number);
    return (8 * close - wide) / (12 * h);
  });
}

function noisy(clean: Tensor<'float64'>, sigma: number, seed: number): Tensor<'float64'> {
  const z = normal(randomKey(seed, 'point', sigma), clean.shape);
  return { ...z, data: z.data.map((v, i) => (clean.data[i] as number) + sigma * v) };
}

function symmetrized(a: Tensor<'float64'>): Tensor<'float64'> {
  const n = a.shape[0] as number;
  const data = a.data.map((v, at) => (v + (a.data[(at % n) * n + Math.floor(at / n)] as number)) / 2);
  return { ...a, data };
}

function addOuter(sum: Float64Array, a: Float64Array, weight: number): void {
  const n = a.length;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) (sum[i * n + j] as number) += weight * (a[i] as number) * (a[j] as number);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((s, v, j) => s + v * (b[j] as number), 0);
}

function sureFigure(
  errors: readonly { sigma: number; sure: number; mse: number; standardError: number }[],
): CurveFigure {
  const x = errors.map((e) => e.sigma);
  return {
    kind: 'curves',
    title: "Stein's estimate of the squared error and the true one",
    xLabel: 'noise level σ',
    yLabel: 'squared error of a sample',
    xScale: 'log',
    yScale: 'log',
    curves: [
      { name: 'true error', x, y: errors.map((e) => e.mse), style: 'line' },
      {
        name: 'SURE, without clean samples',
        x,
        y: errors.map((e) => e.sure),
        low: errors.map((e) => e.sure - 2 * e.standardError),
        high: errors.map((e) => e.sure + 2 * e.standardError),
        style: 'points',
      },
    ],
  };
}
