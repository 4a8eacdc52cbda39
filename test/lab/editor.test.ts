import { readFile } from 'node:fs/promises';
import type { Download, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { decodeImage } from '../../src/data/images.ts';
import { editPath, toNoise } from '../../src/editing/edit-image.ts';
import { readDirections } from '../../src/editing/direction-file.ts';
import type { DirectionSet } from '../../src/editing/direction-set.ts';
import { findDirections } from '../../src/editing/find-directions.ts';
import { boxMask } from '../../src/editing/mask.ts';
import { modelHash } from '../../src/experiments/model-hash.ts';
import { openDenoiser } from '../../src/experiments/models.ts';
import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, TestLab } from './lab.ts';

/** Little is projected out, so that the search is over soon. */
const NULL_RANK = 2;
const small = `#editor.1?null=${NULL_RANK}`;
const PATIENCE = { timeout: 240_000 };

/** The same directions by the library in Node. */
async function directionsInNode(): Promise<DirectionSet> {
  const { denoiser, heldout } = await openDenoiser('faces', {});
  await using model = denoiser;
  const image = await heldout.read([7]);
  const noisy = await toNoise(model, image, editPath({ sigma: 2 }));
  const mask = boxMask({ height: 32, width: 32 }, { x: 9, y: 18, width: 14, height: 8 });
  return await findDirections(model, noisy, 2, { mask, nullRank: NULL_RANK });
}

async function saved(page: Page, button: string, count: number): Promise<Download[]> {
  const downloads: Download[] = [];
  page.on('download', (download) => downloads.push(download));
  await page.getByRole('button', { name: button }).click();
  await expect.poll(() => downloads.length, PATIENCE).toBe(count);
  return downloads;
}

