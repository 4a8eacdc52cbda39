import { computeJacobian } from '../../analysis/jacobian.ts';
import { lowRankMixtureDenoiser } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { singularValues } from '../../linalg/svd.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, row } from '../../tensor/tensor.ts';
import type { CurveFigure } from '../plain-figure.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'Kadkhodaie et al., arXiv 2310.02557, section 4';

/** At small noise the optimal denoiser projects onto the tangent space of the data: its Jacobian counts dimensions. */
export const manifoldRank: Reproduction = {
  name: 'manifold-rank',
  title: 'At small noise the Jacobian has as many eigenvalues near 1 as the data have dimensions',
  source: PAPER,
  async run(size, { seed, signal, onProgress }): Promise<ReproductionResult> {
    const n = 48;
    const dimensions = size === 'full' ? [1, 3, 5, 8, 16] : [3, 5];
    const count = size === 'full' ? 2000 : 200;
    const low = 0.01;
    const grid = Array.from({ length: 13 }, (_, i) => 10 ** (1 - i / 4));
    const claims: ClaimResult[] = [];
    const spectra: { d: number; values: number[] }[] = [];
    const errors: { d: number; sigmas: number[]; mse: number[] }[] = [];
    for (const [done, d] of dimensions.entries()) {
      const mixture = randomMixture({ n, ranks: [d], variances: [1], seed: seed + d });
      await using denoiser = lowRankMixtureDenoiser({ name: `d = ${d}`, mixture });
      const { x } = sampleMixture(mixture, randomKey(seed, 'manifold', d), count);
      const mse: number[] = [];
      for (const sigma of grid) {
        const z = normal(randomKey(seed, 'manifold-noise', d), x.shape);
        const y = { ...z, data: z.data.map((v, i) => (x.data[i] as number) + sigma * v) };
        const out = castFloat(await denoiser.denoise(y, sigma), 'float64').data;
        mse.push(out.reduce((s, v, i) => s + (v - (x.data[i] as number)) ** 2, 0) / count);
      }
      const values = singularValues(await computeJacobian(denoiser.linearize(row(x, 0), low), { signal }));
      spectra.push({ d, values: [...values] });
      errors.push({ d, sigmas: grid, mse });
      // Eigenvalues are 1 / (1 + sigma^2) = 1 - 1e-4 inside and 0 outside.
      claims.push(
        near(`d = ${d}: eigenvalues above 0.99 at sigma 0.01`, values.filter((v) => v > 0.99).length, d, 0, PAPER),
        between(`d = ${d}: the largest of the others`, values[d] as number, 0, 1e-12, PAPER),
      );
      claims.push(...errorClaims(d, grid, mse, count));
      onProgress?.(done + 1, dimensions.length);
    }
    return {
      claims,
      figures: { error: errorFigure(errors) },
      values: { n, dimensions, samples: count, spectra, errors },
      notes: [
        'Data lie on a random linear subspace, with unit variance inside it; the paper uses images of discs, a curved manifold.',
      ],
    };
  },
};

function errorClaims(d: number, sigmas: readonly number[], mse: readonly number[], count: number): ClaimResult[] {
  const last = sigmas.length - 1;
  const sigma = sigmas[last] as number;
  const slope = Math.log((mse[last - 4] as number) / (mse[last] as number)) / (2 * Math.log(10));
  // The mean of d count squares of normal numbers has a relative standard deviation of sqrt(2 / (d count)).
  const tolerance = 4 * Math.sqrt(2 / (d * count));
  return [
    near(
      `d = ${d}: squared error over d sigma^2 at sigma ${sigma.toPrecision(2)}`,
      (mse[last] as number) / (d * sigma ** 2),
      1,
      tolerance,
      PAPER,
    ),
    near(`d = ${d}: slope of the PSNR curve at small noise`, slope, 1, 0.02, PAPER),
  ];
}

function errorFigure(errors: readonly { d: number; sigmas: number[]; mse: number[] }[]): CurveFigure {
  return {
    kind: 'curves',
    title: 'Squared error of the denoiser of d-dimensional data against noise',
    xLabel: 'noise level σ',
    yLabel: 'squared error of a sample',
    xScale: 'log',
    yScale: 'log',
    curves: errors.flatMap(({ d, sigmas, mse }) => {
      const small = sigmas.filter((s) => s <= 1);
      return [
        { name: `d = ${d}`, x: sigmas, y: mse, style: 'line' as const },
        { name: `d = ${d}, d σ²`, x: small, y: small.map((s) => d * s * s), style: 'dashed' as const },
      ];
    }),
  };
}
