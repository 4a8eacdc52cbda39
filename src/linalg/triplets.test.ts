import { expect, test } from 'vitest';
import { CancelledError, DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { slice, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { principalAngles } from './angles.ts';
import {
  assemble,
  countingOperator,
  largestDifference,
  orthogonalityError,
  randomRows,
} from './known-spectrum.fixture.ts';
import type { LinearOperator } from './operator.ts';
import { svd } from './svd.ts';
import { leadingTriplets } from './triplets.ts';
import type { Triplets } from './triplets.ts';

const FLOAT32 = 2 ** -23;
const M = 150;
const N = 200;
const U = randomRows(M, M, 1);
const V = randomRows(M, N, 2);

function operatorWith(spectrum: (i: number) => number, epsilon?: number): ReturnType<typeof countingOperator> {
  return countingOperator(assemble(U, spectrumOf(spectrum), V), epsilon);
}

function spectrumOf(spectrum: (i: number) => number): Float64Array {
  return Float64Array.from({ length: M }, (_, i) => spectrum(i + 1));
}

function expectBounded(found: Triplets, exact: Float64Array): void {
  found.values.forEach((s, i) => {
    expect(Math.abs(s - (exact[i] as number))).toBeLessThanOrEqual(found.bound[i] as number);
  });
}

const spectra: Record<string, (i: number) => number> = {
  '1 / i': (i) => 1 / i,
  '0.8^i': (i) => 0.8 ** i,
  'i^-0.5': (i) => i ** -0.5,
};

test.each(Object.entries(spectra))(
  'leadingTriplets() finds the leading subspaces of spectrum %s',
  async (_, spectrum) => {
    for (const epsilon of [Number.EPSILON, FLOAT32]) {
      const op = operatorWith(spectrum, epsilon);
      const found = await leadingTriplets(op);
      expect(found.status).toBe('converged');
      // Block power iteration is still off by 0.56 on i^-0.5 after ten sweeps (theory.md D.3).
      expect(found.sweeps).toBeLessThanOrEqual(10);
      expect(op.products()).toBeLessThanOrEqual(found.sweeps * 24 + 8);
      // A subspace is at least as good as its last change, and no better than the products.
      expect(principalAngles(found.right, slice(V, 0, 8)).at(-1)).toBeLessThanOrEqual(1e-4);
      expect(principalAngles(found.left, slice(U, 0, 8)).at(-1)).toBeLessThanOrEqual(1e-4);
      expectBounded(found, spectrumOf(spectrum));
      expect(orthogonalityError(found.right)).toBeLessThanOrEqual(1e-12);
      expect(orthogonalityError(found.left)).toBeLessThanOrEqual(1e-12);
    }
  },
);

test('leadingTriplets() agrees with svd() in values, vectors and signs when asked for full precision', async () => {
  const a = assemble(
    U,
    spectrumOf((i) => 0.7 ** i),
    V,
  );
  const found = await leadingTriplets(countingOperator(a), { rank: 5, tolerance: 1e-13 });
  const exact = svd(a);
  expect(found.status).toBe('converged');
  expect(largestDifference(found.values, exact.values.subarray(0, 5))).toBeLessThanOrEqual(64 * Number.EPSILON);
  // Angles are residual over gap: 1e-13 over the smallest gap 0.05.
  expect(largestDifference(found.right.data, slice(exact.v, 0, 5).data)).toBeLessThanOrEqual(1e-11);
  expect(largestDifference(found.left.data, slice(exact.u, 0, 5).data)).toBeLessThanOrEqual(1e-11);
});

test('leadingTriplets() converges where a degenerate cluster crosses the cut', async () => {
  const cluster = (i: number): number => (i <= 5 ? 2 - i / 10 : i <= 15 ? 1 : 0.9 / i);
  const found = await leadingTriplets(operatorWith(cluster));
  expect(found.status).toBe('converged');
  // Were turns within the cluster taken for change, it would go on until nothing is left to add (ten sweeps).
  expect(found.sweeps).toBeLessThanOrEqual(6);
  expect(principalAngles(slice(found.right, 0, 5), slice(V, 0, 5)).at(-1)).toBeLessThanOrEqual(1e-4);
  // The other three lie in the ten-dimensional cluster, whichever three they are.
  expect(principalAngles(slice(found.right, 5, 8), slice(V, 5, 15)).at(-1)).toBeLessThanOrEqual(1e-3);
  expectBounded(found, spectrumOf(cluster));
});

test('leadingTriplets() ends in two sweeps from the exact leading vectors', async () => {
  for (const epsilon of [Number.EPSILON, FLOAT32]) {
    const op = operatorWith((i) => i ** -0.5, epsilon);
    const found = await leadingTriplets(op, { start: slice(V, 0, 8) });
    expect([found.status, found.sweeps]).toEqual(['converged', 2]);
    expect(principalAngles(found.right, slice(V, 0, 8)).at(-1)).toBeLessThanOrEqual(64 * epsilon);
  }
});

test('leadingTriplets() leaves an invariant subspace that does not lead', async () => {
  const found = await leadingTriplets(
    operatorWith((i) => 1 / i),
    { start: slice(V, 8, 20) },
  );
  expect(found.status).toBe('converged');
  expect(principalAngles(found.right, slice(V, 0, 8)).at(-1)).toBeLessThanOrEqual(1e-4);
});

test('leadingTriplets() is exact for rank-deficient, zero, small and full-rank problems', async () => {
  const deficient = (i: number): number => (i <= 3 ? 4 - i : 0);
  const found = await leadingTriplets(operatorWith(deficient));
  expect(found.status).toBe('converged');
  expectBounded(found, spectrumOf(deficient));
  const zero = await leadingTriplets(operatorWith(() => 0));
  expect([zero.status, Math.max(...zero.values), Math.max(...zero.bound)]).toEqual(['converged', 0, 0]);
  const small = await leadingTriplets(countingOperator(tensor('float64', [1, 1], new Float64Array([-2]))), { rank: 1 });
  expect([small.status, small.sweeps, [...small.values], [...small.left.data]]).toEqual(['converged', 1, [2], [-1]]);
  for (const [m, n] of [
    [9, 30],
    [30, 9],
  ] as const) {
    const a = assemble(
      randomRows(9, m, 5),
      spectrumOf((i) => i),
      randomRows(9, n, 6),
    );
    const all = await leadingTriplets(countingOperator(a), { rank: 9 });
    expect(all.status).toBe('converged');
    expect(largestDifference(all.values, [9, 8, 7, 6, 5, 4, 3, 2, 1])).toBeLessThanOrEqual(64 * 9 * Number.EPSILON);
  }
});

test('leadingTriplets() gives bounds that hold, whenever it is stopped', async () => {
  const spectrum = (i: number): number => 1 + 1 / i;
  for (let maxSweeps = 1; maxSweeps <= 8; maxSweeps++) {
    const found = await leadingTriplets(operatorWith(spectrum), { maxSweeps, tolerance: 1e-12 });
    expect([found.status, found.sweeps]).toEqual(['maxIterations', maxSweeps]);
    const exact = spectrumOf(spectrum);
    // Early on, s_i may stand near another value than the i-th: the bound is on the nearest.
    found.values.forEach((s, i) => {
      const nearest = Math.min(...exact.map((x) => Math.abs(x - s)));
      expect(nearest).toBeLessThanOrEqual(found.bound[i] as number);
      expect(s).toBeLessThanOrEqual((exact[i] as number) * (1 + 64 * Number.EPSILON));
    });
  }
});

test('leadingTriplets() converges through restarts', async () => {
  const spectrum = (i: number): number => 1 - i / 400;
  const found = await leadingTriplets(operatorWith(spectrum), {
    rank: 2,
    oversample: 2,
    tolerance: 1e-6,
    maxSweeps: 200,
  });
  expect(found.status).toBe('converged');
  expect(found.sweeps).toBeGreaterThan(6);
  expect(principalAngles(found.right, slice(V, 0, 2)).at(-1)).toBeLessThanOrEqual(1e-3);
});

test('leadingTriplets() says stagnated where the products are less exact than they claim', async () => {
  const honest = operatorWith((i) => 1 / i, FLOAT32);
  const found = await leadingTriplets({ ...honest, epsilon: Number.EPSILON }, { tolerance: 1e-12 });
  expect(found.status).toBe('stagnated');
  expect(Math.max(...found.residualRight)).toBeLessThanOrEqual(16 * FLOAT32);
});

test('leadingTriplets() says nonFinite and keeps the last finite triplets', async () => {
  const good = operatorWith((i) => 1 / i);
  const failingAfter = (calls: number): LinearOperator => ({
    ...good,
    apply: (v) => (calls-- > 0 ? good.apply(v) : Promise.resolve(spoiled(M, v.shape[0] as number))),
    applyTranspose: (u) => (calls-- > 0 ? good.applyTranspose(u) : Promise.resolve(spoiled(N, u.shape[0] as number))),
  });
  for (const calls of [0, 1]) {
    const none = await leadingTriplets(failingAfter(calls));
    expect(none.status).toBe('nonFinite');
    expect(none.values.every(Number.isNaN)).toBe(true);
  }
  for (const calls of [2, 3, 4]) {
    const some = await leadingTriplets(failingAfter(calls));
    expect(some.status).toBe('nonFinite');
    expect(some.values.every(Number.isFinite)).toBe(true);
    expect(some.residualRight.every(Number.isFinite)).toBe(true);
  }
});

function spoiled(n: number, k: number): Tensor<'float64'> {
  return tensor('float64', [k, n], new Float64Array(k * n).fill(NaN));
}

test('leadingTriplets() stops on abort and reports every sweep', async () => {
  const stop = new AbortController();
  const sweeps: number[] = [];
  const run = leadingTriplets(
    operatorWith((i) => i ** -0.5),
    {
      signal: stop.signal,
      onProgress: ({ sweep, residual }) => {
        sweeps.push(sweep);
        expect(residual).toBeGreaterThan(0);
        if (sweep === 2) stop.abort();
      },
    },
  );
  await expect(run).rejects.toThrow(CancelledError);
  expect(sweeps).toEqual([1, 2]);
});

test('leadingTriplets() gives the same bits for the same seed and the same triplets for another', async () => {
  const run = (seed: number): Promise<Triplets> =>
    leadingTriplets(
      operatorWith((i) => 0.8 ** i),
      { seed },
    );
  const first = await run(1);
  expect(await run(1)).toEqual(first);
  expect(largestDifference((await run(2)).right.data, first.right.data)).toBeLessThanOrEqual(1e-4);
});

test('leadingTriplets() refuses ranks and starts that do not fit', async () => {
  const op = operatorWith((i) => 1 / i);
  await expect(leadingTriplets(op, { rank: M + 1 })).rejects.toThrow(DomainError);
  await expect(leadingTriplets(op, { rank: 0 })).rejects.toThrow(DomainError);
  await expect(leadingTriplets(op, { maxSweeps: 0 })).rejects.toThrow(DomainError);
  await expect(leadingTriplets(op, { oversample: -1 })).rejects.toThrow(DomainError);
  await expect(leadingTriplets(op, { start: zeros('float64', [2, N + 1]) })).rejects.toThrow(ShapeError);
  await expect(leadingTriplets(op, { start: spoiled(N, 1) })).rejects.toThrow(NumericalError);
});
