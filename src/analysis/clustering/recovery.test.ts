import { describe, expect, it } from 'vitest';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { recoveryError } from './recovery.ts';

const frame = orthonormalRows(normal(randomKey(1), [6, 10])).q;
const truth = [0, 2, 4].map((at) => slice(frame, at, at + 2));

/** The plane through the first vector of `u` and its second turned by `angle` towards `away`. */
function turned(u: Tensor<'float64'>, away: Float64Array, angle: number): Tensor<'float64'> {
  const data = u.data.slice();
  for (let j = 0; j < 10; j++)
    data[10 + j] = Math.cos(angle) * (data[10 + j] as number) + Math.sin(angle) * (away[j] as number);
  return tensor('float64', [2, 10], data);
}

describe('recoveryError()', () => {
  it('recoveryError() undoes the order of subspaces and the choice of bases', () => {
    const [a, b, c] = truth as [Tensor<'float64'>, Tensor<'float64'>, Tensor<'float64'>];
    const flipped = tensor('float64', [2, 10], Float64Array.from([...b.data.subarray(10), ...b.data.subarray(0, 10)]));
    const { estimateOf, worst } = recoveryError([c, a, flipped], truth);
    expect([...estimateOf]).toEqual([1, 2, 0]);
    expect(worst).toBeLessThan(20 * Number.EPSILON);
  });

  it.each([1e-9, 0.01, 1])('recoveryError() of one direction turned by %d is sqrt(2) sin of that', (angle) => {
    const away = slice(frame, 4, 5).data;
    const estimates = truth
      .slice(0, 2)
      .map((u) => turned(u, away, angle))
      .reverse();
    const { errors, worst, total } = recoveryError(estimates, truth.slice(0, 2));
    errors.forEach((error) => expect(Math.abs(error / (Math.SQRT2 * Math.sin(angle)) - 1)).toBeLessThan(1e-5));
    expect(worst).toBe(Math.max(...errors));
    expect(total).toBeCloseTo(Math.SQRT2 * worst, 6);
  });

  it('recoveryError() counts missing directions as 1 each', () => {
    const { errors } = recoveryError([slice(frame, 0, 1)], [slice(frame, 0, 3)]);
    expect(errors[0]).toBeCloseTo(Math.SQRT2, 14);
  });

  it('recoveryError() refuses numbers and bases that do not fit', () => {
    expect(() => recoveryError([], [])).toThrow(ShapeError);
    expect(() => recoveryError(truth.slice(1), truth)).toThrow(ShapeError);
    expect(() => recoveryError([normal(randomKey(1), [2, 10])], truth.slice(1, 2))).toThrow(DomainError);
  });
});
