import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import { parseMixtureSpec } from '../denoisers/mixture-spec.ts';
import { SpecError } from '../errors/errors.ts';
import { randomKey } from '../tensor/random.ts';

/** Samples of a mixture that nobody gave a number of, and samples held out from it. */
const TRAIN = 4096;
const HELDOUT = 1000;
const MOST = 1_000_000;
/** Of either set: 1 GiB of float32. */
const MOST_NUMBERS = 2 ** 28;

/** Whether a data set is drawn from a mixture: `molrg:n=48,K=2,d=6`, with `:N` behind it for N training samples. */
export function isMixtureData(name: string): boolean {
  return name.startsWith('molrg:');
}

/**
 * Training samples of a mixture of low-rank Gaussians, as many of each component as of any other where no weights are given, and fresh ones
 * of the same. Sample i depends on the mixture and i alone: smaller sets nest in larger ones.
 * @param name  `molrg:n=48,K=2,d=6:N`, lists written with +; without `:N` there are 4,096
 * @returns samples [n] in the range that they have
 * @throws SpecError for text that is no mixture, or no number of samples
 */
export function splitMixtureData(name: string): { train: Dataset; heldout: Dataset } {
  const [, text = '', size] = /^molrg:(.*?)(?::(\d+))?$/.exec(name) ?? [];
  const count = size === undefined ? TRAIN : Number(size);
  if (count < 1 || count > MOST) {
    throw new SpecError('molrg', `expected 1 to ${MOST} samples, got ${count} in '${name}'.`);
  }
  const options = parseMixtureSpec(text);
  const numbers = Math.max(count, HELDOUT) * options.n;
  if (numbers > MOST_NUMBERS) {
    throw new SpecError(
      'molrg',
      `expected at most ${MOST_NUMBERS} numbers in all samples, got ${numbers} in '${name}'.`,
    );
  }
  const mixture = randomMixture(options);
  const draw = (part: string, samples: number): Dataset => {
    const inTurn = Int32Array.from({ length: samples }, (_, i) => i % mixture.length);
    const key = randomKey(options.seed, 'mixture-data', part);
    const { x, labels } = sampleMixture(mixture, key, samples, options.weights === undefined ? inTurn : undefined);
    const low = x.data.reduce((a, b) => Math.min(a, b));
    const high = x.data.reduce((a, b) => Math.max(a, b));
    return inMemory(part === 'train' ? name : `${name}-heldout`, x, { low, high }, { labels });
  };
  return { train: draw('train', count), heldout: draw('heldout', HELDOUT) };
}
