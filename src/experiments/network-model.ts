import { assetPath, dirname, join, kindOf, readBytes } from '../data/files.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { buildNetwork } from '../denoisers/network/architecture.ts';
import { modelFiles, parseSideCar, parseWeights } from '../denoisers/network/model-file.ts';
import type { ModelSideCar } from '../denoisers/network/model-file.ts';
import { networkDenoiser } from '../denoisers/network/network-denoiser.ts';
import type { Weights } from '../denoisers/network/weights.ts';
import type { DeviceName } from '../engine/backend/session.ts';

/** Trained networks that ship with the package. */
export const builtInModels = ['fashion', 'fashion-memorized', 'faces'] as const;

/** A network read from its folder. */
export interface NetworkModel {
  readonly denoiser: Denoiser;
  /** Data set that it was trained on, where its side-car says. */
  readonly dataName?: string | undefined;
}

/** Folder of a trained network by built-in name, folder, or one of its two files; undefined where there is none. */
export async function findNetwork(spec: string): Promise<string | undefined> {
  if ((builtInModels as readonly string[]).includes(spec)) return assetPath(`models/${spec}`);
  const kind = await kindOf(spec);
  if (kind === 'nothing') return undefined;
  const folder = kind === 'folder' ? spec : dirname(spec);
  const isModel = kind === 'folder' || Object.values(modelFiles).some((name) => join(folder, name) === join(spec));
  return isModel && (await kindOf(join(folder, modelFiles.sideCar))) === 'file' ? folder : undefined;
}

/**
 * Reads a trained network and its side-car.
 * @param name  what the denoiser is called
 * @param device  where its graphs run, default the CPU
 * @throws ModelError for a side-car or weights that do not fit; DatasetError for a file that cannot be read
 */
export async function readNetwork(name: string, folder: string, device?: DeviceName): Promise<NetworkModel> {
  const model = await readModelFiles(folder);
  const denoiser = trainedDenoiser(name, model, device);
  const data = model.sideCar.training?.data as { readonly name?: unknown } | undefined;
  return { denoiser, dataName: typeof data?.name === 'string' ? data.name : undefined };
}

/** A trained network as its two files say it. */
export interface TrainedModel {
  readonly sideCar: ModelSideCar;
  readonly weights: Weights;
}

/**
 * The denoiser of a trained network.
 * @param device  where its graphs run, default the CPU
 * @throws ModelError for weights that do not fit
 */
export function trainedDenoiser(name: string, { sideCar, weights }: TrainedModel, device?: DeviceName): Denoiser {
  const { architecture, sigmaData } = sideCar;
  return networkDenoiser({ name, network: buildNetwork(architecture), weights, sigmaData, device });
}

/** The two files of a trained network. @throws as `readNetwork` */
export async function readModelFiles(folder: string): Promise<TrainedModel> {
  const sideCarPath = join(folder, modelFiles.sideCar);
  const weightsPath = join(folder, modelFiles.weights);
  const sideCar = parseSideCar(sideCarPath, new TextDecoder().decode(await readBytes(sideCarPath)));
  return { sideCar, weights: parseWeights(weightsPath, await readBytes(weightsPath)) };
}
