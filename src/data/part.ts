import { DatasetError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { subset } from './dataset.ts';
import type { Dataset } from './dataset.ts';

/** A part of a data set by places in its one shuffled order. */
export interface Part {
  /** Name or path of the whole. */
  readonly whole: string;
  /** First place, and one past the last. */
  readonly start: number;
  readonly end: number;
}

/** Reads `DATA:N` (the first N samples of the shuffled order) and `DATA:A-B` (places A to B - 1); undefined for any other name. */
export function parsePart(spec: string): Part | undefined {
  const [, whole, first, last] = /^(.+):(\d+)(?:-(\d+))?$/.exec(spec) ?? [];
  if (whole === undefined || first === undefined) return undefined;
  return last === undefined
    ? { whole, start: 0, end: Number(first) }
    : { whole, start: Number(first), end: Number(last) };
}

/**
 * The one shuffled order of a data set, the same for everybody: parts of it nest (`DATA:100` lies in `DATA:200`), and two ranges that
 * do not overlap share no sample. Its last tenth is what is held out where nothing else is said.
 */
export function shuffledOrder(count: number): Int32Array {
  return permutation(randomKey(0, 'heldout-part'), count);
}

/** @throws DatasetError for a part that is empty or reaches past the data */
export function takePart(dataset: Dataset, { start, end }: Part, name: string): Dataset {
  if (start >= end || end > dataset.count) {
    throw new DatasetError(name, `expected a part of ${dataset.name}'s ${dataset.count} samples, got ${start} to ${end}. Use ${dataset.name}:N or ${dataset.name}:A-B with A < B <= ${dataset.count}.`); // prettier-ignore
  }
  return subset(dataset, { indices: shuffledOrder(dataset.count).slice(start, end) }, name);
}
