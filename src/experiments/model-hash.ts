import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { join, readBytes, readRange, sizeOfFile } from '../data/files.ts';
import { openOnnxFile } from '../data/onnx-files.ts';
import { parseMixtureSpec } from '../denoisers/mixture-spec.ts';
import { modelFiles, parseSideCar } from '../denoisers/network/model-file.ts';
import { StoredArrays } from '../engine/onnx/read/arrays.ts';
import { ReadContext } from '../engine/onnx/read/context.ts';
import { decodeModel } from '../engine/onnx/read/decode.ts';
import type { RawModel, RawTensor } from '../engine/onnx/read/raw.ts';
import { requireForeign } from './foreign-model.ts';
import { isModelKind } from './models.ts';
import { findNetwork } from './network-model.ts';
import { splitDataset } from './split-dataset.ts';

const BLOCK_BYTES = 2 ** 24;

/**
 * SHA-256 (hex) of what a model computes with: equal wherever its files lie and whatever they are called, another once it is trained or
 * exported again. Over the kind and then: of a closed form, the content of its training part or the parsed mixture; of a trained network,
 * architecture, preconditioning and the file of weights; of a foreign one, the graph and the arrays beside it, by themselves or in
 * a diffusers folder. How a foreign output is read, and its autoencoder, are no part of it. Streams: at most the graph and one of its arrays
 * are held at a time.
 * @param model  as `openDenoiser` takes it
 * @throws ModelError, SpecError, DatasetError in one line as `openDenoiser` does
 */
export async function modelHash(model: string): Promise<string> {
  const hash = createHash('sha256');
  const folder = isModelKind(model) ? undefined : await findNetwork(model);
  if (isModelKind(model)) await addClosedForm(hash, model);
  else if (folder !== undefined) await addNetwork(hash, folder);
  else await addGraph(hash, await requireForeign(model));
  return hash.digest('hex');
}

async function addClosedForm(hash: Hash, model: string): Promise<void> {
  const colon = model.indexOf(':');
  const [kind, argument] = [model.slice(0, colon), model.slice(colon + 1)];
  const content =
    kind === 'molrg' ? JSON.stringify(parseMixtureSpec(argument)) : await (await splitDataset(argument)).train.hash();
  hash.update(`${kind}\n${content}`);
}

/** Name and training in the side-car do not change what the network computes. */
async function addNetwork(hash: Hash, folder: string): Promise<void> {
  const path = join(folder, modelFiles.sideCar);
  const sideCar = parseSideCar(path, new TextDecoder().decode(await readBytes(path)));
  // Parsing puts the keys into the order of the schema, which makes the text canonical.
  const { architecture, parameterization, sigmaData } = sideCar;
  hash.update(`network\n${JSON.stringify({ architecture, parameterization, sigmaData })}\n`);
  const weights = join(folder, modelFiles.weights);
  const size = await sizeOfFile(weights);
  for (let at = 0; at < size; at += BLOCK_BYTES) hash.update(await readRange(weights, at, BLOCK_BYTES));
}

/** The graph, then the arrays beside it in its order. */
async function addGraph(hash: Hash, path: string): Promise<void> {
  const { bytes, readExternal } = await openOnnxFile(path);
  hash.update('onnx\n').update(bytes);
  const context = new ReadContext(path);
  for (const array of arraysOf(decodeModel(context, bytes))) {
    // A holder of its own, so that no array outlives its turn.
    await new StoredArrays(context).fetch(array, async (location, offset, length) => {
      const data = await readExternal(location, offset, length);
      hash.update(data);
      return data;
    });
  }
}

/** Arrays of the graph, of its branches and of its functions. */
function* arraysOf({ graph, functions }: Pick<RawModel, 'graph' | 'functions'>): Generator<RawTensor> {
  yield* graph?.initializers ?? [];
  for (const { nodes } of [...(graph ? [graph] : []), ...functions]) {
    for (const { attributes } of nodes) {
      for (const { value } of attributes) {
        if (value.kind === 'tensor') yield value.value;
        else if (value.kind === 'graph') yield* arraysOf({ graph: value.value, functions: [] });
      }
    }
  }
}
