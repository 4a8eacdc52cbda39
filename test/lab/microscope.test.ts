import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadNetwork, networkDenoiser } from '../../lab/rooms/microscope/foreign.ts';
import type { Denoiser } from '../../src/denoisers/denoiser.ts';
import type { Alternative } from '../../src/diffusion/alternatives.ts';
import { bytesOf, graph, model, node } from '../../src/engine/onnx/model.fixture.ts';
import { drawImages, writeIdealModel } from '../../src/experiments/ideal-network.fixture.ts';
import { openDenoiser } from '../../src/experiments/models.ts';
import { noiseHeldout } from '../../src/experiments/inspect-points.ts';
import { resolveInspectSpec } from '../../src/experiments/inspect-spec.ts';
import { leadingTriplets } from '../../src/linalg/triplets.ts';
import { encodePng, imagePicture } from '../../src/report/png.ts';
import { row, tensor } from '../../src/tensor/tensor.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { chromiumNote, chromiumPath, launchChromium } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, TestLab } from './lab.ts';

const MODELS = join(import.meta.dirname, '../models');

/** The input of a drop zone: that of networks comes first, that of pictures second. */
function chooser(page: Page, i: number): Locator {
  return page.locator('input[type=file]').nth(i);
}

/** Drops files of this machine on the zone with these words, as a hand does. */
async function drop(page: Page, words: string, files: readonly string[]): Promise<void> {
  const zone = page.getByText(words);
  await zone.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await zone.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const session = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    const data = { items: [], files: [...files], dragOperationsMask: 1 };
    await session.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
  }
  await session.detach();
}

/** What the page hands out as a file. */
async function download(page: Page, title: string, kind: 'SVG' | 'CSV'): Promise<string> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: `Save ${title} as ${kind}` }).click(),
  ]);
  return readFile(await file.path(), 'utf8');
}

/** Rows of a saved table without its head, and of the spectrum those of the model. */
async function saved(page: Page, title: string): Promise<string[][]> {
  const rows = (await download(page, title, 'CSV')).trim().split('\n').slice(1);
  return rows.map((line) => line.split(',')).filter(([first]) => first === 'model' || !Number.isNaN(Number(first)));
}

/** The shipped model in Node and the noisy image [1, 1, 28, 28] that the page looks at. */
async function pointInNode(): Promise<{ denoiser: Denoiser; x: Tensor<'float32'> }> {
  const { denoiser, heldout } = await openDenoiser('fashion');
  const { noisy } = await noiseHeldout(resolveInspectSpec({ seed: 3, sigmas: [0.7] }), denoiser, heldout);
  return { denoiser, x: row(noisy as Tensor<'float32'>, 0) };
}

