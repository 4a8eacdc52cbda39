import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { ReadingError, SelfCheck } from '../../../src/analysis/self-check.ts';
import { inMemory } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { openDataset } from '../../../src/data/open.ts';
import { fitGaussian } from '../../../src/denoisers/gaussian.ts';
import { noiseHeldout } from '../../../src/experiments/inspect-points.ts';
import { resolveInspectSpec } from '../../../src/experiments/inspect-spec.ts';
import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { normal, randomKey } from '../../../src/tensor/random.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { commandsOf } from './commands.ts';
import { shippedShapes } from './data-name.ts';
import { pictureOf } from './data.ts';
import { loadNetwork } from './foreign.ts';
import { referenceKinds } from './reference-kinds.ts';
import { makeReference } from './references.ts';
import { codec } from './room.ts';
import { pixelTable } from './sheet.ts';
import { trialWords } from './trial.ts';
import type { Trial } from './trial.ts';

const ROOT = join(import.meta.dirname, '../../..');
const drawn = (count: number, dimension: number): Dataset =>
  inMemory('drawn', normal(randomKey(3, 'drawn'), [count, dimension]), { low: -4, high: 4 });

/** Largest difference of what two denoisers make of the same point. */
async function difference(a: Denoiser, b: Denoiser, dimension: number): Promise<number> {
  const x = tensor('float64', [1, dimension], normal(randomKey(4, 'point'), [dimension]).data);
  const [p, q] = [(await a.denoise(x, 0.7)).data, (await b.denoise(x, 0.7)).data];
  return Math.max(...Array.from(p, (v, i) => Math.abs(v - (q[i] as number))));
}

describe('pictureOf()', () => {
  it('has the picture and the noise of eigenlens inspect at the same seed', async () => {
    const heldout = await openDataset('fashion-heldout');
    const [seed, sigma] = [7, 0.6];
    const echo = {
      sampleShape: [1, 28, 28],
      dtype: 'float32',
      denoise: async (x: unknown) => x,
    } as unknown as Denoiser;
    const { heldout: clean, noisy } = await noiseHeldout(resolveInspectSpec({ seed, sigmas: [sigma] }), echo, heldout);
    const picture = await pictureOf(heldout, seed);
    expect(picture.clean).toEqual(clean.data);
    const own = Float32Array.from(picture.clean, (v, i) => v + sigma * (picture.noise[i] as number));
    expect(own).toEqual(noisy.data);
  });
});

describe('makeReference()', () => {
  it.each([
    ['more samples than numbers', 40],
    ['fewer', 5],
  ])('fits the Gaussian of the covariance: %s', async (_, count) => {
    const data = drawn(count, 9);
    const { denoiser, variances } = await makeReference('gaussian', data);
    expect(await difference(denoiser, await fitGaussian(data), 9)).toBeLessThan(1e-9);
    expect(variances?.length).toBe(Math.min(9, count - 1));
  });

  it('fits a low-rank denoiser that is the Gaussian where its rank is full', async () => {
    const data = drawn(60, 9);
    const { denoiser } = await makeReference('low-rank', data);
    // leadingTriplets() stops at residuals of 1e-4.
    expect(await difference(denoiser, await fitGaussian(data), 9)).toBeLessThan(1e-3);
  });

  it.each(referenceKinds)('gives one picture back where there is no other: %s', async (kind) => {
    const data = drawn(1, 9);
    const { denoiser } = await makeReference(kind, data);
    const { data: picture } = await data.read([0]);
    const { data: denoised } = await denoiser.denoise(tensor('float64', [1, 9], new Float64Array(9)), 0.7);
    picture.forEach((v, i) => expect(denoised[i]).toBeCloseTo(v, 6));
  });

  it('takes pictures of one class each for one class', async () => {
    const data = { ...drawn(4, 9), labels: Int32Array.of(0, 1, 2, 3) };
    expect((await makeReference('low-rank', data)).label).toBe('one Gaussian of rank 3');
  });
});

