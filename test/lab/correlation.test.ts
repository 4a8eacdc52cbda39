import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, LabPageOptions, TestLab } from './lab.ts';

describe.skipIf(chromiumPath === undefined)(`the correlation machine (${chromiumNote})`, { timeout: 120_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;

  const open = (options: LabPageOptions = {}): Promise<LabPage> => lab.open(options);
  /** Small, so that the trials are over soon. */
  const small = '#correlation.1?p=20&n=40&trials=3&steps=5';

  beforeAll(async () => {
    lab = resources.use(await startLab());
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('shows closed forms at once, and dots of the trials when they are done', async () => {
    const { page } = await open({ hash: small });
    const figure = page.getByRole('img', { name: 'Directions come back one by one as noise falls' });
    await figure.waitFor();
    expect(await figure.locator('[data-mark="line"] path').count()).toBe(3);
    // Ten noise levels of three directions.
    await expect.poll(() => figure.locator('[data-mark="dot"] circle').count(), { timeout: 60_000 }).toBe(30);
    await expect.poll(() => page.getByRole('progressbar').count(), { timeout: 60_000 }).toBe(0);
  });

  it('brings a real picture back direction by direction', async () => {
    const { page } = await open({ hash: small });
    const strip = page.getByRole('group', { name: 'A held-out picture at falling noise' });
    await strip.waitFor({ timeout: 100_000 });
    const labels = await strip.getByRole('img', { name: /^from \d+ directions/ }).evaluateAll((tiles) => tiles.map((t) => t.ariaLabel)); // prettier-ignore
    const found = labels.map((label) => Number(/\d+/.exec(label ?? '')?.[0]));
    expect(found.length).toBe(8);
    // Above the threshold of the first direction there is none; the less noise, the more.
    expect(found[0]).toBe(0);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found.at(-1)).toBeGreaterThan(100);
  });

  it('writes what a slider is set to into the address and the command, and restores it from there', async () => {
    const { page } = await open({ hash: small });
    const samples = page.getByRole('slider', { name: 'Samples n' });
    await samples.focus();
    await page.keyboard.press('PageUp');
    expect(await samples.getAttribute('aria-valuetext')).toBe('80');
    await expect.poll(() => new URL(page.url()).hash).toBe('#correlation.1?p=20&n=80&steps=5&trials=3');
    await page.getByText('eigenlens theory critical-noise --top 10 --decay 0.5 --count 3 --p 20 --n 80 --draws 1 --trials 3').waitFor(); // prettier-ignore
    await page.reload();
    await page.getByRole('slider', { name: 'Samples n' }).waitFor();
    expect(await page.getByRole('spinbutton', { name: 'Samples' }).inputValue()).toBe('80');
  });

  it('takes typed numbers, and says what it expected for others', async () => {
    const { page } = await open({ hash: small });
    const box = page.getByRole('spinbutton', { name: 'Largest variance' });
    await box.fill('1000');
    await box.press('Enter');
    expect(await page.getByRole('alert').textContent()).toBe('Expected a number from 1 to 100.');
    expect(await box.inputValue()).toBe('100');
  });

  it('is used by the keyboard alone, and shows where one is', async () => {
    const { page } = await open({ hash: small });
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

  it('says what is wrong with a link, and shows the rest', async () => {
    const { page } = await open({ hash: '#correlation.1?p=20&n=many&trials=3&steps=5' });
    const notice = page.getByText('The link says n = many, expected a whole number from 10 to 10000.');
    await notice.waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await notice.count()).toBe(0);
    expect(await page.getByRole('spinbutton', { name: 'Dimension' }).inputValue()).toBe('20');
  });

  it('saves its figures as SVG with their own colours, and as CSV with every digit', async () => {
    const { page } = await open({ hash: small });
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

  it('shares memory between threads, and asks nobody but this server', async () => {
    const { page } = await open({ hash: small });
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
  });

  it('raises no error, warning or failed request', () => {
    expect(lab.pages.length).toBeGreaterThan(5);
    expect(lab.pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
