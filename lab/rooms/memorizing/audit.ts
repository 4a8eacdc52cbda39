import { splitHeldout } from '../../../src/analysis/copying/rules.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { DatasetError } from '../../../src/errors/errors.ts';
import { permutation, randomKey } from '../../../src/tensor/random.ts';
import { sizeOf, tensor } from '../../../src/tensor/tensor.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { Operation } from '../../compute/protocol.ts';
import { openImages } from './dropped-images.ts';
import { pairsOf, scorePixels } from './scores.ts';
import type { Pair } from './scores.ts';

/** Images that somebody drew, and those that a model was trained on. */
export interface AuditInput {
  readonly generated: readonly DroppedFile[];
  readonly training: readonly DroppedFile[];
}

/** What was compared, as `eigenlens audit` names it. */
export interface AuditSubject {
  /** Folders or files. */
  readonly generated: string;
  readonly training: string;
  /** Images that were compared, of each set. */
  readonly samples: number;
  readonly trained: number;
}

/** How the samples compare with the training images. */
export interface AuditedImages extends AuditSubject {
  /** [C, H, W] */
  readonly shape: readonly number[];
  /** [samples], nearest over second nearest distance. */
  readonly ratios: Float64Array;
  /** The same of training images, each compared with all others: what images that are no copies give. */
  readonly unseen: Float64Array;
  /** The closest first. */
  readonly closest: readonly Pair[];
  /** What was left out or made to fit, a sentence each. */
  readonly notes: readonly string[];
}

/** Training images that stand for held-out ones, and the seed that takes them, as `eigenlens audit` has both. */
const MOST_HELDOUT = 1000;
const SEED = 0;
/** Pairs that are shown. */
const SHOWN = 20;
/** Numbers of samples, and of training images that stand for held-out ones, in memory at once: a quarter of a gigabyte each. */
const MOST_NUMBERS = 2 ** 26;
/** Images that are read in one turn, so that a cancel is heard between. */
const TURN = 32;

/**
 * Compares dropped samples with dropped training images, pixel by pixel, by the rule of `eigenlens audit --descriptors pixels`.
 * @throws DatasetError where either holds no image that can be read, too few, or too many for the memory; CancelledError
 */
export const auditImages: Operation<AuditInput, AuditedImages> = async ({ generated, training }, context) => {
  const { signal } = context;
  // Every picture is read to see whether it can be, and to be compared; some training images stand for held-out ones too.
  const readings = 2 * generated.length + training.length + Math.min(MOST_HELDOUT, training.length);
  let read = 0;
  const onRead = (): void => {
    if (++read <= readings) context.progress(read, readings + training.length);
  };
  const samples = await openImages(generated, { name: 'samples', signal, onRead });
  const shape = samples.data.sampleShape;
  const train = await openImages(training, { name: 'training images', shape, signal, onRead });
  assertCounts(samples.data, train.data);
  const M = samples.data.count;
  const heldout = heldoutOf(train.data);
  const images = tensor('float32', [M + heldout.length, ...shape], new Float32Array((M + heldout.length) * sizeOf(shape))); // prettier-ignore
  await fill(
    images.data,
    samples.data,
    Int32Array.from({ length: M }, (_, i) => i),
    signal,
  );
  await fill(images.data.subarray(M * sizeOf(shape)), train.data, heldout, signal);
  const scores = await scorePixels(images, train.data, {
    exclude: (query, index) => query >= M && heldout[query - M] === index,
    signal,
    onProgress: (done, total) => context.progress(readings + done, readings + total),
  });
  const ratios = scores.ratio as Float64Array;
  // One that equals another training image says nothing of images that were not trained on.
  const fresh = Int32Array.from(heldout.keys()).filter((i) => (scores.distance[M + i] as number) > 0);
  const { show } = splitHeldout(fresh.length, SEED);
  const byRatio = Array.from({ length: M }, (_, m) => m).sort(
    (a, b) => (ratios[a] as number) - (ratios[b] as number) || (scores.distance[a] as number) - (scores.distance[b] as number),
  ); // prettier-ignore
  return {
    generated: samples.path,
    training: train.path,
    samples: M,
    trained: train.data.count,
    shape,
    ratios: ratios.slice(0, M),
    unseen: Float64Array.from(show, (i) => ratios[M + (fresh[i] as number)] as number),
    closest: await pairsOf(images, train.data, scores, byRatio.slice(0, SHOWN)),
    notes: [samples.data, train.data].flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`])),
  };
};

function assertCounts(samples: Dataset, train: Dataset): void {
  if (train.count < 3) {
    throw new DatasetError('training images', `expected at least 3 images that can be read, got ${train.count}. Drop what the model was trained on.`); // prettier-ignore
  }
  const most = Math.floor(MOST_NUMBERS / sizeOf(samples.sampleShape));
  if (samples.count > most) {
    throw new DatasetError('samples', `expected at most ${most} images of this size, got ${samples.count}. Drop fewer, or use the command.`); // prettier-ignore
  }
}

/** Places of training images that stand for held-out ones, ascending; of large images fewer than the command takes. */
function heldoutOf({ count, sampleShape }: Dataset): Int32Array {
  const most = Math.min(MOST_HELDOUT, Math.floor(MOST_NUMBERS / sizeOf(sampleShape)));
  return permutation(randomKey(SEED, 'audit-heldout'), count).slice(0, most).sort();
}

/** Reads samples of a data set one after another. @param out  as long as they are, or longer */
async function fill(out: Float32Array, data: Dataset, indices: Int32Array, signal: AbortSignal): Promise<void> {
  let at = 0;
  for await (const { x } of data.batches({ size: TURN, indices, signal })) {
    out.set(x.data, at);
    at += x.data.length;
  }
}
