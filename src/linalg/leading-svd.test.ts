import { describe, expect, test } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { subspaceDistance } from './angles.ts';
import { matmul } from './matmul.ts';
import { orthonormalRows } from './qr.ts';
import { leadingSvd, singularValues, svd } from './svd.ts';

/** U^T diag(values) V for random orthonormal rows. */
function withValues(values: readonly number[], m: number, n: number): Tensor<'float64'> {
  const r = values.length;
  const u = orthonormalRows(normal(randomKey(1, 'u'), [r, m])).q;
  const v = orthonormalRows(normal(randomKey(1, 'v'), [r, n])).q;
  const scaled = tensor(
    'float64',
    [r, n],
    v.data.map((x, i) => x * (values[Math.floor(i / n)] as number)),
  );
  return matmul(u, scaled, { transposeA: true });
}

/** Largest |A^T A v - s^2 v| and |V V^T - I|, relative to the largest value. */
function defects(a: Tensor<'float64'>, values: Float64Array, v: Tensor<'float64'>): { residual: number; skew: number } {
  const [rank = 0, n = 0] = v.shape;
  const square = (values[0] as number) ** 2;
  const image = matmul(matmul(v, a, { transposeB: true }), a);
  const gram = matmul(v, v, { transposeB: true });
  let [residual, skew] = [0, 0];
  image.data.forEach((x, i) => {
    const expected = (values[Math.floor(i / n)] as number) ** 2 * (v.data[i] as number);
    residual = Math.max(residual, square === 0 ? Math.abs(x) : Math.abs(x - expected) / square);
  });
  gram.data.forEach((x, i) => (skew = Math.max(skew, Math.abs(x - (i % (rank + 1) === 0 ? 1 : 0)))));
  return { residual, skew };
}

const spread = Array.from({ length: 40 }, (_, i) => 0.8 ** i);
const cluster = Array.from({ length: 40 }, (_, i) => 1 - 1e-9 * i ** 2);

describe('leadingSvd()', () => {
  test.each([
    ['a falling spectrum', withValues(spread, 40, 40), 8],
    ['a tall matrix', withValues(spread.slice(0, 20), 50, 20), 20],
    ['a wide matrix', withValues(spread.slice(0, 20), 20, 50), 5],
    ['values that lie within 1e-9 of each other', withValues(cluster, 40, 40), 8],
    ['a projection, and more vectors than its rank', withValues([1, 1, 1], 30, 30), 8],
    ['the identity', identity(25), 6],
    ['a zero matrix', zeros('float64', [9, 9]), 3],
    ['one row', normal(randomKey(2), [1, 6]), 1],
    ['values near the end of the range', scaled(withValues(spread, 40, 40), 1e-300), 4],
  ])('leadingSvd() of %s has small residuals and orthonormal vectors', (_, a, rank) => {
    const { values, v } = leadingSvd(a, rank);
    expect(v.shape).toEqual([rank, a.shape[1]]);
    const size = Math.max(...a.shape);
    const lifted = scaled(a, (values[0] as number) > 0 && (values[0] as number) < 1e-100 ? 1e300 : 1);
    const { residual, skew } = defects(lifted, singularValues(lifted), v);
    expect(residual).toBeLessThan(8 * size * Number.EPSILON);
    expect(skew).toBeLessThan(8 * size * Number.EPSILON);
  });

  test('leadingSvd() has the values of singularValues() to the last bit and spans what svd() spans', () => {
    const a = normal(randomKey(3), [60, 45]);
    const { values, v } = leadingSvd(a, 7);
    expect(values).toEqual(singularValues(a));
    expect(subspaceDistance(v, slice(svd(a).v, 0, 7))).toBeLessThan(1e-12);
  });

  test('leadingSvd() refuses a rank beyond the sizes', () => {
    for (const rank of [0, 4, 1.5]) expect(() => leadingSvd(normal(randomKey(4), [3, 5]), rank)).toThrow(DomainError);
  });
});

function identity(n: number): Tensor<'float64'> {
  return tensor(
    'float64',
    [n, n],
    Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
  );
}

function scaled(a: Tensor<'float64'>, factor: number): Tensor<'float64'> {
  return { ...a, data: a.data.map((x) => x * factor) };
}
