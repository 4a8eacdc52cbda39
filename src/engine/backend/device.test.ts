import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import { compile } from '../compile.ts';
import { loadJax } from '../jax.ts';
import type { JaxArray } from '../jax.ts';
import type { ArgumentSpec } from '../trace.ts';
import { deviceNames, probeDevices, resolveDevice } from './device.ts';
import { proveBackend } from './probe.ts';
import type { Backend, Session } from './session.ts';
import { sharedBackend, startBackend } from './start.ts';

// Chromium carries a Vulkan driver that computes on the processor: where it is there, the test runs alike on every machine.
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(softwareDriver)) process.env['VK_ICD_FILENAMES'] ??= softwareDriver;

const reports = await probeDevices();
const webgpu = reports.find((r) => r.name === 'webgpu');

/** Four layers in turn, each of which may move its values by a few ulp: 32 ulp of the largest value. */
const tolerance = { float32: 32 * 2 ** -23, float64: 32 * 2 ** -52 };

type Kind = 'forward' | 'jvp' | 'vjp';
const kinds: readonly Kind[] = ['forward', 'jvp', 'vjp'];

const draw = (name: string, shape: readonly number[], dtype: FloatDType): FloatTensor =>
  castFloat(normal(randomKey(5, name), shape), dtype) as FloatTensor;

/** Weights that keep the size of what goes through them: a softmax of large values would amplify their rounding. */
function drawWeight(name: string, shape: readonly number[], dtype: FloatDType): FloatTensor {
  const { data } = normal(randomKey(5, name), shape);
  const fanIn = sizeOf(shape.slice(1));
  return castFloat(
    tensor(
      'float64',
      shape,
      data.map((v) => v / Math.sqrt(fanIn)),
    ),
    dtype,
  ) as FloatTensor;
}

/** softmax of what two convolutions with a SiLU between them give, times a matrix: J v and J^T u for three vectors. */
async function runKind(kind: Kind, dtype: FloatDType, backend: Backend): Promise<readonly number[]> {
  const jax = await loadJax();
  const image = [1, 2, 8, 8];
  const weights = [
    drawWeight('w1', [4, 2, 3, 3], dtype),
    drawWeight('w2', [2, 4, 3, 3], dtype),
    drawWeight('m', [8, 8], dtype),
  ];
  const values: ArgumentSpec[] = weights.map((value) => ({ shape: value.shape, dtype, value }));
  const block = { shape: [3, ...image], dtype, linear: true };
  const fn = (w1: JaxArray, w2: JaxArray, m: JaxArray, x: JaxArray, vectors?: JaxArray): JaxArray => {
    const convolve = (y: JaxArray, w: JaxArray): JaxArray =>
      jax.lax.convWithGeneralPadding(
        y,
        w.ref,
        [1, 1],
        [
          [1, 1],
          [1, 1],
        ],
      );
    const at = (y: JaxArray): JaxArray =>
      jax.numpy.matmul(jax.nn.softmax(convolve(jax.nn.silu(convolve(y, w1)), w2), -1), m.ref);
    if (vectors === undefined) return at(x);
    if (kind === 'jvp') return jax.vmap((v: JaxArray) => jax.jvp(at, [x.ref], [v])[1])(vectors);
    const [, pull] = jax.vjp(at, [x]);
    return jax.vmap((u: JaxArray) => pull(u)[0])(vectors);
  };
  const specs = [...values, { shape: image, dtype }, ...(kind === 'forward' ? [] : [block])];
  await using executable = await compile(fn, specs, { backend });
  const inputs = specs.slice(3).map(({ shape }, i) => draw(`x${i}`, shape, dtype));
  const [y] = await executable.run(...inputs);
  return [...(y?.data ?? [])];
}

async function expectAgrees(kind: Kind, dtype: FloatDType, backend: Backend): Promise<void> {
  const got = await runKind(kind, dtype, backend);
  const wanted = await runKind(kind, dtype, await sharedBackend('cpu'));
  const scale = Math.max(...wanted.map(Math.abs));
  const error = Math.max(...wanted.map((v, i) => Math.abs(v - (got[i] ?? NaN)))) / scale;
  expect(wanted.length).toBeGreaterThan(100);
  expect(error).toBeLessThan(tolerance[dtype]);
}

