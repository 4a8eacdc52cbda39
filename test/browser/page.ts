import { probeDevices, resolveDevice } from '../../src/engine/backend/device.ts';
import type { DeviceReport, DeviceRequest } from '../../src/engine/backend/device.ts';
import type { DeviceName, SessionOptions } from '../../src/engine/backend/session.ts';
import { sharedBackend, startBackend } from '../../src/engine/backend/start.ts';
import type { LoweredModel } from '../../src/engine/lower/lower.ts';
import type { GraphKind } from './graphs.fixture.ts';
import { argumentsOf, lowerGraph } from './graphs.fixture.ts';

/** A model that the page fetches. */
export type ServedModel = Pick<LoweredModel, 'inputs' | 'outputs'> & { readonly url: string };

/** What a run in the page gives back. */
export interface PageRun {
  readonly backend: string;
  readonly threads: number;
  readonly values: number[];
  /** Ticks of the page's own clock while the graph ran. */
  readonly ticks: number;
  readonly elapsedMs: number;
}

/** What the tests call in the page. */
export interface PageCalls {
  run(device: DeviceName, model: ServedModel, options: SessionOptions): Promise<PageRun>;
  /** Starts a backend, disposes it, and asks for a session. @returns the error's message */
  useAfterDisposal(): Promise<string>;
  /** Traces and lowers a graph in the page. @returns index of the first byte that differs from the model at `url`, or -1 */
  firstDifference(kind: GraphKind, url: string): Promise<number>;
  probeDevices(): Promise<DeviceReport[]>;
  resolveDevice(request: DeviceRequest): Promise<DeviceName>;
}

async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

async function run(
  device: DeviceName,
  { url, inputs, outputs }: ServedModel,
  options: SessionOptions,
): Promise<PageRun> {
  const names = { inputs: inputs.map((i) => i.name), outputs: outputs.map((o) => o.name) };
  const backend = await sharedBackend(device);
  await using session = await backend.createSession(await fetchBytes(url), names, options);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const began = performance.now();
  const [result] = await session.run(argumentsOf(inputs));
  const elapsedMs = performance.now() - began;
  clearInterval(timer);
  const values = [...(result?.data ?? [])];
  return { backend: backend.name, threads: backend.facts.threads, values, ticks, elapsedMs };
}

const calls: PageCalls = {
  run,
  firstDifference: async (kind, url) => {
    const [here, there] = [(await lowerGraph(kind)).bytes, await fetchBytes(url)];
    const length = Math.max(here.length, there.length);
    for (let i = 0; i < length; i++) if (here[i] !== there[i]) return i;
    return -1;
  },
  useAfterDisposal: async () => {
    const backend = await startBackend('wasm');
    await backend[Symbol.asyncDispose]();
    return backend.createSession(new Uint8Array(), { inputs: [], outputs: [] }).then(String, String);
  },
  probeDevices,
  resolveDevice,
};
Object.assign(globalThis, { eigenlens: calls });
