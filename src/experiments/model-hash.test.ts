import { fromBinary } from '@bufbuild/protobuf';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelProtoSchema } from 'onnx-buf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../data/files.ts';
import { writeNpy } from '../data/npy.ts';
import { DatasetError, ModelError, SpecError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat } from '../tensor/tensor.ts';
import { modelHash } from './model-hash.ts';
import { splitDataset } from './split-dataset.ts';

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'eigenlens-model-hash-'))));
afterAll(() => rm(root, { recursive: true }));

const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** A file with one bit of one byte turned over. */
async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

describe('modelHash() of a trained network', () => {
  let folder: string;
  beforeAll(async () => {
    folder = join(root, 'copy');
    await cp(assetPath('models/fashion'), folder, { recursive: true });
  });

  it('modelHash() is over architecture, preconditioning and the file of weights', async () => {
    const { architecture: a, sigmaData } = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
    const architecture = {
      kind: a.kind,
      sampleShape: a.sampleShape,
      channels: a.channels,
      features: a.features,
      groups: a.groups,
      attention: a.attention,
    };
    const said = JSON.stringify({ architecture, parameterization: 'edm', sigmaData });
    const weights = await readFile(join(folder, 'model.safetensors'));
    expect(await modelHash('fashion')).toBe(sha256('network\n', said, '\n', weights));
    expect(await modelHash('fashion')).not.toBe(await modelHash('fashion-memorized'));
  });

  it('modelHash() is the same for a copy, by folder and by file, under another name and after other words', async () => {
    const path = join(folder, 'model.json');
    const sideCar = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const backwards = Object.fromEntries(Object.entries({ ...sideCar, name: 'renamed', training: {} }).reverse());
    await writeFile(path, JSON.stringify(backwards));
    const wanted = await modelHash('fashion');
    for (const model of [folder, path, join(folder, 'model.safetensors')]) expect(await modelHash(model)).toBe(wanted);
  });

  it('modelHash() changes with one bit of the weights, and with sigmaData', async () => {
    const wanted = await modelHash('fashion');
    const path = join(folder, 'model.json');
    const text = await readFile(path, 'utf8');
    const { sigmaData } = JSON.parse(text) as { sigmaData: number };
    await writeFile(path, JSON.stringify({ ...JSON.parse(text), sigmaData: sigmaData * 2 }));
    const rescaled = await modelHash(folder);
    await writeFile(path, text);
    expect(await modelHash(folder)).toBe(wanted);
    await flip(join(folder, 'model.safetensors'), (await readFile(join(folder, 'model.safetensors'))).length - 1);
    expect(new Set([wanted, rescaled, await modelHash(folder)]).size).toBe(3);
  });
});

describe('modelHash() of an ONNX graph', () => {
  const name = 'latent-encoder-external.onnx';
  let graph: string;
  beforeAll(async () => {
    graph = join(root, name);
    await cp(`test/models/${name}`, graph);
    await cp(`test/models/${name}_data`, `${graph}_data`);
  });

  it('modelHash() is over the graph alone where it holds all its arrays, in a diffusers folder as well', async () => {
    const bytes = await readFile('test/models/ddpm-unet.onnx');
    expect(await modelHash('test/models/ddpm-unet.onnx')).toBe(sha256('onnx\n', bytes));
    const folder = join(root, 'diffusers');
    await mkdir(join(folder, 'unet'), { recursive: true });
    await writeFile(join(folder, 'unet/model.onnx'), bytes);
    expect(await modelHash(folder)).toBe(sha256('onnx\n', bytes));
  });

  it('modelHash() changes with any byte of the graph and with any array beside it', async () => {
    const wanted = await modelHash(graph);
    expect(wanted).toBe(await modelHash(`test/models/${name}`));
    expect(wanted).not.toBe(sha256('onnx\n', await readFile(graph)));
    const { length } = await readFile(`${graph}_data`);
    for (const at of [0, Math.floor(length / 2), length - 1]) {
      await flip(`${graph}_data`, at);
      expect(await modelHash(graph)).not.toBe(wanted);
      await flip(`${graph}_data`, at);
    }
    expect(await modelHash(graph)).toBe(wanted);
  });

  it('modelHash() is over the graph and then the arrays beside it in its order, as the generated decoder finds them', async () => {
    const [bytes, data] = [await readFile(graph), await readFile(`${graph}_data`)];
    const arrays = (fromBinary(ModelProtoSchema, bytes).graph?.initializer ?? []).flatMap(({ externalData }) => {
      const { offset = '0', length } = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
      return length === undefined ? [] : [data.subarray(Number(offset), Number(offset) + Number(length))];
    });
    expect(arrays.length).toBeGreaterThan(1);
    expect(await modelHash(graph)).toBe(sha256('onnx\n', bytes, ...arrays));
  });

  it('modelHash() says in one line which file of arrays is missing or too short', async () => {
    const data = await readFile(`${graph}_data`);
    await writeFile(`${graph}_data`, data.subarray(0, data.length - 4));
    await expect(modelHash(graph)).rejects.toThrow(/expected \d+ bytes at \d+ of [^\n]*onnx_data, got a file of/);
    await rm(`${graph}_data`);
    await expect(modelHash(graph)).rejects.toThrow(DatasetError);
    await expect(modelHash(graph)).rejects.toThrow(/expected weights in [^\n]*onnx_data, got no such file/);
  });

  it.each([
    ['nothing', 'nothing.onnx', 'got nothing at this path'],
    ['a folder without a graph', '.', 'expected a folder with unet/model.onnx'],
    ['another file', 'package.json', 'expected an .onnx file, got another'],
  ])('modelHash() of %s says what a model is', async (_, path, message) => {
    await expect(modelHash(path)).rejects.toThrow(ModelError);
    await expect(modelHash(path)).rejects.toThrow(message);
  });
});

describe('modelHash() of a closed form', () => {
  it('modelHash() is over the kind and the content of the training part, wherever the data lie', async () => {
    const paths = ['a.npy', 'b.npy', 'c.npy'].map((file) => join(root, file)) as [string, string, string];
    const draws = (seed: number): Uint8Array => writeNpy(castFloat(normal(randomKey(seed, 'x'), [20, 5]), 'float32'));
    await writeFile(paths[0], draws(1));
    await writeFile(paths[1], draws(1));
    await writeFile(paths[2], draws(2));
    const [a, b, c] = await Promise.all(paths.map((path) => modelHash(`gaussian:${path}`)));
    expect(a).toBe(sha256(`gaussian\n${await (await splitDataset(paths[0])).train.hash()}`));
    expect([b, c === a]).toEqual([a, false]);
    expect(await modelHash(`empirical:${paths[0]}`)).not.toBe(a);
  });

  it('modelHash() of a mixture is over what its text means', async () => {
    const wanted = await modelHash('molrg:n=48,K=2,d=6');
    for (const same of ['molrg:d=6,K=2,n=48', 'molrg:n=48,d=6+6', 'molrg:n=48,K=2,d=6,seed=0,var=1']) {
      expect(await modelHash(same)).toBe(wanted);
    }
    for (const other of ['molrg:n=48,K=2,d=5', 'molrg:n=48,K=2,d=6,seed=1']) {
      expect(await modelHash(other)).not.toBe(wanted);
    }
    await expect(modelHash('molrg:n=4,K=2,d=6')).rejects.toThrow(SpecError);
  });
});
