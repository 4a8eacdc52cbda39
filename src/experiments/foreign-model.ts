import { readdir } from 'node:fs/promises';
import { basename, dirname, join, kindOf, readBytes } from '../data/files.ts';
import { parseNpy } from '../data/npy.ts';
import { readDiffusersConfig } from '../diffusion/diffusers-config.ts';
import type { DiffusersReading } from '../diffusion/diffusers-config.ts';
import type { ParameterizationSpec } from '../diffusion/parameterization.ts';
import { parseOnnxSideCar, usualRange } from '../diffusion/side-car.ts';
import type { OnnxSideCar, PixelRange } from '../diffusion/side-car.ts';
import { ModelError } from '../errors/errors.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { assertFloat } from '../tensor/tensor.ts';
import type { ReadingWishes } from './reading-input.ts';

/** How a network's output is to be read: in what parameterization, and which pixels it expects. */
export interface StatedReading {
  readonly parameterization: ParameterizationSpec;
  readonly range: PixelRange;
  /** Who says so, for messages: `--parameterization`, the path of the side-car, or of the configuration. */
  readonly by: string;
}

/** Everything that is said of a foreign model outside its graph: flags first, then its side-car, then a diffusers configuration. */
export interface ForeignFacts {
  /** The graph. */
  readonly path: string;
  readonly name: string;
  /** Undefined where nothing says how to read it. */
  readonly reading: StatedReading | undefined;
  readonly wishes: ReadingWishes;
  readonly text: FloatTensor | undefined;
  readonly latent: LatentParts | undefined;
  readonly dataName: string | undefined;
  /** What the files do not say, or say and is not used. */
  readonly notes: readonly string[];
}

/** The other networks of a latent model. */
export interface LatentParts {
  readonly encoder: string | undefined;
  readonly decoder: string | undefined;
  readonly scalingFactor: number;
  readonly shiftFactor: number;
}

/** Places of the graph in a folder of diffusers or optimum. */
const graphPlaces = ['unet/model.onnx', 'transformer/model.onnx', 'model.onnx'];

/** The graph of a foreign model by path: an `.onnx` file, or a folder that holds one where exporters put it; undefined where there is none. */
export async function findForeign(spec: string): Promise<string | undefined> {
  const kind = await kindOf(spec);
  if (kind === 'file') return /\.onnx$/i.test(spec) ? spec : undefined;
  if (kind === 'nothing') return undefined;
  for (const place of graphPlaces) if ((await kindOf(join(spec, place))) === 'file') return join(spec, place);
  return undefined;
}

/**
 * The graph of a foreign model, which must be there.
 * @throws ModelError saying what was found instead and what to do
 */
export async function requireForeign(spec: string): Promise<string> {
  const path = await findForeign(spec);
  if (path !== undefined) return path;
  const where = `model '${spec}'`;
  const kind = await kindOf(spec);
  if (kind === 'file') {
    throw new ModelError(where, 'expected an .onnx file, got another. Export the network as docs/export.md says.');
  }
  if (kind === 'folder') {
    const others = (await readdir(spec)).filter((name) => /\.onnx$/i.test(name)).slice(0, 3);
    const remedy =
      others.length === 0
        ? 'Export the network as docs/export.md says.'
        : `Name the file: ${others.map((name) => join(spec, name)).join(' or ')}.`;
    throw new ModelError(where, `expected a folder with ${graphPlaces.join(' or ')}, found none of them. ${remedy}`);
  }
  throw new ModelError(where, 'expected an ONNX file or a folder with one, got nothing at this path. Check the path.');
}

/**
 * Collects what is said of a model.
 * @param path  of the graph
 * @throws ModelError, DatasetError for a side-car, configuration or embedding that cannot be read
 */
