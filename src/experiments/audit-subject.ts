import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/open.ts';
import type { OpenOptions } from '../data/open.ts';
import { parsePart } from '../data/part.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { DatasetError, SpecError } from '../errors/errors.ts';
import type { AuditSpec } from './audit-spec.ts';
import { fitDataset } from './fit-dataset.ts';
import { findForeign } from './foreign-model.ts';
import { isModelKind, openDenoiser } from './models.ts';
import { findNetwork } from './network-model.ts';
import { splitDataset } from './split-dataset.ts';

/** What is audited and against what; whoever opened it disposes the denoiser. */
export interface AuditSubject {
  /** The model, where samples are to be drawn. */
  readonly denoiser?: Denoiser | undefined;
  /** The images, where somebody has drawn them. */
  readonly images?: Dataset | undefined;
  readonly train: Dataset;
  /** Undefined where nothing is known to be held out. */
  readonly holdout?: Dataset | undefined;
}

/**
 * Opens the model or the images of an audit, the training set and what is held out from it, all of one shape and range.
 * @throws SpecError where no training set is known; DatasetError, ModelError as the openers
 */
export async function openAuditSubject(
  spec: AuditSpec,
  options: { readonly device?: DeviceName | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<AuditSubject> {
  const { subject, train, holdout } = spec;
  const reading: OpenOptions = { unusable: spec.strict === true ? 'refuse' : 'skip', signal: options.signal };
  if (!(await isModel(subject))) {
    if (train === undefined) {
      throw new SpecError('audit', `'${subject}' is a set of images: name the training set with --train DATA.`);
    }
    const images = await openDataset(subject, reading);
    return { images, ...(await references(images.sampleShape, images.range, train, holdout, reading)) };
  }
  const model = await openDenoiser(subject, { ...options, data: train, reading: spec.reading });
  const { denoiser } = model;
  try {
    const fit = (data: Dataset): Dataset => checkRange(fitDataset(data, denoiser.sampleShape), model.heldout.range);
    if (train !== undefined) {
      return { denoiser, ...(await references(denoiser.sampleShape, model.heldout.range, train, holdout, reading)) };
    }
    if (model.train === undefined) {
      throw new SpecError('audit', `${subject} does not say what it was trained on. Name it with --train DATA.`);
    }
    const other = holdout === undefined ? model.heldout : await openDataset(holdout, reading);
    return { denoiser, train: fit(model.train), holdout: fit(other) };
  } catch (cause) {
    await denoiser[Symbol.asyncDispose]();
    throw cause;
  }
}

async function isModel(name: string): Promise<boolean> {
  return isModelKind(name) || (await findNetwork(name)) !== undefined || (await findForeign(name)) !== undefined;
}

/** The training set as named, whole, and what is held out from it: as named, or what is known to be no part of it. */
async function references(
  shape: readonly number[],
  range: Dataset['range'],
  train: string,
  holdout: string | undefined,
  reading: OpenOptions,
): Promise<{ train: Dataset; holdout?: Dataset }> {
  const fit = (data: Dataset): Dataset => checkRange(fitDataset(data, shape), range);
  const own = fit(await openDataset(train, reading));
  const isPart = parsePart(train) !== undefined || train === 'fashion-train' || train === 'fashion60k';
  if (holdout === undefined && !isPart) return { train: own };
  const other =
    holdout === undefined ? (await splitDataset(train, reading)).heldout : await openDataset(holdout, reading);
  return { train: own, holdout: fit(other) };
}

function checkRange(data: Dataset, range: Dataset['range']): Dataset {
  const [wanted, got] = [range, data.range].map(({ low, high }) => `${low} to ${high}`);
  if (wanted === got || data.sampleShape.length !== 3) return data;
  throw new DatasetError(
    data.name,
    `expected values from ${wanted}, as the samples have, got ${got}. Bring both to one range.`,
  );
}
