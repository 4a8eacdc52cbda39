import { inMemory, subset } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { nearest } from '../data/nearest.ts';
import { openDataset } from '../data/open.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { fitEmpirical } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { lowRankMixtureDenoiser } from '../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import { parseMixtureSpec } from '../denoisers/mixture-spec.ts';
import { ModelError, throwIfAborted } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { builtInModels, findNetwork, readNetwork } from './network-model.ts';

/** A denoiser with the data that belong to it; whoever opened it disposes the denoiser. */
export interface OpenModel {
  readonly denoiser: Denoiser;
  /** Clean samples that the denoiser was not made from. */
  readonly heldout: Dataset;
  /** What the denoiser was made from, where that is a data set. */
  readonly train?: Dataset | undefined;
  /** Eigenvalues of the covariance of the data, where they came for free. */
  readonly variances?: Float64Array | undefined;
}

/** How to open a model. */
export interface OpenModelOptions {
  /** Data set whose held-out part replaces the model's own held-out samples. */
  readonly data?: string | undefined;
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

/** Samples drawn to stand for the held-out data of a mixture. */
const MIXTURE_HELDOUT = 1000;

/**
 * Opens a model by its text: `gaussian:DATA` and `empirical:DATA` (fitted to the training part of a data set),
 * `molrg:n=48,K=2,d=6` (a random mixture of low-rank Gaussians), or the name or path of a trained network.
 * @throws ModelError naming the nearest known model; SpecError, DatasetError for an argument that is wrong; CancelledError
 */
export async function openDenoiser(spec: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { data, signal } = options;
  const heldout = data === undefined ? undefined : (await splitDataset(data)).heldout;
  const colon = spec.indexOf(':');
  const kind = Object.hasOwn(kinds, spec.slice(0, colon)) ? kinds[spec.slice(0, colon)] : undefined;
  const model =
    colon < 0 || kind === undefined
      ? await openNetwork(spec, data)
      : await kind.open(spec, spec.slice(colon + 1), signal);
  return heldout === undefined ? model : { ...model, heldout };
}

/**
 * The two parts of a data set: by definition for the shipped one, a tenth of the samples picked once and for all otherwise.
 * A single sample is both.
 * @throws DatasetError as `openDataset`
 */
export async function splitDataset(name: string): Promise<{ train: Dataset; heldout: Dataset }> {
  if (['fashion', 'fashion-train', 'fashion-heldout', 'fashion60k'].includes(name)) {
    const train = await openDataset(name === 'fashion60k' ? 'fashion60k' : 'fashion-train');
    return { train, heldout: await openDataset('fashion-heldout') };
  }
  const all = await openDataset(name);
  if (all.count === 1) return { train: all, heldout: all };
  const order = permutation(randomKey(0, 'heldout-part'), all.count);
  const cut = all.count - Math.max(1, Math.floor(all.count / 10));
  return {
    train: subset(all, { indices: order.slice(0, cut).sort() }, `${all.name}-train`),
    heldout: subset(all, { indices: order.slice(cut).sort() }, `${all.name}-heldout`),
  };
}

/** A trained network by built-in name or path, with the data set of its side-car or of `data`. */
async function openNetwork(spec: string, data: string | undefined): Promise<OpenModel> {
  const folder = await findNetwork(spec);
  if (folder === undefined) throw unknownModel(spec);
  const { denoiser, dataName } = await readNetwork(spec, folder);
  const name = data ?? dataName;
  if (name === undefined) {
    throw new ModelError(`model '${spec}'`, 'does not say what it was trained on. Give its data set with --data.');
  }
  const parts = await splitDataset(name);
  return { denoiser, heldout: parts.heldout, train: parts.train };
}

function unknownModel(spec: string): ModelError {
  const [word = ''] = spec.split(':');
  const near = nearest(word, [...Object.keys(kinds), ...builtInModels]);
  const argument = near === undefined ? undefined : kinds[near]?.argument;
  const rest = argument === undefined ? '' : spec.slice(word.length) || `:${argument}`;
  const remedy =
    near === undefined ? `Use ${modelForms.join(', ')} or the folder of a model.` : `Did you mean '${near}${rest}'?`;
  return new ModelError(`model '${spec}'`, `is not known. ${remedy}`);
}

async function openGaussian(name: string, data: string, signal: AbortSignal | undefined): Promise<OpenModel> {
  const { train, heldout } = await splitDataset(data);
  const { mean, covariance } = await computeMoments(train, signal ? { signal } : {});
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
  const variances = new Float64Array(options.n);
  // The subspaces are orthogonal and the means 0, so the covariance is the weighted sum of the components' own.
  variances.set(mixture.flatMap((component) => Array.from(component.variances, (l) => component.weight * l)));
  return Promise.resolve({
    denoiser: lowRankMixtureDenoiser({ name, mixture }),
    heldout: inMemory(name, x, range, { labels }),
    variances,
  });
}
