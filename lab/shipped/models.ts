import { sha256Hex } from '../../src/data/sha256.ts';
import type { Denoiser } from '../../src/denoisers/denoiser.ts';
import { buildNetwork } from '../../src/denoisers/network/architecture.ts';
import { modelFiles, parseSideCar, parseWeights } from '../../src/denoisers/network/model-file.ts';
import type { ModelSideCar } from '../../src/denoisers/network/model-file.ts';
import { networkDenoiser } from '../../src/denoisers/network/network-denoiser.ts';
import type { DeviceName } from '../../src/engine/backend/session.ts';
import { sharedBackend } from '../../src/engine/backend/start.ts';
import { ModelError } from '../../src/errors/errors.ts';
import { fetchBytes } from './fetch.ts';

const urls = import.meta.glob<string>('../../assets/models/*/model.*', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** Names of the models that ship with the lab. */
export const shippedModels: readonly string[] = [
  ...new Set(Object.keys(urls).map((path) => path.split('/').at(-2) as string)),
];

/** A shipped model, ready to denoise. */
export interface ShippedModel {
  readonly denoiser: Denoiser;
  readonly sideCar: ModelSideCar;
  /** SHA-256 (hex) by which saved directions know the model, as in src/experiments/model-hash.ts. */
  readonly hash: () => Promise<string>;
}

/**
 * Opens a shipped model; whoever opens it disposes its denoiser.
 * @param device  where its graphs run: `wasm`, or `webgpu` where the browser has it
 * @throws ModelError for a name that is not shipped or files that do not fit; DatasetError where a file does not come;
 *   BackendError where the device's runtime does not start
 */
export async function openShipped(name: string, device: DeviceName = 'wasm'): Promise<ShippedModel> {
  // One runtime for all models of a worker: it starts while the files are on their way, and stays for the next model.
  const [backend, sideCarBytes, weightBytes] = await Promise.all([
    sharedBackend(device),
    fetchBytes(urlOf(name, modelFiles.sideCar)),
    fetchBytes(urlOf(name, modelFiles.weights)),
  ]);
  const sideCar = parseSideCar(name, new TextDecoder().decode(sideCarBytes));
  const weights = parseWeights(name, weightBytes);
  const network = buildNetwork(sideCar.architecture);
  const denoiser = networkDenoiser({ name, network, weights, sigmaData: sideCar.sigmaData, backends: [backend] });
  return { denoiser, sideCar, hash: () => hashOf(sideCar, weightBytes) };
}

/** Of what the network computes with: its name and training do not matter. */
async function hashOf(
  { architecture, parameterization, sigmaData }: ModelSideCar,
  weights: Uint8Array,
): Promise<string> {
  const content = JSON.stringify({ architecture, parameterization, sigmaData });
  const bytes = new Blob([`network\n${content}\n`, Uint8Array.from(weights)]);
  return sha256Hex(new Uint8Array(await bytes.arrayBuffer()));
}

function urlOf(name: string, file: string): string {
  const url = urls[`../../assets/models/${name}/${file}`];
  if (url === undefined) throw new ModelError(name, `expected one of ${shippedModels.join(', ')}.`);
  return url;
}
