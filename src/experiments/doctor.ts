import { cpus, totalmem } from 'node:os';
import { checkDerivatives } from '../analysis/derivative-check.ts';
import { kindOf, readBytes, sizeOfFile } from '../data/files.ts';
import { parseNpz } from '../data/npz.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { referenceDefect } from '../denoisers/onnx/reference.ts';
import { probeDevices } from '../engine/backend/device.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { describeOperators } from '../engine/onnx/read/support.ts';
import { throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { CostReport, MachineReport, ModelReport, PortReport, ReadingReport } from './doctor-result.ts';
import type { ForeignNetwork } from './foreign-network.ts';
import { disposeForeign, flagsOf, foreignData, openForeignNetwork } from './foreign-open.ts';
import type { OpenForeignOptions } from './foreign-open.ts';
import { denoiserOf, firstReading, imagesForCheck, judgeReading } from './reading-check.ts';

/** What the doctor is watched and stopped by. */
export interface DoctorOptions extends OpenForeignOptions {
  readonly device: DeviceName;
  readonly onProgress?: ((label: string, done: number, total: number) => void) | undefined;
}

/** What runs on this machine. Devices are tried one after the other. */
export async function examineMachine(): Promise<MachineReport> {
  return {
    node: process.versions.node,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    devices: await probeDevices(),
  };
}

/**
 * Examines a foreign model: what its graph holds, how it is to be read, whether its derivatives hold, what products cost.
 * @param path  of the graph
 * @throws ModelError, DatasetError, SpecError, BackendError in one line where it cannot be read at all
 */
export async function examineModel(path: string, options: DoctorOptions): Promise<ModelReport> {
  const { foreign, dataName } = await openForeignNetwork(path, options);
  try {
    return await examine(path, foreign, dataName, options);
  } finally {
    await disposeForeign(foreign);
  }
}

async function examine(
  path: string,
  foreign: ForeignNetwork,
  dataName: string | undefined,
  options: DoctorOptions,
): Promise<ModelReport> {
  const { facts, model, sampleShape, autoencoder } = foreign;
  const notes = [...facts.notes];
  const costs = await measureCosts(denoiserOf(foreign, firstReading(foreign)), options);
  const images = dataName === undefined ? undefined : await checkImages(foreign, dataName);
  if (images === undefined) notes.push('Without images the reading was not checked: give some with --data.');
  const reading = images && (await examineReading(foreign, images.x, images.name, options));
  const denoiser = denoiserOf(foreign, reading?.stated ?? reading?.best ?? firstReading(foreign));
  const sigma = reading?.check.sigmas[1] ?? 0.5;
  const points = noisyPoints(images?.x, sampleShape, sigma);
  options.onProgress?.('derivatives', 0, 1);
  const derivatives = {
    ...(await checkDerivatives(denoiser, points[0] as FloatTensor, sigma)),
    batchDefect: await batchDefect(denoiser, points, sigma),
  };
  return {
    name: facts.name,
    path,
    fileBytes: await sizeOfFile(path),
    producer: model.producer,
    opset: model.opset,
    weights: [...model.weights.values()].reduce((sum, w) => sum + sizeOf(w.shape), 0),
    operators: [...describeOperators(model)].map(([operator, count]) => ({ operator, count })),
    ports: portsOf(foreign),
    sampleShape,
    latent: autoencoder !== undefined,
    device: options.device,
    reading,
    derivatives,
    referenceDefect: await compareReference(path, foreign),
    costs,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    notes,
  };
}

async function checkImages(foreign: ForeignNetwork, dataName: string): Promise<{ x: FloatTensor; name: string }> {
  const { heldout } = await foreignData(foreign, dataName);
  return { x: await imagesForCheck(heldout), name: heldout.name };
}

async function examineReading(
  foreign: ForeignNetwork,
  images: FloatTensor,
  data: string,
  { signal, onProgress }: DoctorOptions,
): Promise<ReadingReport> {
  const judged = await judgeReading(foreign, images, {
    signal,
    onProgress: (done, total) => onProgress?.('readings', done, total),
  });
  const { check, best, stated } = judged;
  return { stated, by: foreign.facts.reading?.by, best, flags: flagsOf(best), check, data, images: judged.images };
}

/** Four points [1, ...sampleShape]: the images, or grey where there are none, with noise. */
function noisyPoints(images: FloatTensor | undefined, sampleShape: readonly number[], sigma: number): FloatTensor[] {
  const dimension = sizeOf(sampleShape);
  const noise = normal(randomKey(0, 'doctor'), [4, dimension]);
  const size = images?.data.length ?? 1;
  const noisy = Float32Array.from(noise.data, (z, i) => sigma * z + (images?.data[i % size] ?? 0));
  return [0, 1, 2, 3].map((b) =>
    tensor('float32', [1, ...sampleShape], noisy.slice(b * dimension, (b + 1) * dimension)),
  );
}

/** Whether samples of a batch leave each other alone. */
async function batchDefect(denoiser: Denoiser, points: readonly FloatTensor[], sigma: number): Promise<number> {
  const size = sizeOf(denoiser.sampleShape);
  const batch = new Float32Array(points.length * size);
  points.forEach((x, b) => batch.set(x.data, b * size));
  const together = await denoiser.denoise(tensor('float32', [points.length, ...denoiser.sampleShape], batch), sigma);
  let difference = 0;
  let total = 0;
  for (const [b, x] of points.entries()) {
    const { data } = await denoiser.denoise(x, sigma);
    for (let i = 0; i < size; i++) {
      const value = data[i] as number;
      difference += (value - (together.data[b * size + i] as number)) ** 2;
      total += value * value;
    }
  }
  return Math.sqrt(difference / total);
}

async function compareReference(path: string, { model, roles }: ForeignNetwork): Promise<number | undefined> {
  const reference = path.replace(/\.onnx$/i, '.reference.npz');
  if ((await kindOf(reference)) !== 'file') return undefined;
  return referenceDefect(reference, model, roles, parseNpz(reference, await readBytes(reference)));
}

function portsOf({ roles }: ForeignNetwork): PortReport[] {
  const { sample, time, classLabels, text, fixed, output } = roles;
  const ports = [
    ['sample', sample],
    ['time', time],
    ['class', classLabels],
    ['text', text],
    ...fixed.map((v) => ['fixed', v] as const),
    ['output', output],
  ] as const;
  return ports.flatMap(([role, v]) =>
    v === undefined ? [] : [{ role, name: v.name, elementType: v.elementType, shape: v.shape ?? [] }],
  );
}

/** Warm-up runs: a pool hands work to up to four backends in turn, each of which loads the graph on its first. */
const WARM_UP = 4;
const TIMED = 3;

/** Times do not depend on the point: grey with noise will do. */
async function measureCosts(denoiser: Denoiser, { signal, onProgress }: DoctorOptions): Promise<CostReport[]> {
  const dimension = sizeOf(denoiser.sampleShape);
  const sigma = 0.5;
  const [x] = noisyPoints(undefined, denoiser.sampleShape, sigma) as [FloatTensor];
  const op = denoiser.linearize(x, sigma);
  const vectors = (count: number): FloatTensor => normal(randomKey(1, 'doctor'), [count, dimension]);
  const [single, block] = [vectors(1), vectors(16)];
  const operations: readonly [CostReport['operation'], number, () => Promise<unknown>][] = [
    ['D(x)', 1, () => denoiser.denoise(x, sigma)],
    ['J v', 1, () => op.apply(single)],
    ['J^T u', 1, () => op.applyTranspose(single)],
    ['J V', 16, () => op.apply(block)],
  ];
  const costs: CostReport[] = [];
  for (const [operation, count, run] of operations) {
    onProgress?.('costs', costs.length, operations.length);
    const times: number[] = [];
    for (let i = 0; i < WARM_UP + TIMED; i++) {
      throwIfAborted('doctor', signal);
      const begun = performance.now();
      await run();
      times.push(performance.now() - begun);
    }
    const [first = 0] = times;
    const runMs = times.slice(WARM_UP).sort((a, b) => a - b)[1] ?? 0;
    costs.push({ operation, count, compileMs: Math.max(0, first - runMs), runMs });
  }
  return costs;
}
