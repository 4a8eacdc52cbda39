import { expect, test } from 'vitest';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { slice, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { principalAngles, subspaceDistance } from './angles.ts';
import { largestDifference, randomRows } from './known-spectrum.fixture.ts';
import { matmul } from './matmul.ts';

// Two subspaces with the given angles, hidden by random rotations inside and outside.
function rotated(angles: readonly number[], n: number): [Tensor<'float64'>, Tensor<'float64'>] {
  const k = angles.length;
  const frame = randomRows(2 * k, n, 11);
  const turned = new Float64Array(k * 2 * k);
  angles.forEach((angle, i) => {
    turned[i * 2 * k + i] = Math.cos(angle);
    turned[i * 2 * k + k + i] = Math.sin(angle);
  });
  const v = matmul(tensor('float64', [k, 2 * k], turned), frame);
  return [matmul(randomRows(k, k, 12), slice(frame, 0, k)), matmul(randomRows(k, k, 13), v)];
}

test('principalAngles() finds constructed angles from 1e-10 to a right angle', () => {
  const angles = [1e-10, 1e-8, 1e-4, 0.3, Math.PI / 4, 1.2, Math.PI / 2 - 1e-10, Math.PI / 2];
  const [u, v] = rotated(angles, 40);
  // Absolute error of a few n eps; a cosine alone would lose the first two angles wholly (error 1e-8).
  expect(largestDifference(principalAngles(u, v), angles)).toBeLessThanOrEqual(40 * Number.EPSILON);
});

test('principalAngles() is symmetric, also for different dimensions, and zero for a subspace', () => {
  const [u, v] = [randomRows(3, 20, 1), randomRows(7, 20, 2)];
  expect(principalAngles(u, v)).toHaveLength(3);
  expect(largestDifference(principalAngles(u, v), principalAngles(v, u))).toBeLessThanOrEqual(20 * Number.EPSILON);
  expect(principalAngles(slice(v, 2, 4), v).at(-1)).toBeLessThanOrEqual(20 * Number.EPSILON);
});

test('subspaceDistance() equals the Frobenius norm of the difference of projectors', () => {
  const [u, v] = [randomRows(3, 20, 1), randomRows(5, 20, 2)];
  const [p, q] = [matmul(u, u, { transposeA: true }).data, matmul(v, v, { transposeA: true }).data];
  const direct = Math.sqrt(p.reduce((sum, x, i) => sum + (x - (q[i] as number)) ** 2, 0));
  expect(subspaceDistance(u, v)).toBeCloseTo(direct, 13);
});

test('subspaceDistance() of a small rotation is sqrt(2) times the angle', () => {
  const [u, v] = rotated([1e-9, 0], 12);
  expect(Math.abs(subspaceDistance(u, v) - Math.SQRT2 * 1e-9)).toBeLessThanOrEqual(24 * Number.EPSILON);
});

test('principalAngles() refuses rows that are not orthonormal or not of equal length', () => {
  expect(() => principalAngles(zeros('float64', [1, 3]), randomRows(1, 3, 1))).toThrow(DomainError);
  expect(() => principalAngles(randomRows(1, 4, 1), randomRows(1, 3, 1))).toThrow(ShapeError);
});
