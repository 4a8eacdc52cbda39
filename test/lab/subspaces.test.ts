import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Locator, Page } from 'playwright-core';

import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, TestLab } from './lab.ts';
import { watchWorkerCalls } from './worker-calls.ts';

// One page for all: a link is followed without loading it again.
describe.skipIf(chromiumPath === undefined)(`the room of subspaces (${chromiumNote})`, { timeout: 120_000 }, () => {
  const resources = new AsyncDisposableStack();
  let opened: LabPage;
  let page: Page;

  const view = (): Locator => page.getByRole('img', { name: 'Subspaces turn into place' });
  const cells = (): Locator =>
    page.getByRole('img', { name: 'As many points as dimensions' }).locator('[data-mark="rect"]').first().locator('rect'); // prettier-ignore
  /** Small, so that all is over soon. */
  const small = '#subspaces.1?shape=two-lines&n=12&noise=0&rate=0.8&steps=20&K=1&dim=8&trials=2&tries=2';
  const follow = (hash: string): Promise<void> => page.evaluate(`location.hash = '${hash}'`);
  const trained = (steps: number): Promise<void> =>
    page.getByText(new RegExp(`^After ${steps} steps the network is wrong by`)).waitFor({ timeout: 90_000 });
  const settled = (): Promise<void> => expect.poll(() => page.getByRole('progressbar').count(), { timeout: 60_000 }).toBe(0); // prettier-ignore

  beforeAll(async () => {
    const lab: TestLab = resources.use(await startLab());
    opened = await lab.open({ hash: small });
    page = opened.page;
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('lets subspaces turn into place step by step, and says how near they came', async () => {
    const network = view().locator('[data-mark="network"] path').first();
    await network.waitFor({ timeout: 60_000 });
    const poses = new Set<string | null>();
    await expect
      .poll(async () => poses.add(await network.getAttribute('d')).size, { timeout: 60_000, interval: 30 })
      .toBeGreaterThan(2);
    expect(await view().locator('[data-mark="points"] circle').count()).toBe(24);
    await trained(20);
    const errors = page.getByRole('img', { name: 'Error' }).locator('[data-mark="line"] path');
    // Two subspaces, two learners.
    expect(await errors.count()).toBe(4);
  });

  it('fills the phase diagram under the predicted boundary', async () => {
    await expect.poll(() => cells().count(), { timeout: 100_000 }).toBe(8 * 14);
    const titles = await cells().locator('title').allTextContents();
    const shares = titles.map((title) => /N = (\d+), d = (\d+): (\d+) of 2/.exec(title)?.slice(1).map(Number) ?? []);
    expect(shares.length).toBe(8 * 14);
    for (const [N = 0, d = 0, successes] of shares) if (d < 8) expect(successes).toBe(N < d ? 0 : 2);
    expect(await page.getByText('predicted N = d', { exact: true }).count()).toBe(1);
  });

  it('begins anew with nothing but what a slider enters', async () => {
    await settled();
    const asked = await watchWorkerCalls(page);
    for (const [name, key, operations] of [
      ['Step shown', 'ArrowLeft', []],
      ['Framed rank', 'ArrowRight', []],
      ['Step length', 'ArrowRight', ['learn']],
      ['Points of each', 'ArrowRight', ['learn']],
      ['Subspaces K', 'ArrowRight', ['fillDiagram']],
    ] as const) {
      await page.getByRole('slider', { name }).focus();
      await page.keyboard.press(key);
      await settled();
      expect(await asked(), name).toEqual(operations);
    }
    await page.getByRole('application', { name: 'View in three dimensions' }).focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.url()).toContain('turn=23');
    expect(await asked()).toEqual([]);
  });

  it('takes the points of a cell into the view', async () => {
    await follow(small);
    await expect.poll(() => cells().count(), { timeout: 60_000 }).toBe(8 * 14);
    await settled();
    await cells()
      .nth(14 * 2 + 4)
      .click();
    // The third rank, five points.
    await expect.poll(() => page.getByRole('spinbutton', { name: 'Points of each' }).inputValue()).toBe('5');
    expect(await page.getByRole('spinbutton', { name: 'Framed rank' }).inputValue()).toBe('3');
  });

  it('turns under the pointer and the arrow keys, and a link restores all of it', async () => {
    await follow(small);
    await trained(20);
    await view().scrollIntoViewIfNeeded();
    const box = (await view().boundingBox()) as { x: number; y: number; width: number; height: number };
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 20, { steps: 4 });
    await page.mouse.up();
    await page.mouse.move(x + 140, y + 20);
    await expect.poll(() => page.url()).toContain('turn=48&tilt=32');
    await page.getByRole('application', { name: 'View in three dimensions' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => page.url()).toContain('turn=43&tilt=27');
    await page.getByRole('slider', { name: 'Step shown' }).focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.url()).toContain('step=19');
    await page.reload();
    await page.getByRole('slider', { name: 'Step shown' }).waitFor();
    expect(await page.getByRole('spinbutton', { name: 'Step shown' }).inputValue()).toBe('19');
    expect(await page.getByRole('spinbutton', { name: 'Points of each' }).inputValue()).toBe('12');
    expect(page.url()).toContain('turn=43&tilt=27');
  });

  it('saves the view as SVG and the points as CSV', async () => {
    await trained(20);
    const save = async (kind: string): Promise<string> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `Save Subspaces turn into place as ${kind}` }).click(),
      ]);
      return readFile(await download.path(), 'utf8');
    };
    const svg = await save('SVG');
    expect(svg).toMatch(/^<svg[^>]* xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).not.toContain('var(');
    const [head, ...rows] = (await save('CSV')).trim().split('\n');
    expect(head).toBe('component,x,y,z,network_says,k_subspaces_says');
    expect(rows.length).toBe(24);
    // Both have found the component of every point.
    for (const row of rows) expect(row.split(',').slice(4)).toEqual([row.charAt(0), row.charAt(0)]);
  });

  it('has no serious accessibility finding and does not overflow', async () => {
    await settled();
    expect(await opened.flaws()).toEqual([]);
  });

  it('is used by the keyboard alone, stops when told to, and begins anew', async () => {
    await follow('#subspaces.1?shape=three-lines&n=200&noise=0&steps=400&starts=6&K=1&dim=8&trials=1&tries=1');
    const cancel = page.getByRole('button', { name: 'Cancel' }).first();
    await cancel.focus({ timeout: 60_000 });
    await page.keyboard.press('Enter');
    const progress = page.getByRole('progressbar', { name: /^(training|start)/ });
    await expect.poll(() => progress.count()).toBe(0);
    await page.getByRole('button', { name: 'Train again' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => progress.count()).toBe(1);
    await page.getByRole('button', { name: 'Draw again' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('seed=1');
    await page.getByText('eigenlens equivalence molrg:n=3,K=3,d=1,seed=1').waitFor();
    await page.getByLabel('Mixture').selectOption('plane-and-line');
    await page.getByText('eigenlens equivalence molrg:n=3,d=2+1,seed=1').waitFor();
  });

  it('raises no error, warning or failed request', () => {
    expect(opened.complaints).toEqual([]);
  });
});
