import { describe, expect, it } from 'vitest';
import { empiricalDenoiser } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { linearDenoiser } from '../denoisers/linear-denoiser.ts';
import { endAtZero, karrasGrid } from '../diffusion/noise-grid.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { sampleFrom } from '../samplers/sample.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor } from '../tensor/tensor.ts';
import { compareBases, leadingBasis } from './alignment.ts';
import { compareOutputs } from './gaussianity.ts';
import { measureSure } from './sure.ts';
import { gaussianFlow, teleport } from './teleport.ts';

const basis = orthonormalRows(normal(randomKey(41, 'basis'), [5, 5])).q;
const mean = normal(randomKey(41, 'mean'), [5]).data;
const eigen = { values: Float64Array.of(10, 1, 0.1), vectors: slice(basis, 0, 3) };

describe('compareBases()', () => {
  it('compareBases() of a basis turned by an angle in a plane gives that angle', () => {
    const angle = 0.3;
    const turned = tensor('float64', [2, 5], new Float64Array(10));
    for (let j = 0; j < 5; j++) {
      turned.data[j] = basis.data[j] as number;
      turned.data[5 + j] =
        Math.cos(angle) * (basis.data[5 + j] as number) + Math.sin(angle) * (basis.data[10 + j] as number);
    }
    const found = compareBases(turned, slice(basis, 0, 2));
    const wanted = {
      overlaps: [1, Math.cos(angle)],
      sines: [0, Math.sin(angle)],
      inSpan: [1, Math.cos(angle) ** 2],
      principalSines: [0, Math.sin(angle)],
    };
    for (const [name, values] of Object.entries(wanted)) {
      values.forEach((v, i) => expect(found[name as keyof typeof wanted][i]).toBeCloseTo(v, 13));
    }
  });

  it('compareBases() of two vectors in the other order finds equal spans and no match by index', () => {
    const swapped = tensor('float64', [2, 5], Float64Array.of(...basis.data.slice(5, 10), ...basis.data.slice(0, 5)));
    const { overlaps, sines, inSpan, principalSines } = compareBases(swapped, slice(basis, 0, 2));
    expect(Math.max(...overlaps, ...principalSines)).toBeLessThan(1e-14);
    expect(Math.min(...sines, ...inSpan)).toBeGreaterThan(1 - 1e-14);
  });
});

describe('leadingBasis()', () => {
  it('leadingBasis() tells left, right and symmetrised apart on an operator that is not symmetric', async () => {
    // J = 3 b0 b1^T: left b0, right b1, symmetric part 1.5 (b0 b1^T + b1 b0^T) with eigenvectors (b0 +- b1) / sqrt 2
    const [b0, b1] = [basis.data.subarray(0, 5), basis.data.subarray(5, 10)];
    const data = Float64Array.from(
      { length: 25 },
      (_, i) => 3 * (b0[Math.floor(i / 5)] as number) * (b1[i % 5] as number),
    );
    const weight = tensor('float64', [5, 5], data);
    await using denoiser = linearDenoiser({ name: 'J', sampleShape: [5], at: () => ({ weight, bias: mean }) });
    const op = denoiser.linearize(tensor('float64', [5], mean), 1);
    const alone = { rank: 1, seed: 1 };
    const left = await leadingBasis(op, { ...alone, kind: 'left' });
    const right = await leadingBasis(op, { ...alone, kind: 'right' });
    expect(left.values[0]).toBeCloseTo(3, 12);
    expect(compareBases(left.vectors, slice(basis, 0, 1)).overlaps[0]).toBeCloseTo(1, 12);
    expect(compareBases(right.vectors, slice(basis, 1, 2)).overlaps[0]).toBeCloseTo(1, 12);
    const both = await leadingBasis(op, { rank: 2, seed: 1, kind: 'symmetrised' });
    both.values.forEach((v) => expect(v).toBeCloseTo(1.5, 12));
    compareBases(both.vectors, slice(basis, 0, 2)).principalSines.forEach((s) => expect(s).toBeLessThan(1e-7));
  });
});

describe('compareOutputs()', () => {
  it('compareOutputs() gives 1 for equal outputs and the numbers of its definition otherwise', () => {
    const of = (...values: number[]) => tensor('float64', [2, 2], Float64Array.from(values));
    const [x, net, model] = [of(1, 1, 0, 2), of(0, 1, 1, 0), of(0, 0, 1, 1)];
    expect(compareOutputs(x, net, net)).toEqual({ rmse: 0, scoreVariance: 1, denoiserVariance: 1 });
    // missed 1 and 1; |net - x|^2 is 1 and 5; |net|^2 is 1 and 1
    const found = compareOutputs(x, net, model);
    expect(found.rmse).toBeCloseTo(Math.SQRT1_2, 14);
    expect(found.scoreVariance).toBeCloseTo((0 + 0.8) / 2, 14);
    expect(found.denoiserVariance).toBeCloseTo(0, 14);
    expect(() => compareOutputs(x, net, normal(randomKey(1), [2, 3]))).toThrow(ShapeError);
  });
});

