import { existsSync, readdirSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { openOnnxFile } from '../../../data/onnx-files.ts';
import { trace } from '../../trace.ts';
import { lower } from '../../lower/lower.ts';
import { rawBytes } from './model.fixture.ts';
import { readOnnx } from './read-onnx.ts';

const fixtures = readdirSync('test/models').filter((name) => name.endsWith('.onnx'));

describe('readOnnx() of exported networks', () => {
  it.each(fixtures)('agrees with the generated decoder on %s', async (name) => {
    const opened = await openOnnxFile(`test/models/${name}`);
    const model = await readOnnx(name, opened.bytes, opened);
    const oracle = fromBinary(ModelProtoSchema, opened.bytes).graph;
    const kept = new Set(model.nodes.map((node) => node.name));
    const wanted = (oracle?.node ?? []).filter((node) => kept.has(node.name));
    expect(model.nodes.map(({ operator, outputs }) => [operator, ...outputs])).toEqual(
      wanted.map(({ opType, output }) => [opType, ...output]),
    );
    const left = (oracle?.node ?? []).filter((node) => !kept.has(node.name)).map(({ opType }) => opType);
    expect(left.filter((op) => op !== 'Constant' && op !== 'Identity')).toEqual([]);
    for (const stored of oracle?.initializer ?? []) {
      const dims = stored.dims.map(Number);
      const found = model.weights.get(stored.name) ?? model.constants.get(stored.name);
      expect(found?.shape, stored.name).toEqual(dims);
      const weight = model.weights.get(stored.name);
      if (stored.dataType === 1 && stored.externalData.length === 0 && weight !== undefined) {
        expect(Buffer.compare(rawBytes(weight.data), stored.rawData), stored.name).toBe(0);
      }
    }
    expect(model.inputs.length).toBeGreaterThan(0);
    expect(model.weightBytes).toBe([...model.weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0));
  });

  it('gives the same weights from one file and from external data', async () => {
    const [inside, beside] = await Promise.all(
      ['latent-encoder', 'latent-encoder-external'].map(async (name) => {
        const opened = await openOnnxFile(`test/models/${name}.onnx`);
        return readOnnx(name, opened.bytes, opened);
      }),
    );
    expect(beside?.weights).toEqual(inside?.weights);
    expect(beside?.weights.size).toBeGreaterThan(0);
  });

  it("reads the models that the engine's own lowering writes", async () => {
    const outputs = await trace((x, y) => x.mul(y.ref).add(y), [{ shape: [2, 3] }, { shape: [2, 3] }]);
    const model = await readOnnx('lowered', lower(outputs).bytes);
    expect(model.inputs.map(({ shape }) => shape)).toEqual([
      [2, 3],
      [2, 3],
    ]);
    expect(new Set(model.nodes.map(({ operator }) => operator))).toEqual(new Set(['Mul', 'Add', 'Identity']));
  });
});

const folder = '../shared/data/denoisers';
const missing = existsSync(folder) ? '' : ` (skipped: no ${folder})`;

describe.skipIf(missing !== '')(`readOnnx() of published denoisers${missing}`, () => {
  it.each([
    ['bfcnn_mnist_gray', 40],
    ['bfcnn_bsd400_gray', 40],
    ['bfcnn_bsd300_color', 40],
    ['bf_dncnn_gray', 40],
    ['bf_unet_gray', 18],
  ])('opens %s with its input y and output x0hat', async (name, nodes) => {
    const opened = await openOnnxFile(`${folder}/${name}.onnx`);
    const model = await readOnnx(name, opened.bytes, opened);
    const channels = name.endsWith('color') ? 3 : 1;
    expect(model.inputs).toEqual([{ name: 'y', elementType: 'float32', shape: ['n', channels, 'h', 'w'] }]);
    expect(model.outputs).toEqual([{ name: 'x0hat', elementType: 'float32', shape: ['n', channels, 'h', 'w'] }]);
    expect(model.nodes).toHaveLength(nodes);
    expect(model.weightBytes).toBeGreaterThan(0.98 * opened.bytes.length);
  });
});
