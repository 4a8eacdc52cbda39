import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../data/safetensors.ts';
import { DatasetError, DTypeError, ModelError } from '../../errors/errors.ts';
import { tensor } from '../../tensor/tensor.ts';
import { buildNetwork } from './architecture.ts';
import type { ModelSideCar } from './model-file.ts';
import { parseSideCar, parseWeights, writeWeights } from './model-file.ts';
import { initialWeights } from './weights.ts';

const sideCar: ModelSideCar = {
  format: 'eigenlens-model/1',
  name: 'small',
  architecture: {
    kind: 'unet',
    sampleShape: [1, 8, 8],
    channels: [8, 16],
    features: 8,
    groups: 4,
    attention: false,
  },
  parameterization: 'edm',
  sigmaData: 0.5,
  range: { low: -1, high: 1 },
  training: { loss: 0.25, data: { name: 'x' } },
};
const vectors: ModelSideCar = {
  ...sideCar,
  architecture: { kind: 'mlp', sampleShape: [12], width: 16, depth: 0, features: 8 },
};

describe('parseSideCar()', () => {
  it.each([sideCar, vectors])('parseSideCar() reads back what was written, and its network can be built', (written) => {
    const read = parseSideCar('model.json', JSON.stringify(written));
    expect(read).toEqual(written);
    expect(buildNetwork(read.architecture).sampleShape).toEqual(written.architecture.sampleShape);
  });

  it('parseSideCar() does without the record of the training', () => {
    const { training: dropped, ...rest } = sideCar;
    expect(dropped).toBeDefined();
    expect(parseSideCar('model.json', JSON.stringify(rest))).toEqual(rest);
  });

  it.each<[string, object]>([
    ['format', { format: 'eigenlens-model/2' }],
    ['name', { name: 3 }],
    ['architecture.kind', { architecture: { ...sideCar.architecture, kind: 'transformer' } }],
    ['architecture.channels.1', { architecture: { ...sideCar.architecture, channels: [8, -16] } }],
    ['architecture.features', { architecture: { ...sideCar.architecture, features: 7 } }],
    ['architecture.sampleShape', { architecture: { ...sideCar.architecture, sampleShape: [8, 8] } }],
    ['architecture.attention', { architecture: { ...sideCar.architecture, attention: 'yes' } }],
    ['architecture.width', { architecture: { ...vectors.architecture, width: 1.5 } }],
    ['parameterization', { parameterization: 'v' }],
    ['sigmaData', { sigmaData: 0 }],
    ['range.low', { range: { high: 1 } }],
    ['training', { training: 'long' }],
    ['sigma_data', { sigma_data: 0.5 }],
    ['heads', { architecture: { ...sideCar.architecture, heads: 4 } }],
  ])('parseSideCar() refuses a wrong, missing or unknown %s by name, in one line', (field, change) => {
    const parse = (): unknown => parseSideCar('model.json', JSON.stringify({ ...sideCar, ...change }));
    expect(parse).toThrow(ModelError);
    expect(parse).toThrow(new RegExp(`^model\\.json: [^\\n]*\\b${field.replaceAll('.', '\\.')}\\b[^\\n]*$`));
  });

  it.each(['', '{', 'null', '[]', '3'])('parseSideCar() refuses %j', (text) => {
    expect(() => parseSideCar('model.json', text)).toThrow(ModelError);
    expect(() => parseSideCar('model.json', text)).toThrow(/^model\.json: [^\n]+$/);
  });
});

describe('parseWeights()', () => {
  it('parseWeights() reads back what writeWeights() wrote, bit for bit', () => {
    const weights = initialWeights(buildNetwork(sideCar.architecture), 2);
    expect(parseWeights('w', writeWeights(weights))).toEqual(weights);
  });

  it('parseWeights() refuses arrays of integers and broken files', () => {
    const whole = writeSafetensors(new Map([['step', tensor('int32', [1], Int32Array.of(3))]]));
    expect(() => parseWeights('w', whole)).toThrow(DTypeError);
    expect(() => parseWeights('w', whole)).toThrow(/^w: step: expected float32 or float64, got int32/);
    expect(() => parseWeights('w', whole.slice(0, -1))).toThrow(DatasetError);
  });
});
