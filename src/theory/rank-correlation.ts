import { DomainError } from '../errors/errors.ts';

/**
 * Spearman's rank correlation: 1 where two quantities rise together, -1 where one falls as the other rises.
 * @returns Pearson correlation of the ranks, equal values sharing their mean rank; NaN where one quantity never changes
 * @throws DomainError for unequal lengths, fewer than two pairs or NaN
 * @source Spearman 1904
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length || a.length < 2 || Array.from(a).some(Number.isNaN) || Array.from(b).some(Number.isNaN)) {
    throw new DomainError(
      'rankCorrelation',
      `expected at least two pairs of numbers, got ${a.length} and ${b.length}.`,
    );
  }
  const [x, y] = [ranks(a), ranks(b)];
  const middle = (a.length + 1) / 2; // ranks run from 1, ties or not
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [(x[i] as number) - middle, (y[i] as number) - middle];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number));
  const out = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let k = start; k < end; k++) out[order[k] as number] = (start + end + 1) / 2;
    start = end;
  }
  return out;
}
