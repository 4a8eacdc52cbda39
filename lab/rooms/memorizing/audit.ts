import { splitHeldout } from '../../../src/analysis/copying/rules.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { imageFolder } from '../../../src/data/image-folder.ts';
import type { FileHandle } from '../../../src/data/image-folder.ts';
import { DatasetError } from '../../../src/errors/errors.ts';
import { permutation, randomKey } from '../../../src/tensor/random.ts';
import { sameShape, sizeOf, tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { Operation } from '../../compute/protocol.ts';
import { pairsOf, scorePixels } from './scores.ts';
import type { Pair } from './scores.ts';

/** Images that somebody drew, and those that a model was trained on. */
export interface AuditInput {
  readonly generated: readonly DroppedFile[];
  readonly training: readonly DroppedFile[];
}

/** How the samples compare with the training images. */
export interface AuditedImages {
  /** [C, H, W] */
  readonly shape: readonly number[];
  /** Images that were compared, of each set. */
  readonly samples: number;
  readonly trained: number;
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
/** Numbers in memory at once: half a gigabyte. */
const MOST_NUMBERS = 2 ** 27;

/**
 * Compares dropped samples with dropped training images, pixel by pixel, by the rule of `eigenlens audit --descriptors pixels`.
 * @throws DatasetError where either holds no image that can be read, too few, or too many for the memory; CancelledError
 */
export const auditImages: Operation<AuditInput, AuditedImages> = async ({ generated, training }, context) => {
  const { signal } = context;
  // Every image is read to see whether it can be, and to be compared; some training images stand for held-out ones too.
  const total = 2 * (generated.length + training.length) + Math.min(MOST_HELDOUT, training.length);
  let done = 0;
  const read = (): void => context.progress(Math.min(++done, total), total);
  const samples = await imageFolder('samples', handles(generated, read), { unusable: 'skip', signal });
  const train = await openTraining(handles(training, read), samples.sampleShape, signal);
  const size = sizeOf(train.sampleShape);
  const heldout = permutation(randomKey(SEED, 'audit-heldout'), train.count)
    .slice(0, Math.min(MOST_HELDOUT, Math.floor(MOST_NUMBERS / 2 / size)))
    .sort();
  const M = samples.count;
  if (M * size > MOST_NUMBERS / 2) {
    const most = Math.floor(MOST_NUMBERS / 2 / size);
    throw new DatasetError('samples', `expected at most ${most} images of this size, got ${M}. Drop fewer, or use the command.`); // prettier-ignore
  }
  const images = joined(await allOf(samples), await train.read(heldout));
  const exclude = (query: number, index: number): boolean => query >= M && heldout[query - M] === index;
  const scores = await scorePixels(images, train, { exclude, signal });
  const ratios = scores.ratio as Float64Array;
  // One that equals another training image says nothing of images that were not trained on.
  const fresh = Int32Array.from(heldout.keys()).filter((i) => (scores.distance[M + i] as number) > 0);
  const { show } = splitHeldout(fresh.length, SEED);
  const byRatio = Array.from({ length: M }, (_, m) => m).sort(
    (a, b) => (ratios[a] as number) - (ratios[b] as number) || (scores.distance[a] as number) - (scores.distance[b] as number),
  ); // prettier-ignore
  return {
    shape: train.sampleShape,
    samples: M,
    trained: train.count,
    ratios: ratios.slice(0, M),
    unseen: Float64Array.from(show, (i) => ratios[M + (fresh[i] as number)] as number),
    closest: await pairsOf(images, train, scores, byRatio.slice(0, SHOWN)),
    notes: [samples, train].flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`])),
  };
};

/** Training images in the shape of the samples. */
async function openTraining(
  files: readonly FileHandle[],
  shape: readonly number[],
  signal: AbortSignal,
): Promise<Dataset> {
  const train = await imageFolder('training images', files, { unusable: 'skip', signal });
  if (train.count < 3) {
    throw new DatasetError('training images', `expected at least 3 images that can be read, got ${train.count}. Drop the folder that the model was trained on.`); // prettier-ignore
  }
  if (sameShape(train.sampleShape, shape)) return train;
  const [channels, height = 0, width = 0] = shape;
  const left = new Set(train.leftOut?.map(({ path }) => path));
  const fitted = await imageFolder(
    'training images',
    files.filter(({ path }) => !left.has(path)),
    { resize: { width, height }, channels: channels as 1 | 3, signal },
  );
  const note = `Images of ${train.sampleShape.join(' x ')} are made ${shape.join(' x ')}, as the samples are.`;
  return { ...fitted, note: [train.note, note].filter((s) => s !== undefined).join(' ') };
}

function handles(files: readonly DroppedFile[], onRead: () => void): FileHandle[] {
  return files.map(({ path, file }) => ({
    path,
    read: async () => {
      onRead();
      return new Uint8Array(await file.arrayBuffer());
    },
  }));
}

function allOf(data: Dataset): Promise<Tensor<'float32'>> {
  return data.read(Int32Array.from({ length: data.count }, (_, i) => i));
}

function joined(a: Tensor<'float32'>, b: Tensor<'float32'>): Tensor<'float32'> {
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return tensor('float32', [(a.shape[0] as number) + (b.shape[0] as number), ...a.shape.slice(1)], data);
}
