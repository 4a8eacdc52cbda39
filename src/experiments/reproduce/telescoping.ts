import { eigh } from '../../linalg/eigh.ts';
import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { logGrid } from '../../diffusion/noise-grid.ts';
import { telescopedVariance } from '../../theory/linear-gains.ts';
import { outputCovariance, reverseProducts } from '../../theory/linear-reverse.ts';
import { between, near } from './reproduction.ts';
import type { Reproduction, ReproductionResult } from './reproduction.ts';

const SOURCE = 'derived: exact identity of the population denoisers';
const STEPS = 12;

/** The exact linear steps x_t -> x_(t-1) multiply to one Wiener filter: sharper by a fixed power, never of rank one. */
export const telescoping: Reproduction = {
  name: 'telescoping',
  title: 'The product of the exact linear steps is one Wiener filter',
  source: 'sequential linear denoisers as in arXiv 2410.14730',
  async run(size, { seed }): Promise<ReproductionResult> {
    const p = size === 'full' ? 64 : 12;
    const spectrum = Float64Array.from({ length: p }, (_, i) => 10 * 0.7 ** i);
    const basis = orthonormalRows(normal(randomKey(seed, 'telescoping'), [p, p])).q;
    const sigmas = logGrid({ steps: STEPS, sigmaMin: 0.1, sigmaMax: 50 });
    // P_1 leads to no noise at all, P_T comes from the highest noise.
    const noise = [0, ...Array.from(sigmas).reverse()].map((sigma) => sigma * sigma);
    const steps = noise
      .slice(1)
      .map((high, k) => onSpectrum(basis, spectrum, (lam) => (lam + (noise[k] as number)) / (lam + high)));
    const top = noise[STEPS] as number;
    const products = reverseProducts(steps);
    const wiener = onSpectrum(basis, spectrum, (lam) => lam / (lam + top));
    const gap = largestGap(products[STEPS - 1] as Tensor<'float64'>, wiener);
    const { covariance } = outputCovariance(
      steps,
      noise.slice(1).map((s) => (s === top ? s : 0)),
    );
    const found = eigh(covariance).values;
    const expected = spectrum.map((lam) => telescopedVariance(lam, 50));
    const worst = expected.reduce(
      (most, v, i) => Math.max(most, Math.abs(v - (found[i] as number)) / (expected[0] as number)),
      0,
    );
    return {
      claims: [
        between('largest element of P_1 ... P_T - Sigma_0 Sigma_T^-1', gap, 0, 1e-10, SOURCE),
        between('output variances against S lam^2 / (lam + S)^2, relative to the largest', worst, 0, 1e-10, SOURCE),
        near(
          'ratio of the two leading output variances over the square of that of the data',
          (found[0] as number) / (found[1] as number) / (10 / 7) ** 2,
          1,
          0.01,
          SOURCE,
        ),
      ],
      figures: {
        variances: {
          kind: 'curves',
          title: 'Exact linear steps sharpen the spectrum by a fixed power',
          xLabel: 'direction',
          yLabel: 'variance / variance of direction 1',
          yScale: 'log',
          curves: relativeCurves(spectrum, expected, found),
        },
      },
      values: { p, sigmas: [...sigmas], spectrum: [...spectrum], outputVariance: [...found], expected: [...expected] },
      notes: [
        'The schedule of the paper is unknown: 12 noise levels from 50 to 0.1, evenly spaced in their logarithm.',
      ],
    };
  },
};

function onSpectrum(basis: Tensor<'float64'>, spectrum: Float64Array, f: (lam: number) => number): Tensor<'float64'> {
  const p = spectrum.length;
  const weighted = basis.data.map((x, i) => x * f(spectrum[Math.floor(i / p)] as number));
  return matmul(basis, tensor('float64', [p, p], weighted), { transposeA: true });
}

function largestGap(a: Tensor<'float64'>, b: Tensor<'float64'>): number {
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - (b.data[i] as number))), 0);
}

function relativeCurves(
  spectrum: Float64Array,
  expected: Float64Array,
  found: Float64Array,
): { name: string; x: number[]; y: number[]; style: 'line' | 'points' | 'dashed' }[] {
  const x = Array.from(spectrum.subarray(0, 12), (_, i) => i + 1);
  const relative = (values: Float64Array): number[] => x.map((i) => (values[i - 1] as number) / (values[0] as number));
  return [
    { name: 'data', x, y: relative(spectrum), style: 'dashed' },
    { name: 'closed form', x, y: relative(expected), style: 'line' },
    { name: 'product of the steps', x, y: relative(found), style: 'points' },
  ];
}
