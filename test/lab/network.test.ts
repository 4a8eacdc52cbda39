import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from 'vite';

import type { Denoiser } from '../../src/denoisers/denoiser.ts';
import { openDenoiser } from '../../src/experiments/models.ts';
import { leadingTriplets } from '../../src/linalg/triplets.ts';
import { normal, randomKey } from '../../src/tensor/random.ts';
import { castFloat } from '../../src/tensor/tensor.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { chromiumNote, chromiumPath, launchChromium, serveSite } from '../browser/browser.ts';
import type { NetworkCalls, PagePoint } from './network-page.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A block of 8 vectors with those that take part beyond them: one size of graph. */
const [sigma, rank] = [0.6, 4];

describe.skipIf(chromiumPath === undefined)(
  `the lab's network worker in Chromium (${chromiumNote})`,
  { timeout: 300_000 },
  () => {
    const resources = new AsyncDisposableStack();
    let page: Page;
    let denoiser: Denoiser;
    let x: Tensor<'float32'>;

    const call = <K extends keyof NetworkCalls>(
      name: K,
      ...given: Parameters<NetworkCalls[K]>
    ): ReturnType<NetworkCalls[K]> =>
      page.evaluate(`lab[${JSON.stringify(name)}](...${JSON.stringify(given)})`) as ReturnType<NetworkCalls[K]>;
    const point = (level: number = sigma): PagePoint => ({ model: 'fashion', x: [...x.data], sigma: level });

    beforeAll(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'eigenlens-network-'));
      resources.defer(() => rm(folder, { recursive: true, force: true }));
      await build({
        configFile: join(ROOT, 'lab/vite.config.ts'),
        root: import.meta.dirname,
        logLevel: 'error',
        build: {
          outDir: folder,
          emptyOutDir: true,
          rolldownOptions: { input: join(import.meta.dirname, 'network.html') },
        },
      });
      const site = resources.use(await serveSite(folder, new Map(), true));
      const browser = await launchChromium();
      resources.defer(() => browser.close());
      page = await browser.newPage();
      await page.goto(`${site.url}/network.html`);
      await page.waitForFunction('globalThis.lab !== undefined');
      const model = await openDenoiser('fashion');
      denoiser = resources.use(model.denoiser);
      const clean = await model.heldout.read([0]);
      const noise = normal(randomKey(1, 'lab'), clean.shape).data;
      const data = clean.data.map((v, i) => v + sigma * (noise[i] as number));
      x = castFloat({ ...clean, data }, 'float32');
    }, 120_000);
    afterAll(() => resources.disposeAsync());

    it('opens a shipped model and denoises as Node does', async () => {
      expect(await call('open', 'fashion')).toEqual({ name: 'fashion', sampleShape: [1, 28, 28] });
      const { values, runtime } = await call('denoise', point());
      expect(runtime).toMatch(/^onnxruntime-web .* wasm$/);
      const wanted = await denoiser.denoise(x, sigma);
      const most = Math.max(...values.map((v, i) => Math.abs(v - (wanted.data[i] as number))));
      expect(most).toBeLessThan(1e-4);
    });

    it('finds the leading triplets that Node finds', async () => {
      const { values, status } = await call('triplets', { ...point(), rank });
      expect(status).toBe('converged');
      const wanted = await leadingTriplets(denoiser.linearize(x, sigma), { rank, seed: 0 });
      values.forEach((value, i) => expect(value / (wanted.values[i] as number)).toBeCloseTo(1, 4));
    });

    it('leaves the page free while it computes', async () => {
      const { elapsedMs, ticks } = await call('triplets', { ...point(0.65), rank });
      // A page ticks every 4 ms, and not at all while its thread is taken; a loaded machine may lose most of the ticks.
      expect(elapsedMs).toBeGreaterThan(10);
      expect(ticks).toBeGreaterThan(elapsedMs / 100);
    });

    it('stops at once for who asked, and serves the next', async () => {
      expect(await call('cancelled', { ...point(0.3), rank })).toBe('leadingTriplets: was interrupted.');
      expect((await call('denoise', point())).values.length).toBe(784);
    });

    it('says in one sentence that a model does not ship', async () => {
      await expect(call('open', 'nothing')).rejects.toThrow(/nothing: expected one of .*fashion/);
    });
  },
);
