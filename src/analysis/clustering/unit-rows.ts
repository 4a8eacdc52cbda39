import { DomainError } from '../../errors/errors.ts';
import { assertFinite, assertShape, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * Samples scaled to unit length; samples of length zero stay zero.
 * Each is scaled by its largest magnitude first, so that no square overflows or vanishes.
 * @param points  [N, n], N >= 1, n >= 1; not consumed
 * @throws ShapeError, DomainError if empty, NumericalError on NaN or infinity
 */
export function unitRows(where: string, points: Tensor<'float64'>): Tensor<'float64'> {
  assertShape(where, points, 'N n');
  assertFinite(where, points, 'Remove these samples.');
  const [N, n] = points.shape as [number, number];
  if (N < 1 || n < 1) throw new DomainError(where, `expected one sample or more, got ${N} of ${n} dimensions.`);
  const data = points.data.slice();
  for (let i = 0; i < N; i++) {
    const row = data.subarray(i * n, (i + 1) * n);
    const peak = row.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);
    if (peak === 0) continue;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += (row[j] = (row[j] as number) / peak) ** 2;
    const norm = Math.sqrt(sum);
    for (let j = 0; j < n; j++) row[j] = (row[j] as number) / norm;
  }
  return tensor('float64', [N, n], data);
}