export async function gatherFacts(path: string, wishes: ReadingWishes): Promise<ForeignFacts> {
  const folder = dirname(path);
  const { path: sideCarPath, sideCar } = await readSideCar(path);
  const root = /^(unet|transformer)$/.test(basename(folder)) ? dirname(folder) : folder;
  const diffusers = await readDiffusers(root, folder);
  const textPath = wishes.text ?? (sideCar?.condition?.text && join(folder, sideCar.condition.text));
  return {
    path,
    name: sideCar?.name ?? nameOf(path, root),
    reading: statedReading(wishes, sideCar, sideCarPath, diffusers, root),
    wishes: {
      ...wishes,
      inputs: { ...sideCar?.inputs, ...wishes.inputs },
      output: wishes.output ?? sideCar?.output,
      sampleShape: wishes.sampleShape ?? sideCar?.sampleShape ?? diffusers?.sampleShape,
      classLabel: wishes.classLabel ?? sideCar?.condition?.class,
    },
    text: textPath ? await readEmbedding(textPath) : undefined,
    // A side-car beside the graph of a pipeline may say how it is read and leave its autoencoder to the pipeline.
    latent: latentParts(folder, sideCar) ?? (await diffusersLatent(root, diffusers)),
    dataName: sideCar?.data,
    notes: sideCar === undefined ? (diffusers?.notes ?? []) : [],
  };
}

/** Exporters call every graph `model.onnx`: its folder tells more. */
function nameOf(path: string, root: string): string {
  const file = basename(path).replace(/\.onnx$/i, '');
  return file === 'model' && !/^\.*$/.test(basename(root)) ? basename(root) : file;
}

/** `model.onnx.json`, or else `model.json`, which beside a graph of ours is the network's own. */
async function readSideCar(graph: string): Promise<{ path: string; sideCar: OnnxSideCar | undefined }> {
  const [whole, bare] = [`${graph}.json`, graph.replace(/\.onnx$/i, '.json')] as const;
  for (const path of [whole, bare]) {
    const text = await textOf(path);
    if (text?.includes('"eigenlens-onnx/')) return { path, sideCar: parseOnnxSideCar(path, text) };
  }
  return { path: bare, sideCar: undefined };
}

async function readDiffusers(root: string, network: string): Promise<DiffusersReading | undefined> {
  const scheduler = await textOf(join(root, 'scheduler/scheduler_config.json'));
  if (scheduler === undefined) return undefined;
  return readDiffusersConfig(root, {
    scheduler,
    network: await textOf(join(network, 'config.json')),
    vae: (await textOf(join(root, 'vae_decoder/config.json'))) ?? (await textOf(join(root, 'vae/config.json'))),
    modelIndex: await textOf(join(root, 'model_index.json')),
  });
}

function statedReading(
  wishes: ReadingWishes,
  sideCar: OnnxSideCar | undefined,
  sideCarPath: string,
  diffusers: DiffusersReading | undefined,
  root: string,
): StatedReading | undefined {
  const range = wishes.range ?? sideCar?.range ?? usualRange;
  const of = (parameterization: ParameterizationSpec | undefined, by: string): StatedReading | undefined =>
    parameterization && { parameterization, range, by };
  return (
    of(wishes.parameterization, '--parameterization') ??
    of(sideCar?.parameterization, sideCarPath) ??
    of(diffusers?.parameterization, join(root, 'scheduler/scheduler_config.json'))
  );
}

function latentParts(folder: string, sideCar: OnnxSideCar | undefined): LatentParts | undefined {
  const latent = sideCar?.latent;
  if (latent === undefined) return undefined;
  return {
    encoder: latent.encoder && join(folder, latent.encoder),
    decoder: latent.decoder && join(folder, latent.decoder),
    scalingFactor: latent.scalingFactor ?? 1,
    shiftFactor: latent.shiftFactor ?? 0,
  };
}

async function diffusersLatent(root: string, reading: DiffusersReading | undefined): Promise<LatentParts | undefined> {
  if (reading?.latent === undefined) return undefined;
  const existing = async (path: string): Promise<string | undefined> =>
    (await kindOf(path)) === 'file' ? path : undefined;
  return {
    encoder: await existing(join(root, 'vae_encoder/model.onnx')),
    decoder: await existing(join(root, 'vae_decoder/model.onnx')),
    ...reading.latent,
  };
}

async function readEmbedding(path: string): Promise<FloatTensor> {
  const array = parseNpy(path, await readBytes(path));
  assertFloat(path, array);
  if (array.shape.length === 2 || (array.shape.length === 3 && array.shape[0] === 1)) return array;
  throw new ModelError(
    path,
    `expected embedded text [length, width], got ${array.shape.length} axes. Save one prompt.`,
  );
}

async function textOf(path: string): Promise<string | undefined> {
  return (await kindOf(path)) === 'file' ? new TextDecoder().decode(await readBytes(path)) : undefined;
}
