import { gaussianDenoiser } from '../../denoisers/gaussian.ts';
import { endAtZero, karrasGrid } from '../../diffusion/noise-grid.ts';
import { sampleFrom } from '../../samplers/sample.ts';
import { tensor } from '../../tensor/tensor.ts';
import { flowGain, flowVariance, telescopedVariance } from '../../theory/linear-gains.ts';
import type { CurveFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const FLOW = 'arXiv 2410.24060, probability flow of the Gaussian denoiser';
const GRID = 'arXiv 2410.24060, ten EDM steps; Karras et al. 2022, eq. 5';
const SPECTRUM = [10, 1, 0.1, 0.001];
const TOP = 80;

/** The ordinary sampler gives the whole Gaussian back: closed form of its flow against Heun's rule on the EDM grid. */
export const probabilityFlow: Reproduction = {
  name: 'probability-flow',
  title: 'The probability flow of a Gaussian does not collapse',
  source: 'arXiv 2410.24060, section 3; arXiv 2206.00364',
  async run(size, context): Promise<ReproductionResult> {
    const counts = size === 'full' ? [10, 18, 35, 50, 100, 200] : [18, 100];
    const ends: number[][] = [];
    for (const steps of counts) ends.push(await heunEnd(steps, context));
    const exact = SPECTRUM.map((variance) => TOP * flowGain(variance, TOP));
    const [at18 = [], at100 = []] = [18, 100].map((steps) => ends[counts.indexOf(steps)]);
    return {
      claims: [...tableClaims(at18, exact), ...gridClaims(), ...varianceClaims(at100, exact)],
      figures: { spectrum: spectrumFigure(), convergence: convergenceFigure(counts, ends, exact) },
      values: { spectrum: SPECTRUM, steps: counts, heun: ends, exact },
      notes: [
        'Every coefficient starts at sigma 80 (one standard deviation); the table is of the first n - 1 steps to sigma 0.002 and one to 0.',
        'The ten noise levels are printed with their digits cut off, not rounded (4.06 for 4.0661).',
      ],
    };
  },
};

/** Coefficients after Heun's rule on the EDM grid, started at one standard deviation of the highest noise. */
async function heunEnd(steps: number, { signal }: TopicContext): Promise<number[]> {
  const n = SPECTRUM.length;
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * (n + 1)] = 1;
  await using denoiser = gaussianDenoiser({
    name: 'four variances',
    sampleShape: [n],
    mean: new Float64Array(n),
    eigen: { values: Float64Array.from(SPECTRUM), vectors: tensor('float64', [n, n], identity) },
  });
  const start = tensor('float64', [1, n], new Float64Array(n).fill(TOP));
  const grid = endAtZero(karrasGrid({ steps }));
  const { x } = await sampleFrom(denoiser, start, { grid, ...(signal && { signal }) });
  return [...x.data];
}

function tableClaims(found: readonly number[], exact: readonly number[]): ClaimResult[] {
  const heun = [3.26, 1.045, 0.336, 0.0356];
  const closed = [3.16, 1, 0.316, 0.0316];
  return SPECTRUM.flatMap((variance, i) => {
    // Half a unit of the last printed digit, and the rounding of the digit before where the table drops a zero.
    const digit = i < 3 ? 6e-4 : 6e-5;
    return [
      near(`variance ${variance}: Heun, 18 steps, end`, found[i] as number, heun[i] as number, digit, FLOW),
      near(`variance ${variance}: closed form, end`, exact[i] as number, closed[i] as number, digit, FLOW),
    ];
  });
}

function gridClaims(): ClaimResult[] {
  // As printed, cut off after their last digit and not rounded: 4.0661 stands as 4.06.
  const printed = ['80', '42.415', '21.108', '9.723', '4.06', '1.501', '0.469', '0.116', '0.020', '0.002'];
  const grid = karrasGrid({ steps: 10 });
  const agreeing = printed.filter((text, i) => {
    const unit = 10 ** (text.split('.')[1]?.length ?? 0);
    return Math.floor((grid[i] as number) * unit) / unit === Number(text);
  });
  return [near('EDM noise levels of ten steps that agree with those printed', agreeing.length, 10, 0, GRID)];
}

function varianceClaims(found: readonly number[], exact: readonly number[]): ClaimResult[] {
  const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x / (exact[i] as number) - 1)), 0);
  const kept = flowVariance(10, TOP) / 10;
  return [
    between('Heun, 100 steps, largest relative difference from the closed form', worst, 0, 0.002, FLOW),
    near('final variance lam S / (lam + S) over lam, lam 10', kept, 1, 0.002, FLOW),
  ];
}

function spectrumFigure(): CurveFigure {
  const x = Array.from({ length: 81 }, (_, i) => 10 ** (-3 + i / 20));
  const data = (name: string, y: number[], style: 'line' | 'dashed'): CurveFigure['curves'][number] => ({
    ...{ name, x, y, style },
  });
  const top = flowVariance(10, TOP);
  const sharp = telescopedVariance(10, TOP);
  return {
    kind: 'curves',
    title: 'Output variance against data variance, relative to variance 10',
    xLabel: 'variance of the data along a direction',
    yLabel: 'variance of the output',
    xScale: 'log',
    yScale: 'log',
    curves: [
      data(
        'probability flow',
        x.map((lam) => flowVariance(lam, TOP) / top),
        'line',
      ),
      data(
        'product of linear steps',
        x.map((lam) => telescopedVariance(lam, TOP) / sharp),
        'line',
      ),
      // Last, to be seen above the flow that lies on it.
      data(
        'data',
        x.map((lam) => lam / 10),
        'dashed',
      ),
    ],
  };
}

function convergenceFigure(
  counts: readonly number[],
  ends: readonly (readonly number[])[],
  exact: readonly number[],
): CurveFigure {
  return {
    kind: 'curves',
    title: "Heun's rule on the EDM grid against the closed form",
    xLabel: 'steps',
    yLabel: 'relative error at the end',
    xScale: 'log',
    yScale: 'log',
    curves: SPECTRUM.map((variance, i) => ({
      name: `variance ${variance}`,
      x: counts,
      y: ends.map((end) => Math.abs((end[i] as number) / (exact[i] as number) - 1)),
      style: 'points',
    })),
  };
}
