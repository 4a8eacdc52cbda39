import { describe, expect, it } from 'vitest';

import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { endAtZero, karrasGrid } from '../diffusion/noise-grid.ts';
import { DomainError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { ancestral } from './ancestral.ts';
import { euler } from './euler.ts';
import { invert } from './invert.ts';
import { sampleFrom } from './sample.ts';

const VARIANCES = [4, 1, 0.25];

function gaussian(): ReturnType<typeof gaussianDenoiser> {
  const covariance = tensor('float64', [3, 3], Float64Array.from([4, 0, 0, 0, 1, 0, 0, 0, 0.25]));
  return gaussianDenoiser({
    name: 'gaussian',
    sampleShape: [3],
    mean: new Float64Array(3),
    eigen: eigh(covariance),
  });
}

const ascending = (steps: number, sigmaMin: number, sigmaMax: number): Float64Array =>
  karrasGrid({ steps, sigmaMin, sigmaMax }).reverse();

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
}

describe('invert()', () => {
  it('invert() follows the closed form of a Gaussian: x scales by sqrt((v + s1^2) / (v + s0^2)) a direction', async () => {
    await using denoiser = gaussian();
    const x = tensor('float64', [2, 3], Float64Array.of(1, -2, 0.5, 0.3, 0.7, -1));
    const errors = [];
    for (const steps of [11, 21, 41]) {
      const { x: up } = await invert(denoiser, x, { grid: ascending(steps, 0.01, 3) });
      const exact = x.data.map(
        (v, i) => v * Math.sqrt(((VARIANCES[i % 3] as number) + 9) / ((VARIANCES[i % 3] as number) + 1e-4)),
      );
      errors.push(Math.max(...up.data.map((v, i) => Math.abs(v - (exact[i] as number)))));
    }
    const [a = 0, b = 0, c = 0] = errors;
    expect(c).toBeLessThan(0.02);
    // Order 2: halving the step divides the error by about 4.
    for (const ratio of [a / b, b / c]) expect(Math.abs(ratio - 4)).toBeLessThan(0.8);
  });

  it('invert() and sampling back give the image again, better with every step', async () => {
    await using denoiser = gaussian();
    const x = tensor('float64', [1, 3], Float64Array.of(1, -2, 0.5));
    const errors = [];
    for (const steps of [8, 16, 32]) {
      const grid = ascending(steps, 0.002, 2);
      const { x: noisy } = await invert(denoiser, x, { grid });
      const { x: back } = await sampleFrom(denoiser, noisy, { grid: endAtZero(grid.slice().reverse()) });
      errors.push(Math.max(...back.data.map((v, i) => Math.abs(v - (x.data[i] as number)))));
    }
    expect(errors[1]).toBeLessThan((errors[0] as number) / 4);
    expect(errors[2]).toBeLessThan((errors[1] as number) / 4);
    expect(errors[2]).toBeLessThan(1e-3);
  });

  it('invert() refuses grids that do not ascend from above 0', async () => {
    await using denoiser = gaussian();
    const x = tensor('float64', [1, 3], new Float64Array(3));
    for (const grid of [[1], [2, 1], [0, 1], [1, Infinity], [1, NaN]]) {
      await expect(invert(denoiser, x, { grid: Float64Array.from(grid) })).rejects.toThrow(DomainError);
    }
  });
});

describe('ancestral()', () => {
  it('ancestral() keeps the variance of a Gaussian', async () => {
    const [n, variance] = [400, 2];
    const covariance = tensor('float64', [n, n], new Float64Array(n * n));
    for (let i = 0; i < n; i++) covariance.data[i * (n + 1)] = variance;
    const mean = new Float64Array(n);
    await using denoiser = gaussianDenoiser({ name: 'white', sampleShape: [n], mean, eigen: eigh(covariance) });
    const start = normal(randomKey(3, 'start'), [1, n]);
    start.data.forEach((v, i) => (start.data[i] = v * Math.sqrt(variance + 9)));
    const grid = karrasGrid({ steps: 60, sigmaMin: 0.05, sigmaMax: 3 });
    const { data } = castFloat((await sampleFrom(denoiser, start, { grid, solver: ancestral(7) })).x, 'float64');
    const ratio = dot(data, data) / n / (variance + 0.05 ** 2);
    // The mean of n squares is off by sqrt(2 / n) = 0.07; four of them, and the discretization.
    expect(Math.abs(ratio - 1)).toBeLessThan(0.32);
    // Deterministic sampling would give a cosine of 1: fresh noise has taken over.
    expect(dot(start.data, data) / Math.sqrt(dot(start.data, start.data) * dot(data, data))).toBeLessThan(0.6);
  });

  it('ancestral() gives the samples of a batch the same noise, and another seed other noise', async () => {
    await using denoiser = gaussian();
    const one = Float64Array.of(1, 2, 3);
    const x: FloatTensor = tensor('float64', [2, 3], Float64Array.of(...one, ...one));
    const grid = Float64Array.of(2, 1, 0.5);
    const { x: a } = await sampleFrom(denoiser, x, { grid, solver: ancestral(1) });
    const { x: b } = await sampleFrom(denoiser, x, { grid, solver: ancestral(2) });
    const { x: plain } = await sampleFrom(denoiser, x, { grid, solver: euler });
    expect([...a.data.slice(0, 3)]).toEqual([...a.data.slice(3)]);
    expect(a.data[0]).not.toBe(b.data[0]);
    expect(a.data[0]).not.toBe(plain.data[0]);
  });
});