describe.skipIf(chromiumPath === undefined)(`the microscope (${chromiumNote})`, { timeout: 300_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;
  let folder: string;
  /** One page, whose graphs stay warm, for all walks but that of a browser without WebGPU. */
  let walk: LabPage;
  let page: Page;
  let inNode: Awaited<ReturnType<typeof pointInNode>>;
  const hash = '#microscope.1?picture=3&sigma=0.7';
  const vectors = (): Locator => page.getByRole('group', { name: 'Right singular vectors' }).getByRole('button');
  /** Takes back what was dropped. */
  const remove = async (...dropped: readonly ('model' | 'pictures')[]): Promise<void> => {
    for (const what of dropped) await page.getByRole('button', { name: `Remove the ${what}` }).click();
  };
  const wait = { timeout: 200_000 };

  beforeAll(async () => {
    lab = resources.use(await startLab());
    walk = await lab.open({ hash });
    ({ page } = walk);
    inNode = await pointInNode();
    resources.use(inNode.denoiser);
    folder = await mkdtemp(join(tmpdir(), 'eigenlens-microscope-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('has the triplets of the Node library, and links value, vector and effect', async () => {
    await vectors().first().waitFor(wait);
    expect(await vectors().count()).toBe(8);
    // The step is taken along vectors that have settled.
    await page.getByRole('img', { name: 'D(x + λv)' }).waitFor(wait);
    const rows = await saved(page, 'Spectrum of the Jacobian');
    const { denoiser, x } = inNode;
    const wanted = await leadingTriplets(denoiser.linearize(row(x, 0), 0.7), { rank: 8, seed: 3 });
    wanted.values.forEach((value, i) => expect(Number(rows[i]?.[2]) / value).toBeCloseTo(1, 4));

    await vectors().nth(4).focus();
    await page.getByText('Step along vector 5').waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).hash).toBe(`${hash}&v=4`);
    await page.getByRole('slider', { name: /^Step along vector 5/ }).focus();
    await page.keyboard.press('PageUp');
    await expect.poll(() => new URL(page.url()).hash).toBe(`${hash}&v=4&step=10`);
  });

  it('saves its pictures and vectors, with their values', async () => {
    for (const [title, tiles, rows] of [['the pictures', 6, 784], ['the singular vectors', 8, 8 * 784], ['the effect of the step', 4, 784]] as const) {
      await expect.poll(async () => (await download(page, title, 'SVG')).match(/<image /g)?.length, wait).toBe(tiles);
      expect((await saved(page, title)).length).toBe(rows);
    } // prettier-ignore
  });

  it('has no serious accessibility finding and does not overflow', async () => {
    expect(await walk.flaws()).toEqual([]);
  });

  it('comes back by its link', async () => {
    await page.reload();
    await vectors().nth(4).waitFor(wait);
    expect(await vectors().nth(4).getAttribute('aria-pressed')).toBe('true');
    const step = page.getByRole('slider', { name: /^Step along vector 5/ });
    expect(await step.getAttribute('aria-valuetext')).toBe('10');
  });

  it('takes a dropped network, read as it is told to be, and a dropped picture', async () => {
    const file = join(MODELS, 'flow-mixer.onnx');
    await drop(page, 'Drop your own ONNX model', [file]);
    await page.getByText('it takes 3x16x16').waitFor(wait);
    const picture = join(folder, 'slope.png');
    await writeFile(picture, encodePng({ width: 20, height: 20, data: Uint8Array.from({ length: 1200 }, (_, i) => (i * i) % 251) })); // prettier-ignore
    await drop(page, 'Drop your own picture, or a folder of them', [picture]);
    // Weights drawn at random denoise nothing: the check says so, and leaves the reading to whoever knows it.
    await page.getByText('does it denoise 1 picture').waitFor(wait);
    await page.getByRole('combobox', { name: /^Read as/ }).selectOption('flow, pixels -1..1');
    await page.getByText(/eigenlens inspect flow-mixer.onnx --parameterization flow --trust/).waitFor();
    await page.getByRole('img', { name: 'D(x + λv)' }).waitFor(wait);
    expect(await vectors().count()).toBe(8);

    const dropped = await loadNetwork(
      [{ path: 'flow-mixer.onnx', file: new File([await readFile(file)], 'x') }],
      'wasm',
    );
    const reading = dropped.readings.find(({ label }) => label === 'flow, pixels -1..1') as Alternative;
    const denoiser = resources.use(networkDenoiser(dropped, reading, () => dropped.network[Symbol.asyncDispose]()));
    const pixels = await saved(page, 'the pictures');
    const x = tensor(
      'float32',
      denoiser.sampleShape,
      Float32Array.from(pixels, (row) => Number(row[4])),
    );
    const { data } = await denoiser.denoise({ ...x, shape: [1, ...x.shape] }, 0.7);
    const agrees = async (): Promise<void> => {
      const rows = await saved(page, 'the pictures');
      rows.forEach((row, i) => expect(Number(row[5])).toBeCloseTo(data[i] as number, 4));
    };
    await agrees();
    const spectrum = await saved(page, 'Spectrum of the Jacobian');
    const { values } = await leadingTriplets(denoiser.linearize(x, 0.7), { rank: 8 });
    values.forEach((value, i) => expect(Number(spectrum[i]?.[2]) / value).toBeCloseTo(1, 4));
    // Closed forms of a single picture know that picture and no more.
    await page.getByText('rank 0: one picture').waitFor(wait);
    expect(await page.getByRole('alert').allTextContents()).toEqual([]);

    // On WebGPU where Chromium has it; where not, the room says so and WebAssembly computes.
    const device = page.getByRole('combobox', { name: 'Compute with' });
    await device.selectOption('webgpu');
    const isOffered = await page.evaluate<boolean>('navigator.gpu?.requestAdapter().then(Boolean) ?? false');
    const said = isOffered ? /^D\(x\) in \d+ ms by onnxruntime-web \S+ webgpu\.$/ : /^This browser offers no WebGPU/;
    await page.getByText(said).waitFor(wait);
    await agrees();
    await device.selectOption('wasm');
    await remove('model', 'pictures');
  });

  it('says where a side-car misstates the network, and how much worse its reading is', async () => {
    const ideal = await writeIdealModel('epsilon');
    resources.defer(() => rm(ideal.folder, { recursive: true, force: true }));
    const sideCar = { format: 'eigenlens-onnx/1', parameterization: { kind: 'v' } };
    const { data } = drawImages(30);
    const pictures = Array.from({ length: 30 }, (_, k) => ({
      name: `${k}.png`,
      mimeType: 'image/png',
      buffer: Buffer.from(encodePng(imagePicture(data.subarray(16 * k, 16 * (k + 1)), [1, 4, 4], [-1, 1]))),
    }));
    await chooser(page, 1).setInputFiles(pictures);
    await page.getByText('30 files').waitFor();
    await chooser(page, 0).setInputFiles([
      { name: 'ideal.onnx', mimeType: '', buffer: await readFile(ideal.model) },
      { name: 'ideal.onnx.json', mimeType: '', buffer: Buffer.from(JSON.stringify(sideCar)) },
    ]);
    const said = page.getByRole('status');
    await said.filter({ hasText: "Its side-car says 'v, linear, pixels -1..1', but read as here" }).waitFor(wait);
    const readings = page.getByRole('combobox', { name: /^Read as/ });
    expect(await readings.inputValue()).toBe('epsilon, linear, pixels -1..1');
    await readings.selectOption('v, linear, pixels -1..1');
    await said.filter({ hasText: "times the squared error that 'epsilon, linear, pixels -1..1' leaves" }).waitFor();
    await remove('model', 'pictures');
  });

  it('says in place what is wrong with a dropped file, and goes back to the shipped model', async () => {
    const whole = await readFile(join(MODELS, 'blind-cnn.onnx'));
    const input = { name: 'x', elementType: 'float32', shape: ['n', 1, 8, 8] };
    const odd = graph({
      inputs: [input],
      outputs: ['y'],
      nodes: [node('Det', ['x'], ['d']), node('GridSample', ['d', 'x'], ['z']), node('Relu', ['z'], ['y'])],
    });
    const cases = [
      ['odd.onnx', bytesOf(model(odd)), /^Odd: uses operators that cannot be read\. .*Det.*GridSample/],
      ['half.onnx', whole.subarray(0, whole.length / 2), /^Half\.onnx: .*truncated/],
      ['weights.onnx', await readFile('assets/models/fashion/model.safetensors'), /got a safetensors file: weights without a graph/],
      ['slope.png', Buffer.from('x'), /^Slope\.png: expected an \.onnx file, got another\. Export/],
    ] as const; // prettier-ignore
    for (const [name, bytes, sentence] of cases) {
      await chooser(page, 0).setInputFiles({ name, mimeType: '', buffer: Buffer.from(bytes) });
      await expect
        .poll(() => page.getByRole('alert').allTextContents(), wait)
        .toEqual([expect.stringMatching(sentence)]);
      await remove('model');
      expect(await page.getByRole('alert').count()).toBe(0);
    }
    await chooser(page, 1).setInputFiles({ name: 'a.png', mimeType: '', buffer: Buffer.from('x') });
    await page.getByRole('alert').filter({ hasText: 'expected a PNG or JPEG' }).waitFor(wait);
    await remove('pictures');
    await vectors().first().waitFor(wait);
  });

  it('says that there is no WebGPU, and computes without', async () => {
    const browser = await launchChromium({ webgpu: false });
    resources.defer(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${lab.url}${hash}&device=webgpu`);
    await page
      .getByRole('status')
      .filter({ hasText: /^This browser offers no WebGPU/ })
      .waitFor(wait);
    await page.getByRole('img', { name: 'Model: D(x), the posterior mean' }).waitFor(wait);
  });

  it('raises no error, warning or failed request', () => {
    expect(walk.complaints).toEqual([]);
  });
});
