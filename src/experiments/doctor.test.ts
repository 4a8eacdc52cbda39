import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseNpz, writeNpz } from '../data/npz.ts';
import { alternatives } from '../diffusion/alternatives.ts';
import { parameterization } from '../diffusion/parameterization.ts';
import { parseOnnxSideCar } from '../diffusion/side-car.ts';
import { supportedOperators } from '../engine/onnx/operators/table.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { examineMachine, examineModel } from './doctor.ts';
import type { ModelReport } from './doctor-result.ts';
import { flagsOf } from './foreign-open.ts';
import { foundSideCar } from './found-reading.ts';
import { writeIdealModel } from './ideal-network.fixture.ts';
import { parseReading } from './reading-input.ts';

let files: Awaited<ReturnType<typeof writeIdealModel>>;
let report: ModelReport;
beforeAll(async () => {
  files = await writeIdealModel('v');
  report = await examineModel(files.model, { data: files.data, device: 'cpu' });
});
afterAll(() => rm(files.folder, { recursive: true, force: true }));

describe('examineModel()', () => {
  it('examineModel() says what the graph holds and where it ran', () => {
    expect(report.operators.length).toBeGreaterThan(0);
    for (const { operator } of report.operators) expect(supportedOperators.has(operator)).toBe(true);
    expect(report).toMatchObject({ path: files.model, sampleShape: [1, 4, 4], latent: false, device: 'cpu' });
  });

  it('examineModel() reads an ideal network better than the scalar Wiener filter', () => {
    const { check, best } = report.reading ?? expect.unreachable('images were given');
    expect(best.parameterization.kind).toBe('v');
    expect(check.best.score).toBeLessThan(1);
    // Noise far above the data leaves nothing to see to either.
    expect(check.best.errors[0]).toBeLessThan(0.9 * (check.wiener[0] as number));
  });

  it('examineModel() compares with the outputs of the exporter where they lie beside the graph', async () => {
    const [graph, reference] = [join(files.folder, 'mixer.onnx'), join(files.folder, 'mixer.reference.npz')];
    await copyFile('test/models/flow-mixer.onnx', graph);
    const arrays = parseNpz('flow-mixer', await readFile('test/models/flow-mixer.npz'));
    const y = arrays.get('y') as Tensor<'float64'>;
    // |F - 2 F| / |2 F|
    arrays.set('y', { ...y, data: y.data.map((value) => 2 * value) });
    await writeFile(reference, writeNpz(arrays));
    const { referenceDefect } = await examineModel(graph, { device: 'cpu' });
    expect(referenceDefect).toBeCloseTo(0.5, 4);
  });

  it('examineModel() stops between two runs once it is told to', async () => {
    const controller = new AbortController();
    const watched = examineModel(files.model, {
      device: 'cpu',
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(watched).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  it('examineMachine() stops trying devices once it is told to', async () => {
    await expect(examineMachine(AbortSignal.abort())).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});

describe('flagsOf()', () => {
  it.each([true, false])('flagsOf() says a reading as parseReading() reads it, with time input: %s', (hasTime) => {
    const range = { low: -1, high: 1 };
    const first = { parameterization: { kind: hasTime ? 'epsilon' : 'residual' }, range } as const;
    for (const reading of alternatives(first, hasTime)) {
      const flags = /^--parameterization ('(.*)'|\S+)(?: --schedule (\S+))?(?: --pixel-range (\S+))?$/.exec(
        flagsOf(reading),
      );
      const [, word, json, schedule, pixelRange] = flags ?? expect.unreachable('flags have this form');
      const read = parseReading({ parameterization: json ?? word, schedule, pixelRange });
      expect(read.range ?? range).toEqual(reading.range);
      const [said, meant] = [read.parameterization, reading.parameterization].map(
        (spec) => spec && parameterization(spec),
      );
      for (const sigma of [0.1, 1, 10]) expect(said?.coefficients(sigma)).toEqual(meant?.coefficients(sigma));
    }
  });
});

describe('foundSideCar()', () => {
  it('foundSideCar() keeps everything that was said, as parseOnnxSideCar() reads it', async () => {
    const said = {
      data: 'fashion',
      reading: {
        input: 'sample=x,class=y',
        fix: 'guidance=3',
        outputName: 'o',
        shape: '1x4x4',
        class: 2,
        text: `${files.folder}/a/b.npy`,
      },
    };
    const { text = '' } = (await foundSideCar(report, said)) as { text: string };
    expect(parseOnnxSideCar('found', text)).toMatchObject({
      parameterization: { kind: 'v' },
      inputs: { sample: 'x', classLabels: 'y', fixed: { guidance: 3 } },
      output: 'o',
      sampleShape: [1, 4, 4],
      condition: { class: 2, text: 'a/b.npy' },
      data: 'fashion',
    });
  });

  it('foundSideCar() writes nothing for a latent model or without proof, and refuses embeddings elsewhere', async () => {
    expect(await foundSideCar({ ...report, reading: undefined }, {})).toMatchObject({
      refusal: 'no reading is proved',
    });
    expect(await foundSideCar({ ...report, latent: true }, {})).toHaveProperty('refusal');
    await expect(foundSideCar(report, { reading: { text: '/elsewhere/t.npy' } })).rejects.toMatchObject({
      code: 'E_SPEC',
    });
  });
});

describe('docs/your-model.md', () => {
  it('lists exactly the operators that can be read', async () => {
    const page = await readFile('docs/your-model.md', 'utf8');
    const [, list = ''] = /## Operators that are read\n[^]*?\n\n((?:`\w+`[,.]?\s*)+)/.exec(page) ?? [];
    const listed = [...list.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(listed).toEqual([...supportedOperators].sort());
  });
});
