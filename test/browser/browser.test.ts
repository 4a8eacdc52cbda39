import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DeviceName, SessionOptions } from '../../src/engine/backend/session.ts';
import { sharedBackend } from '../../src/engine/backend/start.ts';
import type { LoweredModel } from '../../src/engine/lower/lower.ts';
import { buildPage, chromiumNote, chromiumPath, launchChromium, openPage, removePage, serveSite } from './browser.ts';
import type { OpenPage } from './browser.ts';
import { argumentsOf, graphKinds, lowerGraph } from './graphs.fixture.ts';
import type { PageRun } from './page.ts';

/**
 * Largest difference over the largest value. A graph is some twenty layers deep; each sums in another order on another device, which moves
 * its values by an ulp or two, and the layers after it carry that on.
 */
const float32Tolerance = 64 * 2 ** -23;
const float64Tolerance = 64 * 2 ** -52;

interface Case {
  readonly model: LoweredModel;
  /** What Node's CPU kernels give. */
  readonly wanted: readonly number[];
}

async function prepare(model: LoweredModel): Promise<Case> {
  const names = { inputs: model.inputs.map((i) => i.name), outputs: model.outputs.map((o) => o.name) };
  const basic: SessionOptions = model.inputs[0]?.dtype === 'float64' ? { optimization: 'basic' } : {};
  await using session = await (await sharedBackend('cpu')).createSession(model.bytes.slice(), names, basic);
  const [result] = await session.run(argumentsOf(model.inputs));
  return { model, wanted: [...(result?.data ?? [])] };
}

function relativeDifference(got: readonly number[], wanted: readonly number[]): number {
  if (got.length !== wanted.length) return Infinity;
  const scale = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((v, i) => Math.abs(v - (got[i] as number)))) / scale;
}

describe.skipIf(chromiumPath === undefined)(`a page in Chromium (${chromiumNote})`, () => {
  const resources = new AsyncDisposableStack();
  const cases = new Map<string, Case>();
  /** A page that may share memory between threads, and one that may not. */
  let isolated: OpenPage;
  let plain: OpenPage;

  const run = (page: OpenPage, device: DeviceName, name: string, options: SessionOptions = {}): Promise<PageRun> => {
    const { inputs, outputs } = (cases.get(name) as Case).model;
    return page.call('run', device, { inputs, outputs, url: `/${name}.onnx` }, options);
  };

  const expectEqual = (name: string, { values }: PageRun, tolerance: number): void => {
    expect(relativeDifference(values, (cases.get(name) as Case).wanted), name).toBeLessThan(tolerance);
  };

  beforeAll(async () => {
    const folder = await buildPage();
    resources.defer(() => removePage(folder));
    for (const kind of graphKinds) cases.set(kind, await prepare(await lowerGraph(kind)));
    cases.set('block', await prepare(await lowerGraph('jvp', 'block')));
    cases.set('double', await prepare(await lowerGraph('jvp', 'block', 'float64')));
    const made = new Map([...cases].map(([name, { model }]) => [`/${name}.onnx`, model.bytes]));
    const [first, second] = [await serveSite(folder, made, true), await serveSite(folder, made, false)];
    resources.use(first);
    resources.use(second);
    const browser = await launchChromium();
    resources.defer(() => browser.close());
    isolated = await openPage(browser, `${first.url}/page.html`);
    plain = await openPage(browser, `${second.url}/page.html`);
  }, 120_000);

  afterAll(() => resources.disposeAsync());

  it.each(graphKinds)('startBackend(wasm) runs the %s graph of a U-Net as Node does', async (kind) => {
    const got = await run(isolated, 'wasm', kind);
    expect(got.backend).toMatch(/^onnxruntime-web \d+\.\d+\.\d+ wasm$/);
    expectEqual(kind, got, float32Tolerance);
  });

  it('startBackend(wasm) takes every core in an isolated page, one elsewhere, with the same values', async () => {
    const [many, one] = [await run(isolated, 'wasm', 'forward'), await run(plain, 'wasm', 'forward')];
    expect(many.threads).toBe(navigator.hardwareConcurrency);
    expect(one.threads).toBe(1);
    expectEqual('forward', one, float32Tolerance);
  });

  it('Session.run() leaves the page free', async () => {
    const { ticks, elapsedMs } = await run(plain, 'wasm', 'jvp');
    // A page ticks every 4 ms, and not at all while its thread is taken; a loaded machine may lose most of the ticks.
    expect(elapsedMs).toBeGreaterThan(10);
    expect(ticks).toBeGreaterThan(elapsedMs / 100);
  });

  it('startBackend(wasm) computes in float64', async () => {
    expectEqual('double', await run(plain, 'wasm', 'double', { optimization: 'basic' }), float64Tolerance);
  });

  it.each(graphKinds)('lower() writes the same bytes for the %s graph as in Node', async (kind) => {
    expect(await plain.call('firstDifference', kind, `/${kind}.onnx`)).toBe(-1);
  });

  it('probeDevices() says what a page has, and why not', async () => {
    const reports = await isolated.call('probeDevices');
    expect(reports.map((r) => [r.name, r.available])).toEqual([
      ['cpu', false],
      ['cuda', false],
      ['webgpu', true],
      ['wasm', true],
    ]);
    expect(reports[0]?.detail).toContain('Native kernels need Node.');
    expect(await isolated.call('resolveDevice', 'auto')).toBe('wasm');
    await expect(isolated.call('resolveDevice', 'cuda')).rejects.toThrow('device cuda: expected wasm or webgpu');
  });

  it('startBackend(webgpu) runs the JVP of a network as Node does', async () => {
    const got = await run(isolated, 'webgpu', 'block');
    expect(got.backend).toMatch(/webgpu$/);
    expectEqual('block', got, float32Tolerance);
  });

  it('createSession() on WebGPU refuses a float64 model by name', async () => {
    const refused = run(isolated, 'webgpu', 'double', { optimization: 'basic' });
    await expect(refused).rejects.toThrow(/onnxruntime webgpu: expected float32, got .* Run float64 on the device/);
  });

  it('a disposed backend says so', async () => {
    expect(await plain.call('useAfterDisposal')).toContain('DisposedError: Backend.createSession');
  });

  it('raises no error that nobody caught', () => {
    expect([...isolated.complaints, ...plain.complaints]).toEqual([]);
  });
});
