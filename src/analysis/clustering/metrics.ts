import { DomainError } from '../../errors/errors.ts';
import { zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { optimalAssignment } from './assignment.ts';

/** How two labellings of the same samples cross. */
export interface Contingency {
  /** [U, V]; counts[u, v] samples have the u-th of the first labels and the v-th of the second. */
  readonly counts: Tensor<'float64'>;
  /** [U], the different labels of the first, ascending. */
  readonly first: Int32Array;
  /** [V], those of the second. */
  readonly second: Int32Array;
  readonly total: number;
}

/**
 * Counts of every pair of labels that two labellings give to a sample.
 * @param first   [N], any whole numbers
 * @param second  [N]
 * @throws DomainError if the lengths differ or are zero
 */
export function contingency(first: ArrayLike<number>, second: ArrayLike<number>): Contingency {
  if (first.length !== second.length || first.length === 0) {
    throw new DomainError(
      'contingency',
      `expected labels of the same samples, one or more, got ${first.length} and ${second.length}.`,
    );
  }
  const [firstNames, secondNames] = [differentLabels(first), differentLabels(second)];
  const [rows, columns] = [places(firstNames), places(secondNames)];
  const counts = zeros('float64', [firstNames.length, secondNames.length]);
  for (let i = 0; i < first.length; i++) {
    const at =
      (rows.get(first[i] as number) as number) * secondNames.length + (columns.get(second[i] as number) as number);
    counts.data[at] = (counts.data[at] as number) + 1;
  }
  return { counts, first: firstNames, second: secondNames, total: first.length };
}

/** Clusters matched with classes. */
export interface MatchedAccuracy {
  /** Share of samples whose cluster is matched with their class. */
  readonly accuracy: number;
  /** Class of each cluster, by its label; clusters beyond the number of classes have none. */
  readonly classOf: ReadonlyMap<number, number>;
}

/**
 * Clustering accuracy under the best one-to-one matching of clusters and classes.
 * @param labels   [N], found
 * @param classes  [N], true
 * @throws DomainError as `contingency`
 * @source Kuhn 1955 for the matching; the measure of Cai, He, Han 2005 and the papers after it
 */
export function matchedAccuracy(labels: ArrayLike<number>, classes: ArrayLike<number>): MatchedAccuracy {
  const { counts, first, second, total } = contingency(labels, classes);
  const { columns } = optimalAssignment({ ...counts, data: counts.data.map((count) => -count) });
  const classOf = new Map<number, number>();
  let hits = 0;
  columns.forEach((v, u) => {
    if (v < 0) return;
    classOf.set(first[u] as number, second[v] as number);
    hits += counts.data[u * second.length + v] as number;
  });
  return { accuracy: hits / total, classOf };
}

/**
 * Normalized mutual information of two labellings: I(U; V) over the arithmetic mean of H(U) and H(V), as in scikit-learn.
 * @returns from 0 (independent) to 1 (equal up to names); 1 where both have one label only
 * @throws DomainError as `contingency`
 * @precision a few eps times the number of pairs
 * @source Vinh, Epps, Bailey 2010, table 2 (NMI_sum)
 */
export function normalizedMutualInformation(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const { counts, total } = contingency(first, second);
  const [U, V] = counts.shape as [number, number];
  if (U === 1 && V === 1) return 1;
  const rows = new Float64Array(U);
  const columns = new Float64Array(V);
  counts.data.forEach((count, at) => {
    const [u, v] = [Math.floor(at / V), at % V];
    rows[u] = (rows[u] as number) + count;
    columns[v] = (columns[v] as number) + count;
  });
  let information = 0;
  counts.data.forEach((count, at) => {
    if (count === 0) return;
    const expected = (rows[Math.floor(at / V)] as number) * (columns[at % V] as number);
    information += (count / total) * Math.log((count * total) / expected);
  });
  const mean = (entropy(rows, total) + entropy(columns, total)) / 2;
  return Math.min(1, Math.max(0, information / mean));
}

function entropy(counts: Float64Array, total: number): number {
  return counts.reduce((sum, count) => sum - (count / total) * Math.log(count / total), 0);
}

function differentLabels(labels: ArrayLike<number>): Int32Array {
  return Int32Array.from(new Set(Array.from(labels))).sort();
}

function places(names: Int32Array): Map<number, number> {
  return new Map(Array.from(names, (name, at) => [name, at]));
}
