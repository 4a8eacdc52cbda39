import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpy } from '../../src/data/npy.ts';
import { resolveAuditSpec } from '../../src/experiments/audit-spec.ts';
import { openAuditSubject } from '../../src/experiments/audit-subject.ts';
import { runAudit } from '../../src/experiments/audit.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, TestLab } from './lab.ts';

/** An image of 8 x 8: a bright bar on a ground of its own. */
function bar(at: number): Uint8Array {
  return Uint8Array.from({ length: 64 }, (_, p) => ((p % 8 === at ? 255 : 0) + 31 * p * (at + 1)) % 256);
}

// One page is walked through from top to bottom: opening another draws the samples of two models again.
describe.skipIf(chromiumPath === undefined)(`the room of memorizing (${chromiumNote})`, { timeout: 120_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;
  let walk: LabPage;
  let page: Page;
  let folder: string;
  let [training, samples] = ['', ''];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eigenlens-memorizing-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    // Two of the four samples are training images.
    [training, samples] = [join(folder, 'training'), join(folder, 'samples.npy')];
    await mkdir(training);
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const png = encode({ width: 8, height: 8, data: bar(at), channels: 1, depth: 8 });
      await writeFile(join(training, `${at}.png`), png);
    }
    const drawn = Uint8Array.from([2, 4, 6, 7].flatMap((at) => [...bar(at)]));
    await writeFile(samples, writeNpy(tensor('uint8', [4, 8, 8], drawn)));
    lab = resources.use(await startLab());
    // Few samples, so that they are drawn soon.
    walk = await lab.open({ hash: '#memorizing.1?samples=4' });
    ({ page } = walk);
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('moves along the measured sizes by the keyboard, in every figure and in the address', async () => {
    const firstAt = async (size: string): Promise<string | null> => {
      const sheet = page.getByRole('img', { name: `What a network draws that saw ${size} images` });
      await expect.poll(() => sheet.locator('image').count()).toBe(20);
      return sheet.locator('image').first().getAttribute('href');
    };
    const before = await firstAt('128');
    const slider = page.getByRole('slider', { name: 'Training images N' });
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await slider.getAttribute('aria-valuetext')).toBe('64');
    expect(await firstAt('64')).not.toBe(before);
    await page.getByRole('heading', { name: 'Where samples lie at N = 64' }).waitFor();
    await page.getByText('0.447').waitFor();
    await expect.poll(() => new URL(page.url()).hash).toBe('#memorizing.1?n=64&samples=4');
    await page.getByRole('combobox', { name: 'Network' }).selectOption('narrow');
    await page.getByText('0.993').waitFor();
    await expect.poll(() => page.url()).toContain('network=narrow');
  });

  it('comes back by its link', async () => {
    const restored = await lab.open({ hash: new URL(page.url()).hash });
    await restored.page.getByRole('heading', { name: 'Where samples lie at N = 64' }).waitFor();
    expect(await restored.page.getByRole('combobox', { name: 'Network' }).inputValue()).toBe('narrow');
    await restored.page.close();
  });

  it('draws both shipped models from the same seeds over their nearest training images', async () => {
    for (const model of ['fashion-memorized', 'fashion']) {
      const group = page.getByRole('group', { name: `Samples of ${model} over their nearest training images` });
      await group.waitFor({ timeout: 100_000 });
      expect(await group.getByRole('img', { name: /^training image/ }).count()).toBe(4);
    }
    const said = page.getByText(/of 4 samples are copies/);
    expect(await said.allTextContents()).toEqual([expect.stringMatching(/^3 of 4/), expect.stringMatching(/^0 of 4/)]);
    // The threshold changes what counts, and draws nothing anew.
    const ratio = page.getByRole('spinbutton', { name: 'Copy below ratio' });
    await ratio.fill('0.05');
    await page.keyboard.press('Enter');
    await expect.poll(() => said.first().textContent()).not.toMatch(/^3 of 4/);
    expect(await page.getByRole('progressbar').count()).toBe(0);
    await page.getByText('eigenlens audit fashion-memorized --samples 4 --descriptors pixels --ratio 0.05').waitFor();
    await ratio.fill('0.333');
    await page.keyboard.press('Enter');
  });

  it('says in a sentence that a folder holds no image', async () => {
    await mkdir(join(folder, 'words'));
    await writeFile(join(folder, 'words', 'notes.txt'), 'words');
    await page.getByLabel(/^Drop a folder or a file of samples/).setInputFiles(join(folder, 'words'));
    await page.getByText('The training images are still missing').waitFor();
    await page.getByLabel(/^Drop a folder or a file of training images/).setInputFiles(training);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('or one NPY or NPZ file of images, got words/notes.txt.');
  });

  it('audits a file of samples beside a folder of training images, and has the numbers of eigenlens audit', async () => {
    await page.getByLabel('or choose an NPY or NPZ file of samples').setInputFiles(samples);
    const pairs = page.getByRole('group', { name: 'The closest pairs' });
    await pairs.waitFor({ timeout: 60_000 });
    expect(await pairs.getByRole('img', { name: /^sample/ }).count()).toBe(4);
    await page.getByText('2 of 4 samples are copies: 50 %').waitFor();
    await page.getByText('eigenlens audit samples.npy --train training/ --samples 4').waitFor();
    const spec = resolveAuditSpec({ subject: samples, train: training, descriptors: ['pixels'], samples: 4 });
    const { arrays } = await runAudit(spec, await openAuditSubject(spec), { command: '', version: '0' });
    const save = page.getByRole('button', { name: 'Save Your samples beside your training images as CSV' });
    const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    const own = lines.filter((line) => line.startsWith('samples,')).map((line) => Number(line.split(',')[1]));
    const wanted = [...(arrays.scores['pixels_ratio_samples']?.data ?? [])];
    expect(own).toEqual(wanted.map((ratio) => expect.closeTo(ratio, 4) as unknown));
    expect(wanted.length).toBe(4);
  });

  it('has no serious accessibility finding and does not overflow, with all of it on the page', async () => {
    expect(await walk.flaws()).toEqual([]);
  });

  it('raises no error, warning or failed request', () => {
    expect(lab.pages.length).toBe(2);
    expect(lab.pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
