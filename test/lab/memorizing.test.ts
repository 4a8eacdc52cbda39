import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, LabPageOptions, TestLab } from './lab.ts';

describe.skipIf(chromiumPath === undefined)(`the room of memorizing (${chromiumNote})`, { timeout: 120_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;
  let folder: string;

  const open = (options: LabPageOptions = {}): Promise<LabPage> => lab.open(options);
  /** Few samples, so that they are drawn soon. */
  const small = '#memorizing.1?samples=4';

  beforeAll(async () => {
    lab = resources.use(await startLab());
    folder = await mkdtemp(join(tmpdir(), 'eigenlens-memorizing-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    // Pictures of bars: two of the four samples are training images.
    for (const [name, bars] of [
      ['training', [0, 1, 2, 3, 4, 5]],
      ['generated', [2, 4, 6, 7]],
    ] as const) {
      await mkdir(join(folder, name));
      for (const [i, bar] of bars.entries()) {
        const data = Uint8Array.from({ length: 64 }, (_, p) => ((p % 8 === bar ? 255 : 0) + 31 * p * (bar + 1)) % 256);
        await writeFile(join(folder, name, `${i}.png`), encode({ width: 8, height: 8, data, channels: 1, depth: 8 }));
      }
    }
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('moves along the measured sizes by the keyboard, in every figure and in the address, and comes back by the link', async () => {
    const { page } = await open({ hash: small });
    const slider = page.getByRole('slider', { name: 'Training images N' });
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await slider.getAttribute('aria-valuetext')).toBe('64');
    await page.getByRole('heading', { name: 'Where the samples lie at N = 64' }).waitFor();
    await page.getByText('0.447').waitFor();
    await expect.poll(() => new URL(page.url()).hash).toBe('#memorizing.1?n=64&samples=4');
    await page.getByRole('combobox', { name: 'Network' }).selectOption('narrow');
    await page.getByText('0.993').waitFor();
    await expect.poll(() => page.url()).toContain('network=narrow');
    const restored = await open({ hash: new URL(page.url()).hash });
    await restored.page.getByRole('heading', { name: 'Where the samples lie at N = 64' }).waitFor();
    expect(await restored.page.getByRole('combobox', { name: 'Network' }).inputValue()).toBe('narrow');
  });

  it('draws both shipped models from the same seeds over their nearest training images', async () => {
    const { page } = await open({ hash: small });
    for (const model of ['fashion-memorized', 'fashion']) {
      const group = page.getByRole('group', { name: `Samples of ${model} over their nearest training images` });
      await group.waitFor({ timeout: 100_000 });
      expect(await group.getByRole('img', { name: /^training image/ }).count()).toBe(4);
    }
    const said = page.getByText(/of 4 samples are copies/);
    expect(await said.allTextContents()).toEqual([expect.stringMatching(/^3 of 4/), expect.stringMatching(/^0 of 4/)]);
    // The threshold changes what counts, and draws nothing anew.
    await page.getByRole('spinbutton', { name: 'Copy below ratio' }).fill('0.05');
    await page.keyboard.press('Enter');
    await expect.poll(() => said.first().textContent()).not.toMatch(/^3 of 4/);
    expect(await page.getByRole('progressbar').count()).toBe(0);
    await page.getByText('eigenlens audit fashion-memorized --samples 4 --descriptors pixels --ratio 0.05').waitFor();
  });

  it('audits a folder of samples beside a folder of training images', async () => {
    const { page } = await open({ hash: small });
    await page.getByLabel(/Drop a folder of samples/).setInputFiles(join(folder, 'generated'));
    await page.getByText('The other folder is still missing').waitFor();
    await page.getByLabel(/Drop a folder of training images/).setInputFiles(join(folder, 'training'));
    const pairs = page.getByRole('group', { name: 'The closest pairs' });
    await pairs.waitFor({ timeout: 60_000 });
    expect(await pairs.getByRole('img', { name: /^sample/ }).count()).toBe(4);
    await page.getByText('2 of 4 samples are copies: 50 %').waitFor();
    await page.getByText('eigenlens audit generated/ --train training/ --samples 4').waitFor();
  });

  it('says in a sentence that a folder holds no image', async () => {
    const { page } = await open({ hash: small });
    await mkdir(join(folder, 'words'));
    await writeFile(join(folder, 'words', 'notes.txt'), 'words');
    await page.getByLabel(/Drop a folder of samples/).setInputFiles(join(folder, 'words'));
    await page.getByLabel(/Drop a folder of training images/).setInputFiles(join(folder, 'training'));
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('Samples: expected PNG or JPEG images in this folder, got none.');
  });

  it.each([
    ['light', {}],
    ['dark', { dark: true }],
    ['390 px wide', { width: 390 }],
  ])('has no serious accessibility finding and does not overflow: %s', async (_, options) => {
    const opened = await open({ hash: small, ...options });
    const { page } = opened;
    await page.locator('.katex').first().waitFor();
    expect(await opened.violations()).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
  });

  it('raises no error, warning or failed request', () => {
    expect(lab.pages.length).toBeGreaterThan(5);
    expect(lab.pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
