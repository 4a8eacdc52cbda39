import type { Dataset } from '../../../src/data/dataset.ts';
import { subset } from '../../../src/data/dataset.ts';
import { parsePart, takePart } from '../../../src/data/part.ts';
import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { endAtZero, karrasGrid } from '../../../src/diffusion/noise-grid.ts';
import { sample } from '../../../src/samplers/sample.ts';
import { castFloat } from '../../../src/tensor/tensor.ts';
import type { Operation, OperationContext } from '../../compute/protocol.ts';
import { turn } from '../../compute/turn.ts';
import { FASHION_TRAIN, openFashion } from '../../shipped/fashion.ts';
import { openShipped } from '../../shipped/models.ts';
import type { MemorizingState } from './room.ts';
import { pairsOf, scorePixels } from './scores.ts';
import type { Pair } from './scores.ts';

/** What the samples depend on. */
export type DrawInput = Pick<MemorizingState, 'samples' | 'seed'>;

/** Samples of one model over their nearest training images. */
export interface DrawnModel {
  readonly model: string;
  /** How many images it was trained on. */
  readonly trained: number;
  /** [C, H, W] */
  readonly shape: readonly number[];
  /** In the order of their seeds. */
  readonly pairs: readonly Pair[];
}

/** The two that ship, trained on 100 images until it knew them and on 9,000; with their training sets as their side-cars name them. */
export const trainedOn = { 'fashion-memorized': 'fashion-train:100', fashion: 'fashion-train' } as const;
const MODELS = Object.keys(trainedOn) as (keyof typeof trainedOn)[];
/** Noise levels of the sampler, as `eigenlens audit` has them. */
const STEPS = 18;

const opened = new Map<string, Promise<Denoiser>>();

/** Draws samples of the shipped models from the same seeds, and finds the training image nearest to each. */
export const drawModels: Operation<DrawInput, readonly DrawnModel[], readonly DrawnModel[]> = async (
  input,
  { signal, progress, emit },
) => {
  const drawn: DrawnModel[] = [];
  for (const [m, model] of MODELS.entries()) {
    const denoiser = await open(model);
    const train = await trainingOf(model);
    const own = (done: number, total: number): void => progress(m * total + done, MODELS.length * total);
    drawn.push({ model, ...(await drawOver(denoiser, train, input, { signal, progress: own })) });
    emit([...drawn]);
  }
  return drawn;
};

/** Samples of a model by the seeds of `eigenlens audit` over the nearest of the images that it was trained on. */
export async function drawOver(
  denoiser: Denoiser,
  train: Dataset,
  { samples, seed }: DrawInput,
  { signal, progress }: Pick<OperationContext, 'signal' | 'progress'>,
): Promise<Omit<DrawnModel, 'model'>> {
  const { x } = await sample(denoiser, {
    seeds: Array.from({ length: samples }, (_, m) => seed + m),
    grid: endAtZero(karrasGrid({ steps: STEPS })),
    signal,
    onStep: async ({ i, steps }) => {
      progress(i + 1, steps);
      await turn(); // a cancel must be heard
    },
  });
  const images = castFloat(x, 'float32');
  const scores = await scorePixels(images, train, { signal });
  const all = Array.from({ length: samples }, (_, m) => m);
  return { trained: train.count, shape: train.sampleShape, pairs: await pairsOf(images, train, scores, all) };
}

function open(model: string): Promise<Denoiser> {
  const known = opened.get(model) ?? openShipped(model).then(({ denoiser }) => denoiser);
  opened.set(model, known);
  // A file that did not come may come the next time.
  known.catch(() => opened.delete(model));
  return known;
}

/** The images that a shipped model was trained on. */
async function trainingOf(model: keyof typeof trainedOn): Promise<Dataset> {
  const train = subset(await openFashion(), { end: FASHION_TRAIN }, 'fashion-train');
  const part = parsePart(trainedOn[model]);
  return part === undefined ? train : takePart(train, part, trainedOn[model]);
}
