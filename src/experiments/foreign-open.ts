import { datasetFrom } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/open.ts';
import type { Autoencoder } from '../denoisers/onnx/autoencoder.ts';
import { labelOf } from '../diffusion/alternatives.ts';
import type { Alternative, Reading } from '../diffusion/alternatives.ts';
import { usualRange } from '../diffusion/side-car.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { ModelError } from '../errors/errors.ts';
import { castFloat, zeros } from '../tensor/tensor.ts';
import { gatherFacts } from './foreign-model.ts';
import { loadForeign } from './foreign-network.ts';
import type { ForeignNetwork } from './foreign-network.ts';
import type { OpenModel } from './open-model.ts';
import { denoiserOf, firstReading, imagesForCheck, judgeReading } from './reading-check.ts';
import type { JudgedReading } from './reading-check.ts';
import { parameterizationFlags, parseReading } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';
import { splitToFit } from './split-dataset.ts';

/** How to open a foreign model. */
export interface OpenForeignOptions {
  readonly reading?: ReadingInput | undefined;
  readonly data?: string | undefined;
  readonly device?: DeviceName | undefined;
  /** Leaves out the self-check on real images. */
  readonly trust?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A foreign network with what is needed to judge and use it. */
export interface OpenForeign {
  readonly foreign: ForeignNetwork;
  /** Name of the data set, undefined where neither the user nor the side-car says one. */
  readonly dataName: string | undefined;
}

/** Other readings are tried for so long before a run begins. */
const CHECK_BUDGET_MS = 15_000;

/**
 * Loads a foreign network by the path of its graph.
 * @throws ModelError, DatasetError, SpecError in one line
 */
export async function openForeignNetwork(path: string, options: OpenForeignOptions): Promise<OpenForeign> {
  const facts = await gatherFacts(path, parseReading(options.reading ?? {}));
  const dataName = options.data ?? facts.dataName;
  const shapeHint = dataName === undefined ? undefined : async () => (await openDataset(dataName)).sampleShape;
  return { foreign: await loadForeign(facts, { device: options.device, shapeHint }), dataName };
}

/**
 * A foreign model as a denoiser, its reading proved on real images: one that another would beat is refused with that advice.
 * @param name  what the user called it
 * @param path  of the graph
 * @throws ModelError, DatasetError, SpecError in one line
 */
export async function openForeign(name: string, path: string, options: OpenForeignOptions): Promise<OpenModel> {
  const { signal, trust = false } = options;
  const { foreign, dataName } = await openForeignNetwork(path, options);
  const { autoencoder } = foreign;
  try {
    if (dataName === undefined) {
      throw new ModelError(`model '${name}'`, 'does not say what it was trained on. Give its data set with --data.');
    }
    const { train, heldout } = await foreignData(foreign, dataName);
    const judged = trust
      ? undefined
      : await judgeReading(foreign, await imagesForCheck(heldout), { signal, budgetMs: CHECK_BUDGET_MS });
    const reading = judged === undefined ? trusted(name, foreign) : accepted(name, foreign, judged);
    const denoiser = denoiserOf(foreign, reading, () => disposeForeign(foreign));
    const told = judged && { label: labelOf(reading), by: foreign.facts.reading?.by, check: judged.check };
    return { denoiser, heldout, train, reading: told, decode: autoencoder && ((z) => autoencoder.decode(z)) };
  } catch (error) {
    await disposeForeign(foreign);
    throw error;
  }
}

/** Releases graphs and workers of a network and its autoencoder. */
export async function disposeForeign({ network, autoencoder }: ForeignNetwork): Promise<void> {
  await network[Symbol.asyncDispose]();
  await autoencoder?.[Symbol.asyncDispose]();
}

/**
 * The two parts of a data set as samples of this network: images cut to its size, or the latents of images.
 * @throws DatasetError as `openDataset`; ModelError for a latent model without encoder
 */
export async function foreignData(
  foreign: ForeignNetwork,
  dataName: string,
): Promise<{ train: Dataset; heldout: Dataset }> {
  const { autoencoder, sampleShape } = foreign;
  if (autoencoder === undefined) return splitToFit(dataName, sampleShape);
  const image = await autoencoder.decode(zeros('float32', [1, ...sampleShape]));
  const { train, heldout } = await splitToFit(dataName, image.shape.slice(1));
  return {
    train: latentsOf(train, autoencoder, sampleShape),
    heldout: latentsOf(heldout, autoencoder, sampleShape),
  };
}

/** Latents of unit variance, as a latent model's scaling is meant to make them, lie within four deviations. */
const latentRange = { low: -4, high: 4 };

function latentsOf(images: Dataset, autoencoder: Autoencoder, sampleShape: readonly number[]): Dataset {
  return datasetFrom({
    name: `${images.name}-latents`,
    count: images.count,
    sampleShape,
    range: latentRange,
    labels: images.labels,
    classNames: images.classNames,
    note: 'Latents of the images, made by the encoder.',
    load: async (indices) => castFloat(await autoencoder.encode(await images.read(indices)), 'float32').data,
  });
}

/** The stated reading, unproved. @throws ModelError where nothing is stated */
function trusted(name: string, foreign: ForeignNetwork): Reading {
  if (foreign.facts.reading !== undefined) return firstReading(foreign);
  throw new ModelError(
    `model '${name}'`,
    'does not say how its output is to be read, so there is nothing to trust. Say it with --parameterization.',
  );
}

/** The reading to use. @throws ModelError where another is better than the stated one, or none can be told */
function accepted(name: string, foreign: ForeignNetwork, { check, best, stated }: JudgedReading): Reading {
  const where = `model '${name}'`;
  const row = (label: string): string => (check.readings.find((r) => r.label === label)?.score ?? NaN).toPrecision(2);
  if (check.verdict === 'wrong' && stated !== undefined) {
    throw new ModelError(
      where,
      `is read as '${stated.label}' (${foreign.facts.reading?.by}), but '${best.label}' denoises these images better: relative error ${row(best.label)} against ${row(stated.label)}. Read it with ${flagsOf(best)}, or insist with --trust.`,
    );
  }
  if (stated !== undefined) return stated;
  if (check.verdict !== 'unclear') return best;
  throw new ModelError(
    where,
    'does not say how its output is to be read, and under no reading does it denoise these images. Say it with --parameterization, and give images like those of its training with --data.',
  );
}

/** The flags that say a reading. */
export function flagsOf({ parameterization, range }: Alternative | Reading): string {
  const pixels =
    range.low === usualRange.low && range.high === usualRange.high ? '' : ` --pixel-range ${range.low}:${range.high}`;
  return `${parameterizationFlags(parameterization)}${pixels}`;
}
