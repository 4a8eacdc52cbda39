import { inMemory } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { gramKernel } from '../linalg/gram.ts';
import { nearest } from '../data/nearest.ts';
import { fitEmpirical } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { lowRankMixtureDenoiser } from '../denoisers/low-rank-mixture.ts';
import { mixtureVariances, randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import { parseMixtureSpec } from '../denoisers/mixture-spec.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { ModelError, throwIfAborted } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { randomKey } from '../tensor/random.ts';
import { findForeign } from './foreign-model.ts';
import { openForeign } from './foreign-open.ts';
import { builtInModels, findNetwork, readNetwork } from './network-model.ts';
import type { OpenModel } from './open-model.ts';
import type { ReadingInput } from './reading-input.ts';
import { splitDataset, splitToFit } from './split-dataset.ts';

/** How to open a model. */
export interface OpenModelOptions {
  /** Data set whose held-out part replaces the model's own held-out samples. */
  readonly data?: string | undefined;
  /** How a foreign network is to be read. */
  readonly reading?: ReadingInput | undefined;
  /** Takes a foreign network's reading as stated, without the check on real images. */
  readonly trust?: boolean | undefined;
  /** Where networks run; default the CPU. */
  readonly device?: DeviceName | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One family of models, `kind:argument`. */
interface ModelKind {
  /** What follows the colon, for messages. */
  readonly argument: string;
  open(name: string, argument: string, signal: AbortSignal | undefined): Promise<OpenModel>;
}

const kinds: Readonly<Record<string, ModelKind>> = {
  gaussian: { argument: 'DATA', open: openGaussian },
  empirical: { argument: 'DATA', open: openEmpirical },
  molrg: { argument: 'n=48,K=2,d=6', open: openMixture },
};

/** Models in the words of the help, such as `gaussian:DATA`. */
export const modelForms: readonly string[] = [
  ...builtInModels,
  ...Object.entries(kinds).map(([kind, { argument }]) => `${kind}:${argument}`),
];

/** Whether a name says a kind of model by itself, such as `gaussian:DATA`. */
export function isModelKind(spec: string): boolean {
  return Object.hasOwn(kinds, spec.slice(0, Math.max(0, spec.indexOf(':'))));
}

/** Samples drawn to stand for the held-out data of a mixture. */
const MIXTURE_HELDOUT = 1000;

/**
 * Opens a model by its text: `gaussian:DATA` and `empirical:DATA` (fitted to the training part of a data set),
 * `molrg:n=48,K=2,d=6` (a random mixture of low-rank Gaussians), the name or path of a trained network, an ONNX file
 * or a diffusers folder.
 * @throws ModelError naming the nearest known model; SpecError, DatasetError for an argument that is wrong; CancelledError
 */
export async function openDenoiser(spec: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { data, signal } = options;
  const colon = spec.indexOf(':');
  const kind = isModelKind(spec) ? kinds[spec.slice(0, colon)] : undefined;
  if (kind === undefined) return openNetwork(spec, options);
  const heldout = data === undefined ? undefined : (await splitDataset(data)).heldout;
  const model = await kind.open(spec, spec.slice(colon + 1), signal);
  return heldout === undefined ? model : { ...model, heldout };
}

/** A trained network by built-in name or path, ours or a foreign graph, with the data set of its side-car or of `data`. */
async function openNetwork(spec: string, options: OpenModelOptions): Promise<OpenModel> {
  const { data, device } = options;
  const folder = await findNetwork(spec);
  if (folder === undefined) {
    const graph = await findForeign(spec);
    if (graph === undefined) throw unknownModel(spec);
    return openForeign(spec, graph, options);
  }
  const { denoiser, dataName } = await readNetwork(spec, folder, device);
  const name = data ?? dataName;
  if (name === undefined) {
    await denoiser[Symbol.asyncDispose]();
    throw new ModelError(`model '${spec}'`, 'does not say what it was trained on. Give its data set with --data.');
  }
  try {
    return { denoiser, ...(await splitToFit(name, denoiser.sampleShape)) };
  } catch (cause) {
    await denoiser[Symbol.asyncDispose]();
    throw cause;
  }
}

function unknownModel(spec: string): ModelError {
  const [word = ''] = spec.split(':');
  const near = nearest(word, [...Object.keys(kinds), ...builtInModels]);
  const argument = near === undefined ? undefined : kinds[near]?.argument;
  const rest = argument === undefined ? '' : spec.slice(word.length) || `:${argument}`;
  const remedy =
    near === undefined
      ? `Use ${modelForms.join(', ')}, an ONNX file or the folder of a model.`
      : `Did you mean '${near}${rest}'?`;
  return new ModelError(`model '${spec}'`, `is not known. ${remedy}`);
}

async function openGaussian(name: string, data: string, signal: AbortSignal | undefined): Promise<OpenModel> {
  const { train, heldout } = await splitDataset(data);
  const { mean, covariance } = await computeMoments(train, { gram: gramKernel, ...(signal && { signal }) });
  throwIfAborted(name, signal);
  const eigen = eigh(covariance);
  const denoiser = gaussianDenoiser({ name, sampleShape: train.sampleShape, mean, eigen });
  return { denoiser, heldout, train, variances: eigen.values };
}

async function openEmpirical(name: string, data: string, signal: AbortSignal | undefined): Promise<OpenModel> {
  const { train, heldout } = await splitDataset(data);
  return { denoiser: await fitEmpirical(train, { name, ...(signal && { signal }) }), heldout, train };
}

function openMixture(name: string, text: string): Promise<OpenModel> {
  const options = parseMixtureSpec(text);
  const mixture = randomMixture(options);
  const { x, labels } = sampleMixture(mixture, randomKey(options.seed, 'mixture-heldout'), MIXTURE_HELDOUT);
  const range = { low: x.data.reduce((a, b) => Math.min(a, b)), high: x.data.reduce((a, b) => Math.max(a, b)) };
  return Promise.resolve({
    denoiser: lowRankMixtureDenoiser({ name, mixture }),
    heldout: inMemory(name, x, range, { labels }),
    variances: mixtureVariances(mixture),
  });
}