describe('gaussianFlow()', () => {
  it('gaussianFlow() of two parts is the flow of the whole, and back again is nothing', () => {
    const x = normal(randomKey(42, 'x'), [3, 5]);
    const gaussian = { mean, eigen };
    const once = gaussianFlow(gaussian, x, 80, 0.3);
    const twice = gaussianFlow(gaussian, gaussianFlow(gaussian, x, 80, 2), 2, 0.3);
    const back = gaussianFlow(gaussian, once, 0.3, 80);
    once.data.forEach((v, i) => expect(Math.abs(v - (twice.data[i] as number))).toBeLessThan(1e-14));
    // the way back multiplies rounding by up to 80 / 0.3
    back.data.forEach((v, i) => expect(Math.abs(v - (x.data[i] as number))).toBeLessThan(1e-12));
  });

  it('gaussianFlow() is what Heun tends to, with error of order 2', async () => {
    await using denoiser = gaussianDenoiser({ name: 'g', sampleShape: [5], mean, eigen });
    const x = normal(randomKey(43, 'x'), [1, 5]);
    const exact = gaussianFlow({ mean, eigen }, x, 80, 0.002);
    const errors = [];
    for (const steps of [50, 100, 200]) {
      const { x: found } = await sampleFrom(denoiser, x, { grid: karrasGrid({ steps }) });
      errors.push(Math.hypot(...found.data.map((v, i) => v - (exact.data[i] as number))));
    }
    const [a = 0, b = 0, c = 0] = errors;
    for (const order of [Math.log2(a / b), Math.log2(b / c)]) expect(Math.abs(order - 2)).toBeLessThan(0.3);
  });

  it('gaussianFlow() refuses levels and shapes that are none', () => {
    const x = normal(randomKey(1), [2, 5]);
    expect(() => gaussianFlow({ mean, eigen }, x, 0, 1)).toThrow(DomainError);
    expect(() => gaussianFlow({ mean, eigen }, x, 1, NaN)).toThrow(DomainError);
    expect(() => gaussianFlow({ mean, eigen }, normal(randomKey(1), [2, 4]), 2, 1)).toThrow(ShapeError);
  });
});

describe('teleport()', () => {
  it('teleport() on Gaussian data lands where the whole flow goes, wherever it skips to', async () => {
    await using denoiser = gaussianDenoiser({ name: 'g', sampleShape: [5], mean, eigen });
    const z = normal(randomKey(44, 'x'), [4, 5]);
    const x = { ...z, data: z.data.map((v) => 80 * v) };
    const grid = endAtZero(karrasGrid({ steps: 300 }));
    const full = await sampleFrom(denoiser, x, { grid });
    for (const at of [100, 200, 299]) {
      const { x: found, skipped } = await teleport(denoiser, { mean, eigen }, x, { grid, skip: grid[at] as number });
      expect(skipped).toBe(at);
      // Heun's own error on 300 steps is about 2e-4 of a scale of 3
      found.data.forEach((v, i) => expect(Math.abs(v - (full.x.data[i] as number))).toBeLessThan(2e-3));
    }
    await expect(teleport(denoiser, { mean, eigen }, x, { grid, skip: 7.77 })).rejects.toThrow(DomainError);
    await expect(teleport(denoiser, { mean, eigen }, x, { grid, skip: 0 })).rejects.toThrow(DomainError);
  });
});

describe('measureSure()', () => {
  it('measureSure() agrees with the true error of a denoiser, also one that is wrong for its data', async () => {
    const points = normal(randomKey(45, 'points'), [6, 5]);
    const clean = { ...normal(randomKey(45, 'c'), [400, 5]) };
    for (let i = 0; i < clean.data.length; i++) clean.data[i] = points.data[i % 30] as number;
    await using right = empiricalDenoiser({ name: 'right', points });
    await using wrong = gaussianDenoiser({ name: 'wrong', sampleShape: [5], mean, eigen });
    for (const denoiser of [right, wrong]) {
      for (const sigma of [1, 2]) {
        const { sure, mse, standardError } = await measureSure(denoiser, clean, sigma, { seed: 1, probes: 0 });
        expect(Math.abs(sure - mse)).toBeLessThan(3.5 * standardError);
        expect(standardError).toBeLessThan(0.2 * mse);
      }
    }
  });

  it('measureSure() has sigma^2 tr J = error for the exact posterior mean and not for another', async () => {
    const coefficients = normal(randomKey(46, 'a'), [2000, 3]);
    const clean = tensor('float64', [2000, 5], new Float64Array(10_000));
    for (let n = 0; n < 2000; n++) {
      for (let j = 0; j < 5; j++) {
        let sum = mean[j] as number;
        for (let i = 0; i < 3; i++) {
          const scale = Math.sqrt(eigen.values[i] as number);
          sum += scale * (coefficients.data[n * 3 + i] as number) * (eigen.vectors.data[i * 5 + j] as number);
        }
        clean.data[n * 5 + j] = sum;
      }
    }
    await using exact = gaussianDenoiser({ name: 'exact', sampleShape: [5], mean, eigen });
    const narrow = { ...eigen, values: eigen.values.map((l) => l / 10) };
    await using other = gaussianDenoiser({ name: 'other', sampleShape: [5], mean, eigen: narrow });
    const good = await measureSure(exact, clean, 1, { seed: 2, probes: 4 });
    const bad = await measureSure(other, clean, 1, { seed: 2, probes: 4 });
    // 2000 errors of relative spread about 1: 2 % each
    expect(Math.abs(good.optimal / good.mse - 1)).toBeLessThan(0.08);
    expect(Math.abs(bad.optimal / bad.mse - 1)).toBeGreaterThan(0.2);
  });
});
