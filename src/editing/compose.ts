import { DomainError, ModelError } from '../errors/errors.ts';
import { sameShape, slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DirectionProvenance, NamedHash } from './direction-side-car.ts';
import type { DirectionSet } from './direction-set.ts';

/** The same directions the other way; what a step along them changes, inside and outside, is the same but for its sign. */
export function reversed(set: DirectionSet): DirectionSet {
  const { shape, data } = set.vectors;
  return {
    ...set,
    vectors: tensor(
      'float64',
      shape,
      data.map((v) => -v),
    ),
  };
}

/**
 * One direction as a set of its own, sharing memory.
 * @param index  from 0
 * @throws DomainError if there is no such direction
 */
export function selectDirection(set: DirectionSet, index: number): DirectionSet {
  const K = set.values.length;
  if (!Number.isInteger(index) || index < 0 || index >= K) {
    throw new DomainError('selectDirection', `expected an index from 0 to ${K - 1} for ${K} directions, got ${index}.`);
  }
  const one = (list: Float64Array): Float64Array => list.subarray(index, index + 1);
  return {
    ...set,
    vectors: slice(set.vectors, index, index + 1),
    values: one(set.values),
    residuals: one(set.residuals),
    kept: one(set.kept),
    gains: one(set.gains),
    leaks: one(set.leaks),
  };
}

/** One part of a composed step. */
export interface DirectionTerm {
  readonly set: DirectionSet;
  /** From 0. */
  readonly index: number;
  /** Length of the step along this direction; negative turns it around. */
  readonly weight: number;
}

/** Relative difference of noise levels that still are the same. */
const SAME_SIGMA = 1e-6;

/**
 * The step that several directions make together: the sum of weight v.
 * @param terms  at least one; of sets found at one noise level, on samples of one shape
 * @returns [...sampleShape], a step in the coordinates, VE or VP, in which the weights are lengths
 * @throws DomainError for no terms, a weight that is not finite, another noise level or another shape
 */
export function composed(terms: readonly DirectionTerm[]): Tensor<'float64'> {
  const [first] = terms;
  if (first === undefined) throw new DomainError('composed', 'expected at least one direction, got none.');
  const { sigma, sampleShape } = first.set;
  const step = new Float64Array(first.set.vectors.shape[1] as number);
  for (const { set, index, weight } of terms) {
    if (!Number.isFinite(weight)) throw new DomainError('composed', `expected a finite weight, got ${weight}.`);
    if (!(Math.abs(set.sigma - sigma) <= SAME_SIGMA * sigma)) {
      throw new DomainError(
        'composed',
        `expected directions found at one noise level, got sigma ${sigma} and ${set.sigma}. Apply them one after the other, each at its own.`,
      );
    }
    if (!sameShape(set.sampleShape, sampleShape)) {
      throw new DomainError(
        'composed',
        `expected directions of samples of one shape, got ${sampleShape.join('x')} and ${set.sampleShape.join('x')}. Compose those of one model.`,
      );
    }
    selectDirection(set, index).vectors.data.forEach((v, i) => (step[i] = (step[i] as number) + weight * v));
  }
  return tensor('float64', sampleShape, step);
}

/** A model that directions are to be used with. */
export interface DirectionModel extends NamedHash {
  readonly sampleShape: readonly number[];
}

/**
 * Checks that directions belong to a model: its Jacobian, and nobody else's, has them.
 * @throws ModelError naming the model that they belong to, or the two shapes
 */
export function checkFits(set: DirectionSet, provenance: DirectionProvenance, model: DirectionModel): void {
  const { name, hash } = provenance.model;
  const [theirs, ours] = [set.sampleShape.join('x'), model.sampleShape.join('x')];
  if (theirs !== ours) {
    throw new ModelError(
      'directions',
      `belong to '${name}' with samples of ${theirs}, not to '${model.name}' with samples of ${ours}. Use them with '${name}', or find those of '${model.name}'.`,
    );
  }
  if (hash === model.hash) return;
  const [saved, open] = [hash, model.hash].map((text) => `${text.slice(0, 12)}...`);
  throw new ModelError(
    'directions',
    name === model.name
      ? `belong to another model of the name '${name}' (SHA-256 ${saved}, this one ${open}): it was trained or exported again. Find them again.`
      : `belong to '${name}' (SHA-256 ${saved}), not to '${model.name}' (${open}). Use them with '${name}', or find those of '${model.name}'.`,
  );
}
