import { DomainError } from '../../errors/errors.ts';

/** Counts of several sets of numbers in the same bins. */
export interface Histograms<Name extends string> {
  /** [bins + 1], ascending. */
  readonly edges: Float64Array;
  /** [bins] for each set. */
  readonly counts: Readonly<Record<Name, Int32Array>>;
}

/**
 * Histograms of sets of cosines on one axis: say, of samples of two models from the same noise, of samples with their nearest training
 * image, and of shuffled pairs.
 * @param sets  numbers by name; those outside the range fall into the first or last bin
 * @param bins  default 40
 * @param range  default [-1, 1]
 * @throws DomainError for fewer than one bin, an empty range, or NaN
 * @source Kadkhodaie et al. 2024, arXiv 2310.02557 (cosines of samples of two models, and of samples with the nearest training image)
 */
export function histograms<Name extends string>(
  sets: Readonly<Record<Name, ArrayLike<number>>>,
  bins: number = 40,
  range: { readonly low: number; readonly high: number } = { low: -1, high: 1 },
): Histograms<Name> {
  const width = (range.high - range.low) / bins;
  if (!Number.isInteger(bins) || bins < 1 || !(width > 0 && width < Infinity)) {
    throw new DomainError(
      'histograms',
      `expected bins >= 1 and low < high, got ${bins}, ${range.low} and ${range.high}.`,
    );
  }
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => range.low + i * width);
  const count = (values: ArrayLike<number>): Int32Array => {
    const counts = new Int32Array(bins);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) throw new DomainError('histograms', `expected numbers, got NaN at ${i}.`);
      const bin = Math.max(0, Math.min(bins - 1, Math.floor((value - range.low) / width)));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  };
  const names = Object.keys(sets) as Name[];
  return {
    edges,
    counts: Object.fromEntries(names.map((name) => [name, count(sets[name])])) as Record<Name, Int32Array>,
  };
}

/** Cosines of several sets counted in the same bins, as plain data. */
export interface CosineHistogram {
  /** What was compared by cosine. */
  readonly descriptor: string;
  /** [bins + 1], ascending from -1 to 1. */
  readonly edges: readonly number[];
  /** [bins] by what was compared. */
  readonly counts: Readonly<Record<string, readonly number[]>>;
}

/** Histograms of cosines by one descriptor, on [-1, 1]. @throws DomainError for NaN */
export function cosineHistogram(
  descriptor: string,
  sets: Readonly<Record<string, ArrayLike<number>>>,
): CosineHistogram {
  const { edges, counts } = histograms(sets);
  const plain = Object.entries(counts).map(([name, values]) => [name, [...values]] as const);
  return { descriptor, edges: [...edges], counts: Object.fromEntries(plain) };
}
