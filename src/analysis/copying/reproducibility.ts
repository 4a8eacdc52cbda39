import { DomainError, ShapeError } from '../../errors/errors.ts';
import { permutation, randomKey } from '../../tensor/random.ts';
import { sameShape, showShape, slice } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { cosine, describeAll } from '../descriptors/descriptor.ts';
import type { Descriptor } from '../descriptors/descriptor.ts';
import { calibrateThreshold, copyRate } from './rules.ts';
import type { ThresholdSource } from './rules.ts';
import type { Rate } from './interval.ts';

/** Reproducibility score of two models: the part of starting noises from which both make alike samples. */
export interface Reproducibility extends Rate {
  readonly threshold: number;
  readonly source: ThresholdSource;
  readonly descriptor: string;
  /** The same for samples of the two models from different noise. */
  readonly null: Rate;
  /** [M], similarity of the two samples from each noise. */
  readonly pairs: Float64Array;
  /** [M], similarity of every sample of the first model with one of the second from another noise. */
  readonly shuffled: Float64Array;
}

/** Options of `measureReproducibility`. */
export interface ReproducibilityOptions {
  /** Stated threshold, or the part of shuffled pairs that may pass for alike. Default: 1 % of shuffled pairs. */
  readonly alike?: { readonly threshold: number } | { readonly falsePositives: number } | undefined;
  /** Decides how the pairs are shuffled. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * RP score: the fraction of pairs of samples from the same noise whose similarity lies above a threshold, with its exact interval.
 * The pairs are shuffled twice, never back to themselves: one shuffle gives the threshold where none is stated, the other the null rate.
 * @param a  [M, ...sampleShape] of one model, M >= 3; not consumed
 * @param b  of the other from the same noise, index by index
 * @param descriptor  compared by cosine
 * @throws ShapeError where the sets differ in shape; DomainError for a descriptor without similarity, fewer than three pairs, or too few for
 * the asked rate; CancelledError
 * @source Zhang et al. 2023, arXiv 2310.05264, and its released code (RP score: inner product of SSCD descriptors above 0.6)
 */
export async function measureReproducibility(
  a: Tensor<'float32'>,
  b: Tensor<'float32'>,
  descriptor: Descriptor,
  options: ReproducibilityOptions,
): Promise<Reproducibility> {
  const { alike = { falsePositives: 0.01 }, seed, signal } = options;
  const count = a.shape[0] ?? 0;
  checkPairs(a, b, descriptor);
  const [first, second] = [await describeAll(a, descriptor, { signal }), await describeAll(b, descriptor, { signal })];
  const similarities = (partner: (i: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => {
      const j = partner(i);
      return cosine(slice(first, i, i + 1).data, slice(second, j, j + 1).data);
    });
  // Along one random cycle through all samples, one step and two steps on: no sample meets itself, and no pair comes twice.
  const cycle = permutation(randomKey(seed, 'shuffled-pairs'), count);
  const place = new Int32Array(count);
  cycle.forEach((i, at) => (place[i] = at));
  const onward = (steps: number) => (i: number) => cycle[((place[i] as number) + steps) % count] as number;
  const [pairs, shuffled] = [similarities((i) => i), similarities(onward(1))];
  const stated = 'threshold' in alike;
  const threshold = stated
    ? alike.threshold
    : calibrateThreshold('similarity', similarities(onward(2)), alike.falsePositives);
  if (threshold === undefined) {
    throw new DomainError('measureReproducibility', `expected more than ${count} pairs for such a rate. Draw more samples or state a threshold.`); // prettier-ignore
  }
  const source: ThresholdSource = stated
    ? { kind: 'stated' }
    : { kind: 'held-out', falsePositives: alike.falsePositives, images: count };
  return {
    ...copyRate('similarity', pairs, threshold),
    threshold,
    source,
    descriptor: descriptor.name,
    null: copyRate('similarity', shuffled, threshold),
    pairs,
    shuffled,
  };
}

function checkPairs(a: Tensor, b: Tensor, descriptor: Descriptor): void {
  if (!sameShape(a.shape, b.shape)) {
    const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
    throw new ShapeError('measureReproducibility', `expected two sets of samples of one shape, got ${got}.`);
  }
  if (descriptor.similarity !== 'cosine') {
    throw new DomainError(
      'measureReproducibility',
      `expected a descriptor compared by cosine, got ${descriptor.name}.`,
    );
  }
  const count = a.shape[0] ?? 0;
  if (count < 3) throw new DomainError('measureReproducibility', `expected at least three pairs, got ${count}.`);
}