describe('probeDevices()', () => {
  it('reports every device in one sentence', () => {
    expect(reports.map((r) => r.name)).toEqual(deviceNames);
    for (const { detail } of reports) expect(detail).toMatch(/^[^\n]{10,200}\.$/);
    expect(reports[0]).toMatchObject({ available: true });
    expect(reports[0]?.detail).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, \d+ threads?\.$/);
  });

  it('says what an absent device needs', () => {
    for (const report of reports.filter((r) => !r.available)) expect(report.detail).toContain('docs/devices.md');
  });
});

describe('resolveDevice()', () => {
  it('auto is CUDA where it works, else the CPU', async () => {
    const cuda = reports.find((r) => r.name === 'cuda');
    expect(await resolveDevice('auto')).toBe(cuda?.available ? 'cuda' : 'cpu');
  });

  it('takes a device that works, and refuses one that does not in one line', async () => {
    for (const { name, available, detail } of reports) {
      if (available) expect(await resolveDevice(name)).toBe(name);
      else
        await expect(resolveDevice(name)).rejects.toMatchObject({
          code: 'E_BACKEND',
          message: `device ${name}: ${detail}`,
        });
    }
  });
});

describe('proveBackend()', () => {
  it('refuses a device that rounds operands to 10 bits, as TF32 does', async () => {
    const real = await sharedBackend('cpu');
    const rounded = {
      [Symbol.asyncDispose]: async () => undefined,
      device: real.device,
      facts: real.facts,
      name: 'tf32',
    };
    const createSession: Backend['createSession'] = async (...given) => {
      const session = await real.createSession(...given);
      const run: Session['run'] = (inputs) =>
        session.run(inputs.map((input) => ({ ...input, data: (input.data as Float32Array).map(toTenBits) })));
      return { run, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
    };
    await expect(proveBackend({ ...rounded, createSession })).rejects.toThrow(/^tf32: expected float32 arithmetic/);
    await expect(proveBackend(real)).resolves.toBeUndefined();
  });
});

function toTenBits(value: number): number {
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  return Math.round(value / ulp) * ulp;
}

describe('startBackend(wasm)', () => {
  it.each(kinds)('runs the %s graph as the CPU does', async (kind) => {
    await using backend = await startBackend('wasm');
    expect(backend.name).toMatch(/^onnxruntime-web \d+\.\d+\.\d+ wasm$/);
    await expectAgrees(kind, 'float32', backend);
  });

  it('computes in float64', async () => {
    await using backend = await startBackend('wasm');
    await expectAgrees('jvp', 'float64', backend);
  });
});

const driver = webgpu?.available ? 'a Vulkan driver is present' : `skipped: ${webgpu?.detail}`;

describe.skipIf(!webgpu?.available)(`startBackend(webgpu) (${driver})`, () => {
  it('runs JVP and VJP graphs as the CPU does', async () => {
    await using backend = await startBackend('webgpu');
    expect(backend.name).toMatch(/^onnxruntime-node \d+\.\d+\.\d+ webgpu$/);
    await expectAgrees('jvp', 'float32', backend);
    await expectAgrees('vjp', 'float32', backend);
  });

  it('refuses float64, which the runtime would run on the CPU without a word', async () => {
    await using backend = await startBackend('webgpu');
    await expect(runKind('forward', 'float64', backend)).rejects.toThrow('expected float32, got a float64 model.');
  });
});

describe('Backend', () => {
  it('disposal ends the thread', async () => {
    // Linux lists the threads of a process.
    const threads = (): number => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0);
    const before = threads();
    const backends = await Promise.all([1, 2, 3].map(() => startBackend('cpu')));
    if (before > 0) expect(threads()).toBeGreaterThanOrEqual(before + 3);
    await Promise.all(backends.map((b) => b[Symbol.asyncDispose]()));
    // The process may have started one of its own meanwhile, but the three are gone.
    if (before > 0) expect(threads()).toBeLessThan(before + 3);
  });
});
