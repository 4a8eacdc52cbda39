import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildSchema, generatedFile } from '../../scripts/write-schema.ts';
import { ModelError } from '../errors/errors.ts';
import { parameterization } from './parameterization.ts';
import { onnxSideCarFormat, parseOnnxSideCar, writeOnnxSideCar } from './side-car.ts';
import type { OnnxSideCar } from './side-car.ts';

const full: OnnxSideCar = {
  format: onnxSideCarFormat,
  name: 'a model',
  parameterization: {
    kind: 'v',
    schedule: { betaSchedule: 'scaled_linear', zeroTerminalSnr: true },
    time: 'nearest-step',
  },
  range: { low: 0, high: 1 },
  inputs: { sample: 'x', time: 't', classLabels: 'y', text: 'c', fixed: { guidance: 3.5, ids: [0, 1, 2] } },
  output: 'out',
  sampleShape: [4, 32, 32],
  condition: { class: 7, text: 'conditions/prompt.npy' },
  latent: { decoder: 'vae/decoder.onnx', encoder: 'vae/encoder.onnx', scalingFactor: 0.18215, shiftFactor: 0.1 },
  data: 'folder:images',
};
const minimal = { format: onnxSideCarFormat, parameterization: { kind: 'blind' } };

/** The message with which a side-car is refused. */
function refusal(value: unknown): string {
  try {
    parseOnnxSideCar('model.json', typeof value === 'string' ? value : JSON.stringify(value));
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    return (error as ModelError).message;
  }
  return 'accepted';
}

describe('parseOnnxSideCar()', () => {
  it('parseOnnxSideCar() reads what writeOnnxSideCar() wrote, every field and none', () => {
    for (const sideCar of [full, minimal as OnnxSideCar]) {
      expect(parseOnnxSideCar('model.json', writeOnnxSideCar(sideCar))).toEqual(sideCar);
    }
    expect(writeOnnxSideCar(full).endsWith('}\n')).toBe(true);
  });

  it.each<[string, object]>([
    ['format', { format: 'eigenlens-onnx/2' }],
    ['parameterization.kind', { parameterization: { kind: 'noise' } }],
    ['parameterization', { parameterization: { kind: 'edm', schedule: {} } }],
    [
      'parameterization.schedule.betaSchedule',
      { parameterization: { kind: 'epsilon', schedule: { betaSchedule: 'cosine' } } },
    ],
    ['parameterization.schedule', { parameterization: { kind: 'v', schedule: { trainedBetas: [0.1, 1, 0.1] } } }],
    ['parameterization.schedule', { parameterization: { kind: 'v', schedule: { trainedBetas: [0.5, 1e-20] } } }],
    ['parameterization.sigmaRange', { parameterization: { kind: 'blind', sigmaRange: { min: 2, max: 1 } } }],
    ['parameterization.dataAt', { parameterization: { kind: 'flow', dataAt: 2 } }],
    ['range', { range: { low: 1, high: 1 } }],
    ['sampleShape', { sampleShape: [] }],
    ['sampleShape.1', { sampleShape: [3, 1e12] }],
    ['inputs', { inputs: { noise: 'x' } }],
    ['inputs.fixed.a', { inputs: { fixed: { a: 'b' } } }],
    ['condition.class', { condition: { class: -1 } }],
    ['the file', { nmae: 'typing error' }],
  ])('parseOnnxSideCar() names %s on one line', (field, change) => {
    expect(refusal({ ...minimal, ...change })).toMatch(
      /^model\.json: [^\n]*Correct the side-car \(docs\/side-car\.md\)\.$/,
    );
    expect(refusal({ ...minimal, ...change })).toContain(`${field}: `);
  });

  it('parseOnnxSideCar() lists the accepted kinds', () => {
    expect(refusal({ ...minimal, parameterization: { kind: 'noise' } })).toMatch(/'epsilon'.*'v'.*'flow'/);
  });

  it('parseOnnxSideCar() keeps to one bounded line whatever the keys of a file', () => {
    expect(refusal({ ...minimal, [`a\n${'b'.repeat(10_000)}`]: 1 })).toMatch(/^[^\n]{1,600}$/);
    expect(refusal('{"format"')).toMatch(/^model\.json: expected JSON[^\n]*$/);
    expect(refusal({})).toContain('parameterization');
  });

  it.each(['/etc/passwd', '../secret', 'a/../../b', 'a/..', '..', 'C:\\x', 'a\\..\\b', 'file:x', 'a\0b', ''])(
    'parseOnnxSideCar() refuses the path %j, which may leave the folder',
    (path) => {
      for (const change of [
        { latent: { decoder: path } },
        { latent: { encoder: path } },
        { condition: { text: path } },
      ]) {
        expect(refusal({ ...minimal, ...change })).toContain('expected a path inside the folder');
      }
    },
  );

  it.each(['decoder.onnx', 'vae/decoder.onnx', 'a..b/..c.onnx', './x.onnx', 'Modèle 2.onnx'])(
    'parseOnnxSideCar() takes the path %j',
    (path) => {
      expect(refusal({ ...minimal, latent: { decoder: path } })).toBe('accepted');
    },
  );
});

describe('docs/side-car.md', () => {
  it('holds examples that are side-cars', async () => {
    const page = await readFile(new URL('../../docs/side-car.md', import.meta.url), 'utf8');
    const examples = [...page.matchAll(/```json\n([^]*?)```/g)].map((match) => match[1] as string);
    const kinds = examples.map((text) => parameterization(parseOnnxSideCar('example', text).parameterization).kind);
    expect(new Set(kinds)).toEqual(new Set(['epsilon', 'denoised', 'flow', 'residual']));
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it('names every field of the schema', async () => {
    const page = await readFile(new URL('../../docs/side-car.md', import.meta.url), 'utf8');
    const fields = [...(await buildSchema()).matchAll(/"(\w+)": \{/g)].map((match) => match[1] as string);
    const structural = new Set(['properties', 'items', 'additionalProperties', 'propertyNames']);
    expect(fields.filter((field) => !structural.has(field) && !page.includes(`\`${field}\``))).toEqual([]);
  });
});

it('docs/schema/eigenlens-onnx-1.json is the schema of the code', async () => {
  expect(await readFile(generatedFile, 'utf8'), 'run: node scripts/write-schema.ts').toBe(await buildSchema());
});
