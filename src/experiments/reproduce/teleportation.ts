import { gaussianFlow, teleport } from '../../analysis/teleport.ts';
import type { GaussianMoments } from '../../analysis/teleport.ts';
import type { Denoiser } from '../../denoisers/denoiser.ts';
import { gaussianDenoiser } from '../../denoisers/gaussian.ts';
import { endAtZero, karrasGrid } from '../../diffusion/noise-grid.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { sampleFrom } from '../../samplers/sample.ts';
import { latents, normal, randomKey } from '../../tensor/random.ts';
import { castFloat, slice } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { dataMoments } from '../data-moments.ts';
import { openDenoiser } from '../models.ts';
import type { CurveFigure, PlainFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'Wang and Vastola, arXiv 2412.09726, analytical teleportation';
const TOP = 80;

/** The first steps of sampling in closed form: exact on Gaussian data, harmless for a network. */
export const teleportation: Reproduction = {
  name: 'teleportation',
  title: 'Early steps of sampling can be skipped in closed form',
  source: PAPER,
  async run(size, context): Promise<ReproductionResult> {
    const exact = await onGaussian(size === 'full' ? 200 : 60, context);
    const deep = size === 'full' ? await onNetwork(context) : undefined;
    return {
      claims: [...exact.claims, ...(deep?.claims ?? [])],
      ...(deep && { figures: deep.figures }),
      values: { gaussian: exact.values, ...(deep && { fashion: deep.values }) },
      notes: [
        'The paper counts FID on CIFAR-10 (1.93 when 15 to 30 % of the steps are skipped); here the distance to the unskipped samples of the shipped network is measured.',
        'The shipped network is small and was trained mostly at low noise: above sigma 20 it is 0.1 to 0.3 (rms a pixel) away from the Gaussian denoiser, which the change of its samples shows.',
        ...(deep ? [] : ['The tiny version leaves the network out.']),
      ],
    };
  },
};

async function onGaussian(
  steps: number,
  { seed, signal }: TopicContext,
): Promise<Pick<ReproductionResult, 'claims' | 'values'>> {
  const n = 12;
  const vectors = slice(orthonormalRows(normal(randomKey(seed, 'teleport'), [n, n])).q, 0, 8);
  const values = Float64Array.from({ length: 8 }, (_, i) => 10 * 0.5 ** i);
  const gaussian = { mean: normal(randomKey(seed, 'teleport-mean'), [n]).data, eigen: { values, vectors } };
  await using denoiser = gaussianDenoiser({ name: 'gaussian', sampleShape: [n], ...gaussian });
  const x = startAt(seed, 8, [n]);
  const whole = gaussianFlow(gaussian, x, TOP, 0);
  let worst = 0;
  for (const sigma of [40, 10, 1, 0.1, 0.002]) {
    const parts = gaussianFlow(gaussian, gaussianFlow(gaussian, x, TOP, sigma), sigma, 0);
    worst = Math.max(worst, relativeGap(parts, whole));
  }
  // The sampler's own error is of order 2 in the steps, skipped or not.
  const orders: number[] = [];
  for (const share of [0.25, 0.5]) {
    const errors: number[] = [];
    for (const count of [steps, 2 * steps]) {
      const grid = endAtZero(karrasGrid({ steps: count }));
      const skip = grid[Math.round(share * count)] as number;
      const { x: found } = await teleport(denoiser, gaussian, x, { grid, skip, ...(signal && { signal }) });
      errors.push(relativeGap(found, whole));
    }
    orders.push(Math.log2((errors[0] as number) / (errors[1] as number)));
  }
  return {
    claims: [
      between('Gaussian data: closed form in two parts against one, relative', worst, 0, 1e-12, `${PAPER}, derived`),
      ...orders.map((order, i) =>
        between(
          `Gaussian data: order at which a sampler after skipping ${[25, 50][i]} % reaches the closed form`,
          order,
          1.5,
          2.5,
          'derived',
          '2, of Heun',
        ),
      ),
    ],
    values: { n, steps, worst, orders },
  };
}

/** Distances between samples of the shipped network with and without the first steps. */
async function onNetwork(context: TopicContext): Promise<{
  claims: ClaimResult[];
  figures: Record<string, PlainFigure>;
  values: unknown;
}> {
  const model = await openDenoiser('fashion', { signal: context.signal });
  await using denoiser = model.denoiser;
  const gaussian = await dataMoments(model.train ?? model.heldout, context.signal);
  const isotropic = isotropicOf(gaussian);
  const grid = endAtZero(karrasGrid({ steps: 18 }));
  const x = startAt(context.seed, 16, denoiser.sampleShape);
  const full = (await sampleFrom(denoiser, x, { grid })).x;
  const samples = [{ caption: 'all steps', x: full }];
  const rows: { skip: number; skipped: number; gaussian: number; isotropic: number }[] = [];
  for (const at of [2, 3, 4, 5, 6, 8, 10, 12]) {
    const skip = grid[at] as number;
    const found = await jump(denoiser, gaussian, x, grid, skip, context);
    const control = await jump(denoiser, isotropic, x, grid, skip, context);
    rows.push({ skip, skipped: at, gaussian: distance(found, full), isotropic: distance(control, full) });
    if (at % 4 === 0) samples.push({ caption: `from σ ${skip.toPrecision(2)}`, x: found });
    context.onProgress?.(rows.length, 8);
  }
  const spread = distance(full, rolled(full));
  const change = (steps: number): number => (rows.find((r) => r.skipped === steps)?.gaussian ?? Infinity) / spread;
  const best = Math.max(...rows.filter((r) => r.skip < 10).map((r) => r.gaussian / r.isotropic));
  const { low, high } = model.heldout.range;
  return {
    claims: [
      between(
        'fashion: rms change of samples, 3 of 18 steps skipped, over the distance between samples',
        change(3),
        0,
        0.1,
        PAPER,
        'small: 15 to 30 % of the steps cost nothing',
      ),
      between('fashion: the same, 6 of 18 steps skipped', change(6), 0, 0.25, PAPER, 'growing slowly'),
      between(
        'fashion: that change over the one with a Gaussian without directions, at worst below sigma 10',
        best,
        0,
        1,
        PAPER,
        'below 1: the covariance helps',
      ),
    ],
    figures: {
      distance: distanceFigure(rows, spread),
      samples: {
        kind: 'images',
        title: 'The same noise, more and more of the way in closed form',
        shape: denoiser.sampleShape as [number, number, number],
        range: [low, high],
        rows: samples.map(({ caption, x: own }) => ({ caption, images: imagesOf(own, 8) })),
      },
    },
    values: { steps: 18, spread, rows },
  };
}

async function jump(
  denoiser: Denoiser,
  gaussian: GaussianMoments,
  x: FloatTensor,
  grid: Float64Array,
  skip: number,
  { signal }: TopicContext,
): Promise<FloatTensor> {
  return (await teleport(denoiser, gaussian, x, { grid, skip, ...(signal && { signal }) })).x;
}

/** The Gaussian of the same mean and total variance that knows no direction. */
function isotropicOf({ mean, eigen }: GaussianMoments): GaussianMoments {
  const average = eigen.values.reduce((s, l) => s + Math.max(0, l), 0) / mean.length;
  return { mean, eigen: { ...eigen, values: eigen.values.map(() => average) } };
}

function startAt(seed: number, count: number, shape: readonly number[]): Tensor<'float64'> {
  const z = latents(Array.from({ length: count }, (_, i) => seed + i), shape); // prettier-ignore
  return { ...z, data: z.data.map((v) => TOP * v) };
}

function relativeGap(a: FloatTensor, b: FloatTensor): number {
  const scale = castFloat(b, 'float64').data.reduce((s, v) => s + v * v, 0) / b.data.length;
  return distance(a, b) / Math.sqrt(scale);
}

/** Root of the mean squared difference of a coordinate. */
function distance(a: FloatTensor, b: FloatTensor): number {
  const squares = castFloat(a, 'float64').data.reduce((s, v, i) => s + (v - (b.data[i] as number)) ** 2, 0);
  return Math.sqrt(squares / a.data.length);
}

/** The samples in another order, to compare each with another one. */
function rolled(x: FloatTensor): FloatTensor {
  const size = x.data.length / (x.shape[0] as number);
  return { ...x, data: x.data.map((_, i) => x.data[(i + size) % x.data.length] as number) } as FloatTensor;
}

function imagesOf(x: FloatTensor, count: number): ArrayLike<number>[] {
  const size = x.data.length / (x.shape[0] as number);
  return Array.from({ length: count }, (_, b) => x.data.subarray(b * size, (b + 1) * size));
}

function distanceFigure(
  rows: readonly { skip: number; gaussian: number; isotropic: number }[],
  spread: number,
): CurveFigure {
  const x = rows.map((r) => r.skip);
  return {
    kind: 'curves',
    title: 'Change of the final samples when the first steps are taken in closed form',
    xLabel: 'noise level σ that is skipped to',
    yLabel: 'rms change of a pixel',
    xScale: 'log',
    yScale: 'log',
    curves: [
      { name: 'mean and covariance', x, y: rows.map((r) => r.gaussian), style: 'points' },
      { name: 'mean and total variance', x, y: rows.map((r) => r.isotropic), style: 'points' },
      { name: 'distance between samples', x, y: x.map(() => spread), style: 'dashed' },
    ],
  };
}
