import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';

import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, TestLab } from './lab.ts';
import { watchWorkerCalls } from './worker-calls.ts';

// One page for all: the directions of the images are learned once.
describe.skipIf(chromiumPath === undefined)(`the correlation machine (${chromiumNote})`, { timeout: 120_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;
  let opened: LabPage;
  let page: Page;

  /** Small, so that the trials are over soon. */
  const small = '#correlation.1?p=20&n=40&steps=5&trials=3';
  const follow = (hash: string): Promise<void> => page.evaluate(`location.hash = '${hash}'`);
  const settled = (): Promise<void> => expect.poll(() => page.getByRole('progressbar').count(), { timeout: 60_000 }).toBe(0); // prettier-ignore
  const slide = async (name: string, key = 'ArrowRight'): Promise<void> => {
    await page.getByRole('slider', { name }).focus();
    await page.keyboard.press(key);
  };

  beforeAll(async () => {
    lab = resources.use(await startLab());
    opened = await lab.open({ hash: small });
    page = opened.page;
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('is used by the keyboard alone, and shows where one is', async () => {
    const names: string[] = [];
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate<[string, string]>(
        '[document.activeElement.textContent || document.activeElement.labels?.[0]?.textContent, getComputedStyle(document.activeElement).outlineStyle]',
      );
      names.push(name);
      // A radio button is drawn by the text beside it.
      if (!/system|light|dark/.test(name)) expect(outline, name).not.toBe('none');
    }
    expect(names[0]).toBe('Skip to the room');
    expect(names.join('|')).toContain('Correlation machine');
    await page.getByRole('button', { name: 'Draw again' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('seed=1');
  });

  it('shows what a link says: closed forms at once, and dots of the trials when they are done', async () => {
    await follow(small);
    const figure = page.getByRole('img', { name: 'Directions come back one by one as noise falls' });
    await figure.waitFor();
    expect(await page.getByRole('spinbutton', { name: 'Dimension' }).inputValue()).toBe('20');
    expect(await figure.locator('[data-mark="line"] path').count()).toBe(3);
    // Ten noise levels of three directions.
    await expect.poll(() => figure.locator('[data-mark="dot"] circle').count(), { timeout: 60_000 }).toBe(30);
  });

  it('brings real pictures back direction by direction', async () => {
    await settled();
    const process = page.getByRole('img', { name: 'Real images come back direction by direction' });
    // Directions 1, 3, 9, 27, 81, 243 and 729.
    expect(await process.locator('[data-mark="line"] path').count()).toBe(7);
    for (const name of ['The reverse process from noise alone', 'A held-out picture']) {
      const estimates = page.getByRole('group', { name }).getByRole('img', { name: /^from \d+ directions/ });
      const labels = await estimates.evaluateAll((tiles) => tiles.map((tile) => tile.ariaLabel));
      const found = labels.map((label) => Number(/\d+/.exec(label ?? '')?.[0]));
      expect(found.length).toBe(8);
      // Above the threshold of the first direction there is none; the less noise, the more.
      expect(found[0]).toBe(0);
      expect(found).toEqual(found.toSorted((a, b) => a - b));
      expect(found.at(-1)).toBeGreaterThan(100);
    }
  });

  it('begins anew with nothing but what a slider enters', async () => {
    await settled();
    const asked = await watchWorkerCalls(page);
    const both = ['measureAlignment', 'measureGains'];
    for (const [name, operations] of [
      ['Step noise', ['measureGains']],
      ['Steps', ['measureGains']],
      ['Picture', ['reverseImage']],
      ['Decay', both],
      ['Largest variance', both],
      ['Dimension', both],
      ['Samples', [...both, 'reverseImage']],
    ] as const) {
      await slide(name);
      await settled();
      expect(await asked(), name).toEqual(operations);
    }
    await page.getByLabel('Alignment as').selectOption('sine');
    await expect.poll(() => page.url()).toContain('show=sine');
    // The same trials, seen otherwise.
    expect(await page.locator('figure').first().locator('[data-mark="dot"] circle').count()).toBe(30);
    expect(await asked()).toEqual([]);
  });

  it('writes what a slider is set to into the address and the command', async () => {
    await follow(small);
    await slide('Samples n', 'PageUp');
    expect(await page.getByRole('slider', { name: 'Samples n' }).getAttribute('aria-valuetext')).toBe('80');
    await expect.poll(() => new URL(page.url()).hash).toBe(small.replace('n=40', 'n=80'));
    await page.getByText('eigenlens theory critical-noise --top 10 --decay 0.5 --count 3 --p 20 --n 80 --draws 1 --trials 3').waitFor(); // prettier-ignore
  });

  it('takes typed numbers, and says what it expected for others', async () => {
    const box = page.getByRole('spinbutton', { name: 'Largest variance' });
    await box.fill('1000');
    await box.press('Enter');
    expect(await page.getByRole('alert').textContent()).toBe('Expected a number from 1 to 100.');
    expect(await box.inputValue()).toBe('100');
  });

  it('says what is wrong with a link, and shows the rest', async () => {
    await follow(small.replace('n=40', 'n=many'));
    const notice = page.getByText('The link says n = many, expected a whole number from 10 to 10000.');
    await notice.waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await notice.count()).toBe(0);
    expect(await page.getByRole('spinbutton', { name: 'Dimension' }).inputValue()).toBe('20');
  });

  it('saves its figures as SVG with their own colours, and as CSV with every digit', async () => {
    const save = async (kind: string): Promise<string> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `Save Many steps are a power iteration as ${kind}` }).click(),
      ]);
      return readFile(await download.path(), 'utf8');
    };
    const svg = await save('SVG');
    expect(svg).toMatch(/^<svg[^>]* xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).not.toContain('var(');
    const [head, ...rows] = (await save('CSV')).trim().split('\n');
    expect(head).toBe('kind,direction,steps,gain_relative_to_first,low,high');
    // Variances 10, 5, 2.5: after 3 steps the second has 1/8 of the first.
    expect(rows).toContain('power iteration,2,3,0.125,,');
  });

  it('has no serious accessibility finding and does not overflow', async () => {
    expect(await opened.flaws()).toEqual([]);
  });

  it('shares memory between threads, and asks nobody but this server', async () => {
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    expect(opened.complaints).toEqual([]);
  });
});
