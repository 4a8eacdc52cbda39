import { describe, expect, it } from 'vitest';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { empiricalDenoiser } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { endAtZero, karrasGrid, logGrid } from '../diffusion/noise-grid.ts';
import { CancelledError, DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { latent, normal, randomKey } from '../tensor/random.ts';
import { castFloat, row, slice, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { euler } from './euler.ts';
import { heun } from './heun.ts';
import { sample, sampleFrom } from './sample.ts';
import type { SampleStep } from './sample.ts';

const identity = tensor(
  'float64',
  [4, 4],
  Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
);
const values = Float64Array.of(10, 1, 0.1, 0.001);
const mean = Float64Array.of(1, -2, 0, 0.5);

/** Gaussian with the variances 10, 1, 0.1, 0.001 along the axes. */
function gaussian(centre: Float64Array): Denoiser {
  return gaussianDenoiser({ name: 'axes', sampleShape: [4], mean: centre, eigen: { values, vectors: identity } });
}

/** Closed-form solution of the probability-flow equation (Li, Dai, Qu 2024, eq. of section 3). */
function solution(x: FloatTensor, sigma: number, sigmaEnd: number): Float64Array {
  return Float64Array.from(x.data, (v, i) => {
    const [l, m] = [values[i % 4] as number, mean[i % 4] as number];
    return m + Math.sqrt((sigmaEnd ** 2 + l) / (sigma ** 2 + l)) * (v - m);
  });
}

describe('sample()', () => {
  it.each([euler, heun])('sample() with $name has order $order on a Gaussian target', async (solver) => {
    await using denoiser = gaussian(mean);
    const x = normal(randomKey(1), [2, 4]);
    const steps = [32, 64, 128, 256, 512];
    const wanted = solution(x, 5, 0.05);
    const errors: number[] = [];
    for (const count of steps) {
      const grid = logGrid({ steps: count + 1, sigmaMin: 0.05, sigmaMax: 5 });
      const end = (await sampleFrom(denoiser, x, { grid, solver })).x;
      errors.push(Math.hypot(...wanted.map((v, i) => v - (end.data[i] as number))));
    }
    const slope = -regress(steps.map(Math.log), errors.map(Math.log));
    expect(Math.abs(slope - solver.order)).toBeLessThan(0.3);
  });

  it('sample() with 18 Heun steps overshoots as theory says, with 100 it is within 0.2%', async () => {
    await using denoiser = gaussian(new Float64Array(4));
    const start = zeros('float64', [1, 4]);
    start.data.fill(80); // one standard deviation of the noise along each axis: the result is the standard deviation
    const end = await sampleFrom(denoiser, start, { grid: endAtZero(karrasGrid({ steps: 18 })) });
    const known = [3.26, 1.045, 0.336, 0.0356]; // recomputed independently, to the digits given
    known.forEach((v, i) => expect(Math.abs((end.x.data[i] as number) / v - 1)).toBeLessThan(2e-3));
    const fine = await sampleFrom(denoiser, start, { grid: endAtZero(karrasGrid({ steps: 100 })) });
    values.forEach((l, i) => {
      expect(Math.abs((fine.x.data[i] as number) / Math.sqrt(l) - 1)).toBeLessThan(3e-3); // the last step to 0 adds 1e-3
    });
  });

  it('sample() with the empirical denoiser ends on training points, all of them reached', async () => {
    const points = normal(randomKey(2, 'points'), [5, 6]);
    await using denoiser = empiricalDenoiser({ name: 'five', points });
    const seeds = Array.from({ length: 40 }, (_, i) => i);
    const { x } = await sample(denoiser, { seeds, grid: endAtZero(karrasGrid({ steps: 18 })), solver: euler });
    const training = Array.from({ length: 5 }, (_, i) => [...row(points, i).data]);
    const reached = new Set<number>();
    for (let b = 0; b < 40; b++) {
      const own = [...row(x as Tensor, b).data];
      const match = training.findIndex((y) => y.every((v, j) => v === own[j]));
      expect(match).toBeGreaterThanOrEqual(0);
      reached.add(match);
    }
    expect(reached.size).toBe(5);
  });

  it('sample() starts a seed at grid[0] times its latent, whatever the other seeds and the batch size', async () => {
    await using denoiser = gaussian(mean);
    const grid = karrasGrid({ steps: 6 });
    const starts: FloatTensor[] = [];
    const onStep = ({ i, x }: SampleStep): void => void (i === 0 && starts.push(x));
    const all = (await sample(denoiser, { seeds: [3, 8, 5], grid, onStep })).x as Tensor<'float64'>;
    expect([...row(starts[0] as Tensor, 1).data]).toEqual([...latent(8, [4]).data].map((z) => 80 * z));
    const alone = (await sample(denoiser, { seeds: [8], grid })).x;
    expect([...alone.data]).toEqual([...row(all, 1).data]);
    const split = (await sample(denoiser, { seeds: [3, 8, 5], grid, batchSize: 2 })).x;
    expect([...split.data]).toEqual([...all.data]);
  });

  it('sample() calls its observer once a step with the state before it, and takes the step to 0 to D itself', async () => {
    await using denoiser = gaussian(mean);
    const grid = endAtZero(karrasGrid({ steps: 4 }));
    const seen: SampleStep[] = [];
    const { x } = await sample(denoiser, { seeds: [1, 2], grid, batchSize: 1, onStep: (step) => void seen.push(step) });
    expect(seen.map(({ i, steps, sigma, sigmaNext }) => [i, steps, sigma, sigmaNext])).toEqual(
      [0, 1, 2, 3].map((i) => [i, 4, grid[i], grid[i + 1]]),
    );
    for (const { x: state, sigma, denoised } of seen) {
      expect(state.shape).toEqual([2, 4]);
      expect([...denoised.data]).toEqual([...(await denoiser.denoise(state, sigma)).data]);
    }
    expect([...x.data]).toEqual([...(seen[3] as SampleStep).denoised.data]);
  });

  it('sample() waits for an observer that takes its time', async () => {
    await using denoiser = gaussian(mean);
    const order: string[] = [];
    const onStep = async ({ i }: SampleStep): Promise<void> => {
      order.push(`begin ${i}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      order.push(`end ${i}`);
    };
    await sample(denoiser, { seeds: [1], grid: karrasGrid({ steps: 3 }), onStep });
    expect(order).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  it('sample() calls a solver of two calls twice a step, save for the step to 0', async () => {
    await using inner = gaussian(mean);
    let calls = 0;
    const counting: Denoiser = { ...inner, denoise: (x, sigma) => (calls++, inner.denoise(x, sigma)) };
    await sample(counting, { seeds: [1], grid: endAtZero(karrasGrid({ steps: 18 })) });
    expect(calls).toBe(2 * 18 - 1);
  });

  it('sample() runs in the dtype of the denoiser', async () => {
    await using inner = gaussian(mean);
    const narrow: Denoiser = {
      ...inner,
      dtype: 'float32',
      denoise: async (x, sigma) => castFloat(await inner.denoise(x, sigma), 'float32'),
    };
    const grid = karrasGrid({ steps: 12 });
    const [a, b] = [await sample(narrow, { seeds: [1], grid }), await sample(inner, { seeds: [1], grid })];
    expect([a.x.dtype, b.x.dtype]).toEqual(['float32', 'float64']);
    a.x.data.forEach((v, i) => expect(Math.abs(v - (b.x.data[i] as number))).toBeLessThan(12 * 80 * 2 ** -23));
  });

  it('sample() stops between denoiser calls once its signal is aborted, also by a timer', async () => {
    await using denoiser = gaussian(mean);
    const abort = new AbortController();
    const grid = karrasGrid({ steps: 5000 });
    let last = 0;
    setTimeout(() => abort.abort(), 5);
    const run = sample(denoiser, { seeds: [1], grid, signal: abort.signal, onStep: ({ i }) => void (last = i) });
    await expect(run).rejects.toThrow(CancelledError);
    expect(last).toBeLessThan(4000);
  });

  it('sample() reports the step at which a denoiser leaves the finite numbers', async () => {
    await using inner = gaussian(mean);
    const broken: Denoiser = {
      ...inner,
      denoise: async (x, sigma) =>
        (sigma as number) < 1 ? ({ ...x, data: x.data.map(() => NaN) } as FloatTensor) : inner.denoise(x, sigma),
    };
    const grid = Float64Array.of(10, 2, 0.5, 0.1);
    await expect(sample(broken, { seeds: [1], grid, solver: euler })).rejects.toThrow(/step 2 from sigma 0.5/);
    await expect(sample(broken, { seeds: [1], grid, solver: euler })).rejects.toThrow(NumericalError);
  });

  it('sample() and sampleFrom() refuse grids, starts and sizes that make no sense', async () => {
    await using denoiser = gaussian(mean);
    const grid = karrasGrid({ steps: 3 });
    for (const bad of [[], [1], [1, 2], [1, 1], [2, 1, -1], [Infinity, 1], [1, NaN]]) {
      await expect(sample(denoiser, { seeds: [1], grid: Float64Array.from(bad) })).rejects.toThrow(DomainError);
    }
    await expect(sample(denoiser, { seeds: [], grid })).rejects.toThrow(ShapeError);
    await expect(sample(denoiser, { seeds: [1], grid, batchSize: 0 })).rejects.toThrow(DomainError);
    await expect(sampleFrom(denoiser, normal(randomKey(1), [2, 5]), { grid })).rejects.toThrow(ShapeError);
  });

  it('sampleFrom() leaves its start alone and continues where another run stopped', async () => {
    await using denoiser = gaussian(mean);
    const grid = karrasGrid({ steps: 10 });
    const x = normal(randomKey(5), [3, 4]);
    const copy = x.data.slice();
    const whole = await sampleFrom(denoiser, x, { grid });
    const half = await sampleFrom(denoiser, x, { grid: grid.slice(0, 5) });
    const rest = await sampleFrom(denoiser, half.x, { grid: grid.slice(4) });
    expect([...rest.x.data]).toEqual([...whole.x.data]);
    expect(x.data).toEqual(copy);
    expect(slice(x, 0, 1).shape).toEqual([1, 4]);
  });
});

/** Slope of the least-squares line. */
function regress(x: readonly number[], y: readonly number[]): number {
  const mx = x.reduce((a, b) => a + b, 0) / x.length;
  const my = y.reduce((a, b) => a + b, 0) / y.length;
  const covariance = x.reduce((sum, v, i) => sum + (v - mx) * ((y[i] as number) - my), 0);
  return covariance / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
}