describe.skipIf(chromiumPath === undefined)(`the editor (${chromiumNote})`, { timeout: 600_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;
  /** One page, whose directions every test but the last ones looks at. */
  let walk: LabPage;
  let page: Page;
  const files: Record<string, Buffer> = {};

  beforeAll(async () => {
    lab = resources.use(await startLab());
    walk = await lab.open({ hash: small });
    ({ page } = walk);
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('finds directions, edits the picture and others by the same step', async () => {
    await page.getByText('in 12 steps').waitFor(PATIENCE);
    expect(await page.getByRole('img', { name: /^What direction \d changes$/ }).count()).toBe(5);
    await expect.poll(() => page.getByRole('img', { name: /^Picture \d+ after$/ }).count(), PATIENCE).toBe(6);
    await expect.poll(() => page.getByRole('progressbar').count(), PATIENCE).toBe(0);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('finds the directions of the library in Node', async () => {
    const [npz, json] = await saved(page, 'Save directions', 2);
    for (const file of [npz, json]) files[file?.suggestedFilename() ?? ''] = await readFile((await file?.path()) ?? '');
    expect(Object.keys(files)).toEqual(['directions-1.npz', 'directions-1.json']);
    const read = (name: string): Buffer => files[name] ?? Buffer.alloc(0);
    const { set, provenance } = await readDirections('directions-1.json', read('directions-1.json').toString(), (name) => Promise.resolve(Uint8Array.from(read(name)))); // prettier-ignore
    expect(provenance.model).toEqual({ name: 'faces', hash: await modelHash('faces') });
    const wanted = await directionsInNode();
    for (const list of ['values', 'kept', 'gains', 'leaks'] as const) {
      set[list].forEach((v, k) => expect(Math.abs(v - (wanted[list][k] as number)), `${list} ${k}`).toBeLessThan(1e-4));
    }
    expect(set.mask).toEqual(wanted.mask);
  });

  it('shows one step at once while a slider moves, and takes the pull back', async () => {
    const slider = page.getByRole('slider', { name: 'Step 2' });
    await slider.focus();
    await page.keyboard.press('PageUp');
    await page.keyboard.press('PageUp');
    await page.getByText('in one step, the rest follows').waitFor(PATIENCE);
    await page.getByText('in 12 steps').waitFor(PATIENCE);
    expect(decodeURIComponent(page.url())).toContain('edit=box:9,18,14,8~-6,2.4');
    await page.getByText('--compose 1=-6,2=2.4').waitFor();
    await page.keyboard.press('Control+z');
    expect(await slider.getAttribute('aria-valuetext')).toBe('0');
    await page.getByRole('button', { name: 'Redo' }).click();
    expect(await slider.getAttribute('aria-valuetext')).toBe('2.4');
    await page.getByRole('button', { name: 'Undo' }).click();
  });

  it('saves the picture, eight pixels a pixel', async () => {
    const [file] = await saved(page, 'Save picture', 1);
    expect(file?.suggestedFilename()).toBe('edit-faces-7.png');
    const { width, height } = decodeImage('edit', Uint8Array.from(await readFile((await file?.path()) ?? '')));
    expect([width, height]).toEqual([256, 256]);
  });

  it('paints a mask, and stops a search and starts it again', async () => {
    await page.getByRole('combobox', { name: 'Where to edit' }).selectOption('brush');
    const box = await page.getByRole('img', { name: 'Before', exact: true }).boundingBox();
    const at = (x: number, y: number): [number, number] => [
      (box?.x ?? 0) + (x / 32) * (box?.width ?? 0),
      (box?.y ?? 0) + (y / 32) * (box?.height ?? 0),
    ];
    await page.mouse.move(...at(12, 12));
    await page.mouse.down();
    await page.mouse.move(...at(22, 12), { steps: 4 });
    await page.mouse.up();
    await page.getByText("--mask 'polygon:").waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click(PATIENCE);
    await page.getByRole('button', { name: 'Find directions' }).click();
    await page.getByText('finding directions').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('--mask box:9,18,14,8').waitFor();
  });

  it('opens saved directions on another picture, and says what is wrong with other files', async () => {
    const chooser = page.locator('input[type="file"]');
    await chooser.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('none') });
    expect(await page.getByRole('alert').textContent()).toContain(
      'Expected a PNG or JPEG picture, or saved directions',
    );
    await chooser.setInputFiles(Object.entries(files).map(([name, buffer]) => ({ name, mimeType: '', buffer })));
    await page.getByText('Directions of directions-1.json').waitFor(PATIENCE);
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('spinbutton', { name: 'Picture' }).fill('3');
    await page.keyboard.press('Enter');
    await page.getByText('faces-heldout 3').waitFor(PATIENCE);
    await page.getByText('eigenlens edit faces 3 --transfer directions-1.json').waitFor();
    await expect.poll(() => page.getByRole('img', { name: 'What direction 1 changes' }).count(), PATIENCE).toBe(1);
  });

  it('is used by the keyboard alone', async () => {
    const { page: fresh } = await lab.open({ hash: small });
    await fresh.getByRole('combobox', { name: 'Where to edit' }).focus();
    const names: string[] = [];
    for (let i = 0; i < 16; i++) {
      await fresh.keyboard.press('Tab');
      names.push(await fresh.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent')); // prettier-ignore
    }
    expect(names.join('|')).toMatch(/Left.*Top.*Width.*Height.*Outside held.*Drop a picture/s);
    await fresh.getByRole('slider', { name: 'Width' }).focus();
    await fresh.keyboard.press('ArrowRight');
    await fresh.getByText('--mask box:9,18,15,8').waitFor();
    await fresh.reload();
    await fresh.getByText('--mask box:9,18,15,8').waitFor();
    await fresh.close();
  });

  it('has no serious accessibility finding and does not overflow', async () => {
    expect(await walk.flaws()).toEqual([]);
  });

  it('raises no error, warning or failed request', () => {
    expect(lab.pages.length).toBe(2);
    expect(lab.pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
