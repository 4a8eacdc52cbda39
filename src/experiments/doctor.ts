import { execFile } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { checkDerivatives } from '../analysis/derivative-check.ts';
import { kindOf, readBytes, sizeOfFile } from '../data/files.ts';
import { parseNpz } from '../data/npz.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { referenceDefect } from '../denoisers/onnx/reference.ts';
import type { DeviceReport } from '../engine/backend/device.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { parameterization } from '../diffusion/parameterization.ts';
import { describeOperators } from '../engine/onnx/read/support.ts';
import { BackendError, CancelledError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { measureCosts, peakBytes } from './doctor-costs.ts';
import type { CostReport, MachineReport, ModelReport, PortReport, ReadingReport } from './doctor-result.ts';
import type { ForeignNetwork } from './foreign-network.ts';
import { disposeForeign, flagsOf, foreignData, openForeignNetwork } from './foreign-open.ts';
import type { OpenForeignOptions } from './foreign-open.ts';
import { resolveInspectSpec } from './inspect-spec.ts';
import { denoiserOf, firstReading, imagesForCheck, judgeReading } from './reading-check.ts';

/** What the doctor is watched and stopped by. */
export interface DoctorOptions extends OpenForeignOptions {
  readonly device: DeviceName;
  readonly onProgress?: ((label: string, done: number, total: number) => void) | undefined;
}

/**
 * What runs on this machine. Devices are tried one after the other.
 * @throws BackendError where trying them ends the process that does, CancelledError
 */
export async function examineMachine(signal?: AbortSignal): Promise<MachineReport> {
  return {
    node: process.versions.node,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    devices: await probeApart(signal),
  };
}

/** Tries the devices in a process of its own: graphics drivers write what they like to standard error, and some crash. */
function probeApart(signal: AbortSignal | undefined): Promise<DeviceReport[]> {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const url = new URL(`../engine/backend/device.${ending}`, import.meta.url);
  // Not an ES module: workers would inherit the flag that says so, and refuse it.
  const script = `import(${JSON.stringify(url)}).then(async ({ probeDevices }) =>
    process.stdout.write(JSON.stringify(await probeDevices())))`;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--eval', script], { signal }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as DeviceReport[]);
      else if (signal?.aborted) reject(new CancelledError('doctor'));
      else {
        const ended = error.signal ?? `exit code ${error.code}`;
        reject(
          new BackendError(
            'devices',
            `trying them crashed (${ended}). Update the graphics driver, or use --device cpu.`,
            {
              cause: error,
            },
          ),
        );
      }
    });
  });
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
  const { onProgress, signal } = options;
  // What may be wrong with the data is said before anything long.
  const images = dataName === undefined ? undefined : await checkImages(foreign, dataName);
  const somewhere = noisyPoints(images?.x, sampleShape, 0.5)[0] as FloatTensor;
  // First, while no graph is compiled: what compiling takes is part of it.
  const costs = await measureCosts(denoiserOf(foreign, firstReading(foreign)), somewhere, 0.5, {
    signal,
    onProgress: (done, total) => onProgress?.('costs', done, total),
  });
  const reading = images && (await examineReading(foreign, affordable(images, costs), options));
  const denoiser = denoiserOf(foreign, reading?.stated ?? reading?.best ?? firstReading(foreign));
  const sigma = reading?.check.sigmas[1] ?? 0.5;
  const points = noisyPoints(images?.x, sampleShape, sigma);
  onProgress?.('derivatives', 0, 1);
  const derivatives = {
    ...(await checkDerivatives(denoiser, points[0] as FloatTensor, sigma)),
    batchDefect: await batchDefect(denoiser, points, sigma),
  };
  onProgress?.('derivatives', 1, 1);
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
    peakBytes: peakBytes(),
    inspect: estimateInspect(sizeOf(sampleShape), costs),
    notes: [...facts.notes, ...timeNotes(foreign)],
  };
}

/** Clean samples and what is said of them. */
interface CheckImages {
  readonly x: FloatTensor;
  readonly name: string;
  readonly note: string | undefined;
}

async function checkImages(foreign: ForeignNetwork, dataName: string): Promise<CheckImages> {
  const { heldout } = await foreignData(foreign, dataName);
  return { x: await imagesForCheck(heldout), name: heldout.name, note: heldout.note };
}

/** Readings are tried for about so long; no further one is begun after twice the time. */
const READINGS_MS = 60_000;
/** Some 30 readings at three noise levels. */
const PASSES = 90;

/** As many of the images as a large network denoises in that time. */
function affordable(images: CheckImages, costs: readonly CostReport[]): CheckImages {
  const [forward] = costs;
  const count = Math.max(2, Math.floor(READINGS_MS / (PASSES * (forward?.runMs ?? 0))));
  return count < (images.x.shape[0] as number) ? { ...images, x: slice(images.x, 0, count) as FloatTensor } : images;
}

/** A reading that tells the noise level to a graph without a time, or the other way round: most often a role is missed. */
function timeNotes({ facts, roles }: ForeignNetwork): string[] {
  if (facts.reading === undefined) return [];
  const { kind } = facts.reading.parameterization;
  const { needsTime } = parameterization(facts.reading.parameterization);
  if (needsTime && roles.time === undefined) {
    return [
      `'${kind}' tells the network the noise level, but this graph has no input for it: 'residual' or 'blind' need none.`,
    ];
  }
  if (!needsTime && roles.time !== undefined) {
    return [`'${kind}' does not tell the noise level, but input '${roles.time.name}' asks for one: it is held at 0.`];
  }
  return [];
}

/** Time of the singular values of a [D, D] matrix in float64 over D^3, measured at D = 768 and 1536. */
const SPECTRUM_MS = 1.3e-6;

/** Jacobians, made row by row in blocks, and their spectra take nearly all of the time. */
function estimateInspect(dimension: number, costs: readonly CostReport[]): ModelReport['inspect'] {
  const jacobians = 2 * resolveInspectSpec({}).sigmas.length; // at a held-out sample and on a trajectory
  const block = costs.find(({ operation }) => operation === 'J^T U');
  const msPerRow = block === undefined ? NaN : block.runMs / block.count;
  return { jacobians, rows: dimension, estimatedMs: jacobians * (dimension * msPerRow + SPECTRUM_MS * dimension ** 3) };
}

async function examineReading(
  foreign: ForeignNetwork,
  { x, name, note }: CheckImages,
  { signal, onProgress }: DoctorOptions,
): Promise<ReadingReport> {
  const judged = await judgeReading(foreign, x, {
    signal,
    budgetMs: 2 * READINGS_MS,
    onProgress: (done, total) => onProgress?.('readings', done, total),
  });
  const { check, best, stated } = judged;
  const by = foreign.facts.reading?.by;
  return { stated, by, best, flags: flagsOf(best), check, data: name, images: judged.images, note };
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

async function compareReference(path: string, { model, roles, held }: ForeignNetwork): Promise<number | undefined> {
  const reference = path.replace(/\.onnx$/i, '.reference.npz');
  if ((await kindOf(reference)) !== 'file') return undefined;
  return referenceDefect(reference, model, roles, held, parseNpz(reference, await readBytes(reference)));
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
