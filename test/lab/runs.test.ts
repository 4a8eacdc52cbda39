import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preview } from 'vite';

import { builtLab } from '../../src/server/built-lab.ts';
import { createRunFolder } from '../../src/store/run-folder.ts';
import { chromiumNote, chromiumPath } from '../browser/browser.ts';
import { startLab } from './lab.ts';
import type { LabPage, TestLab } from './lab.ts';

describe.skipIf(chromiumPath === undefined)(`the room of runs (${chromiumNote})`, { timeout: 120_000 }, () => {
  const resources = new AsyncDisposableStack();
  let lab: TestLab;
  let walk: LabPage;
  let page: Page;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eigenlens-runs-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    for (const n of [1, 2]) {
      await using inspect = await createRunFolder(join(folder, `inspect-${n}`));
      const rankCurve = [10, 1, 0.1].map((sigma, i) => ({ sigma, ratio: n * 0.1 * (i + 1), rank: i, image: 0, site: 'heldout', rule: 'sqrt-energy-0.99' })); // prettier-ignore
      await inspect.writeJson('spec.json', { job: 'inspect' });
      await inspect.writeJson('result.json', { rankCurve, started: `2026-01-0${n}T00:00:00Z`, wallMs: 1000 * n });
      await inspect.write('report.html', `<!doctype html><title>report ${n}</title><h1>Report ${n}</h1>`);
      await inspect.commit();
    }
    await using train = await createRunFolder(join(folder, 'train-1'));
    await train.writeJson('spec.json', { name: 'small' });
    await train.write('model.safetensors', 'weights');
    for (const step of [50, 100]) await train.appendRow('losses.jsonl', { step, loss: 10 / step });
    await train.commit();
    lab = resources.use(await startLab(folder));
    walk = await lab.open({ hash: '#runs' });
    ({ page } = walk);
  }, 300_000);
  afterAll(() => resources.disposeAsync());

  it('sorts by a column, both ways, and filters by words', async () => {
    const paths = (): Promise<string[]> => page.getByRole('rowheader').allTextContents();
    await page.getByRole('button', { name: 'run', exact: true }).press('Enter');
    expect((await paths()).map((path) => path.trim().split(/\s/)[0])).toEqual(['inspect-1', 'inspect-2', 'train-1']);
    await page.getByRole('button', { name: 'run', exact: true }).press('Enter');
    expect((await paths())[0]).toContain('train-1');
    expect(await page.getByRole('columnheader', { name: 'run' }).getAttribute('aria-sort')).toBe('descending');
    const filter = page.getByRole('searchbox', { name: 'Filter' });
    await filter.fill('inspect 2');
    await expect.poll(async () => (await paths()).length).toBe(1);
    await filter.fill('');
  });

  it('lays rank curves and losses of the ticked runs over one another, by the keyboard', async () => {
    await page.getByRole('checkbox', { name: 'Compare inspect-1' }).focus();
    await page.keyboard.press('Space');
    await page.getByText('Tick two or more runs').waitFor();
    await page.getByRole('checkbox', { name: 'Compare inspect-2' }).check();
    const ranks = page.getByRole('img', { name: 'Ranks over noise' });
    await expect.poll(() => ranks.locator('[data-mark="dot"] circle').count()).toBe(6);
    await page.getByRole('checkbox', { name: 'Compare train-1' }).check();
    await page.getByRole('img', { name: 'Losses over steps' }).waitFor();
    await page.getByText(`eigenlens runs compare ${folder}/inspect-1 ${folder}/inspect-2 ${folder}/train-1`).waitFor();
    await expect.poll(() => page.url()).toContain('runs=inspect-1%2Cinspect-2%2Ctrain-1');
  });

  it('opens the report of a run', async () => {
    const link = page.getByRole('link', { name: 'Open the report of inspect-2' });
    const [report] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
    await report.getByRole('heading', { name: 'Report 2' }).waitFor();
    await report.close();
  });

  it('has no serious accessibility finding and does not overflow', async () => {
    expect(await walk.flaws()).toEqual([]);
  });

  it('comes back by its link', async () => {
    const restored = await lab.open({ hash: new URL(page.url()).hash });
    await restored.page.getByRole('img', { name: 'Losses over steps' }).waitFor();
    expect(await restored.page.getByRole('checkbox', { checked: true }).count()).toBe(3);
    await restored.page.close();
  });

  it('raises no error, warning or failed request', () => {
    expect(lab.pages.length).toBe(2);
    expect(lab.pages.flatMap(({ complaints }) => complaints)).toEqual([]);
  });

  it('says on a plain host of files how runs are seen, asks it for nothing that it has not, and reads a dropped run', async () => {
    const site = await builtLab({ say: () => undefined });
    // Unlike a lab in development, one of files alone answers 404 to what is no file.
    const host = await preview({ configFile: false, appType: 'mpa', logLevel: 'silent', build: { outDir: site }, preview: { host: '127.0.0.1', port: 0 } }); // prettier-ignore
    resources.defer(() => host.close());
    const address = host.resolvedUrls?.local[0] ?? '';
    expect((await fetch(`${address}api/runs/inspect-1/report.html`)).status).toBe(404);
    const there = (await page.context().browser()?.newPage()) as Page;
    const complaints: string[] = [];
    there.on('pageerror', ({ message }) => complaints.push(message));
    there.on('console', (message) => complaints.push(message.text()));
    there.on('response', (response) => {
      if (!response.ok()) complaints.push(`${response.status()} ${response.url()}`);
    });
    await there.goto(`${address}#runs`);
    await there.getByText('to see the runs of this machine, start it with npx eigenlens lab').waitFor();
    await there.getByLabel(/Drop a run folder/).setInputFiles(join(folder, 'inspect-1'));
    await there.getByRole('checkbox', { name: 'Compare dropped:inspect-1' }).check();
    await there.getByRole('img', { name: 'Ranks over noise' }).waitFor();
    expect(complaints).toEqual([]);
  });
});