describe('loadNetwork()', () => {
  const dropped = async (path: string): Promise<{ path: string; file: File }> => ({
    path: path.split('/').at(-1) as string,
    file: new File([await readFile(join(ROOT, path))], 'dropped'),
  });

  it('finds the shape and the readings of a network', async () => {
    const { name, sampleShape, readings, isStated } = await loadNetwork([await dropped('test/models/ddpm-unet.onnx')], 'wasm'); // prettier-ignore
    expect([name, sampleShape, isStated]).toEqual(['ddpm-unet', [3, 16, 16], false]);
    expect(readings[0]?.label).toBe('epsilon, linear, pixels -1..1');
    expect(readings.length).toBeGreaterThan(10);
  });

  it('says what is wrong with other files', async () => {
    await expect(loadNetwork([await dropped('README.md')], 'wasm')).rejects.toThrow(/expected an \.onnx file/);
    const text = { path: 'notes.onnx', file: new File(['no graph'], 'notes.onnx') };
    await expect(loadNetwork([text], 'wasm')).rejects.toThrow(/notes\.onnx: .*expected an ONNX model/);
    await expect(loadNetwork([await dropped('test/models/dit.onnx')], 'wasm')).rejects.toThrow(/denoiser of images/);
  });
});

describe('trialWords()', () => {
  const trialOf = (scores: Readonly<Record<string, number>>, verdict: SelfCheck['verdict'], stated?: string): Trial => {
    const readings = Object.entries(scores).map(([label, score]) => ({ label, score, errors: [] }));
    const best = readings[0] as ReadingError;
    const check = { sigmas: [], wiener: [], readings, best, overflowed: ['score'], untried: 0, verdict };
    return { check, count: 8, stated };
  };

  it('says that a reading is right, or how much worse than another it is', () => {
    const trial = trialOf({ edm: 0.2, v: 0.21, epsilon: 0.6 }, 'right');
    expect(trialWords(trial, 'v')).toEqual({ text: 'Of 3 readings tried on 8 pictures none denoises better.', isWarning: false }); // prettier-ignore
    expect(trialWords(trial, 'epsilon')).toEqual({ text: "Read so, it leaves 3 times the squared error that 'edm' leaves on 8 pictures.", isWarning: true }); // prettier-ignore
    expect(trialWords(trial, 'score').text).toMatch(/not finite; 'edm' denoises best/);
  });

  it('says that a side-car states another one, and that none denoises', () => {
    const text = "Its side-car says 'v', but read as here it denoises 8 pictures better.";
    expect(trialWords(trialOf({ edm: 0.2, v: 0.9 }, 'wrong', 'v'), 'edm')).toEqual({ text, isWarning: true });
    expect(trialWords(trialOf({ edm: 4 }, 'unclear'), 'edm').text).toMatch(/^Under none of 1 readings does it denoise/);
  });
});

describe('pixelTable()', () => {
  it('has a row a pixel with its place', () => {
    const values = Float64Array.from({ length: 12 }, (_, i) => i / 2);
    const { columns, rows } = pixelTable([3, 2, 2], { left: values, right: values });
    expect(columns).toEqual(['channel', 'row', 'column', 'left', 'right']);
    expect(rows[11]).toEqual([2, 1, 1, 5.5, 5.5]);
  });
});

describe('commandsOf()', () => {
  it('says the same point for the model, and for the Gaussian of its data', () => {
    const data = { model: 'fashion-memorized', pictures: [], sampleShape: shippedShapes['fashion-memorized'] } as const;
    expect(commandsOf({ ...codec.start, seed: 4, sigma: 1.5 }, data, undefined)).toEqual([
      'eigenlens inspect fashion-memorized --sigmas 1.5 --triplets 8 --samples 1 --copies 0 --edits 0 --seed 4',
      'eigenlens inspect gaussian:fashion-train:100 --sigmas 1.5 --triplets 8 --samples 1 --copies 0 --edits 0 --seed 4',
    ]);
  });

  it('says how a dropped network is read', () => {
    const network = [{ path: 'my net.onnx', file: new File([], 'x') }];
    const data = { model: undefined, pictures: [], sampleShape: [1, 28, 28] };
    const reading = { parameterization: { kind: 'edm' }, range: { low: 0, high: 1 } } as const;
    const [own] = commandsOf({ ...codec.start, network }, data, reading);
    expect(own).toBe("eigenlens inspect 'my net.onnx' --parameterization edm --pixel-range 0:1 --trust --data fashion --sigmas 0.6 --triplets 8 --samples 1 --copies 0 --edits 0"); // prettier-ignore
  });
});
