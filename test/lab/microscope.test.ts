import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openDenoiser } from '../../src/experiments/models.ts';
import { noiseHeldout } from '../../src/experiments/inspect-points.ts';
import { resolveInspectSpec } from '../../src/experiments/inspect-spec.ts';
import { leadingTriplets } from '../../src/linalg/triplets.ts';
import { row } from '../../src/tensor/tensor.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, LabPageOptions, TestLab } from './lab.ts';

const MODELS = join(import.meta.dirname, '../models');

describe.skipIf(chromiumPath === undefined)(`the microscope (${chromiumNote})`, { timeout: 300_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;

  const open = (options: LabPageOptions = {}): Promise<LabPage> => lab.open({ hash: '#microscope', ...options });
  const vectors = (page: Page): Locator =>
    page.getByRole('group', { name: 'Right singular vectors' }).getByRole('button');
  const wait = { timeout: 200_000 };

  beforeAll(async () => {
    lab = resources.use(await startLab());
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('has the triplets of the Node library, and links value, vector and effect', async () => {
    const { page } = await open({ hash: '#microscope.1?picture=3&sigma=0.7' });
    await vectors(page).first().waitFor(wait);
    expect(await vectors(page).count()).toBe(8);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save Spectrum of the Jacobian as CSV' }).click(),
    ]);
    const lines = (await readFile(await download.path(), 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('model,'));
    const values = lines.slice(0, 8).map((line) => Number(line.split(',')[2]));
    const spec = resolveInspectSpec({ seed: 3, sigmas: [0.7] });
    const { denoiser, heldout } = await openDenoiser('fashion');
    resources.use(denoiser);
    const { noisy } = await noiseHeldout(spec, denoiser, heldout);
    const x = row(row(noisy as Tensor<'float32'>, 0), 0);
    const wanted = await leadingTriplets(denoiser.linearize(x, 0.7), { rank: 8, seed: 3 });
    values.forEach((value, i) => expect(value / (wanted.values[i] as number)).toBeCloseTo(1, 4));

    await page.getByRole('img', { name: 'D(x + λv)' }).waitFor(wait);
    await vectors(page).nth(4).focus();
    await page.getByText('Step along vector 5').waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).hash).toBe('#microscope.1?picture=3&sigma=0.7&v=4');
    const step = page.getByRole('slider', { name: /^Step along vector 5/ });
    await step.focus();
    await page.keyboard.press('PageUp');
    await expect.poll(() => new URL(page.url()).hash).toContain('step=10');
    const { hash } = new URL(page.url());
    await page.close();
    const again = (await open({ hash })).page;
    await vectors(again).nth(4).waitFor(wait);
    expect(await vectors(again).nth(4).getAttribute('aria-pressed')).toBe('true');
    await again.close();
  });

  it('says what is wrong with a dropped file, and goes back to the shipped model', async () => {
    const { page } = await open();
    const input = page.locator('input[type=file]').first();
    await input.setInputFiles({ name: 'notes.onnx', mimeType: '', buffer: Buffer.from('no graph') });
    const alert = page.getByRole('alert').filter({ hasText: 'expected an ONNX model' });
    await alert.waitFor(wait);
    await page.getByRole('button', { name: 'Remove the model' }).click();
    expect(await alert.count()).toBe(0);
    await page.locator('input[type=file]').nth(1).setInputFiles({ name: 'a.png', mimeType: '', buffer: Buffer.from('x') }); // prettier-ignore
    await page.getByRole('alert').filter({ hasText: 'expected a PNG or JPEG' }).waitFor(wait);
  });

  it('opens a dropped network, and asks for pictures where none that ship fit', async () => {
    const { page } = await open();
    await page.locator('input[type=file]').first().setInputFiles(join(MODELS, 'ddpm-unet.onnx'));
    await page.getByText('it takes 3x16x16').first().waitFor(wait);
    await page.getByRole('combobox', { name: /^Read as/ }).waitFor();
  });

  it.each([
    ['light', {}],
    ['dark', { dark: true }],
    ['390 px wide', { width: 390 }],
  ])('has no serious accessibility finding and does not overflow: %s', async (_, options) => {
    const opened = await open(options);
    const { page } = opened;
    await vectors(page).first().waitFor(wait);
    expect(await opened.violations()).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    await page.close();
  });

  it('raises no error, warning or failed request', () => {
    expect(lab.pages.length).toBeGreaterThan(4);
    expect(lab.pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
