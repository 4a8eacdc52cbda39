import { checkReading } from '../../../src/analysis/self-check.ts';
import type { SelfCheck } from '../../../src/analysis/self-check.ts';
import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { OnnxNetwork } from '../../../src/denoisers/onnx/onnx-network.ts';
import { assignRoles, sampleShapeOf } from '../../../src/denoisers/onnx/roles.ts';
import { alternatives, labelOf } from '../../../src/diffusion/alternatives.ts';
import type { Alternative, Reading } from '../../../src/diffusion/alternatives.ts';
import { parameterization } from '../../../src/diffusion/parameterization.ts';
import { parseOnnxSideCar, usualRange } from '../../../src/diffusion/side-car.ts';
import type { OnnxSideCar } from '../../../src/diffusion/side-car.ts';
import { sharedBackend } from '../../../src/engine/backend/start.ts';
import { readOnnx } from '../../../src/engine/onnx/read/read-onnx.ts';
import { ModelError } from '../../../src/errors/errors.ts';
import type { FloatTensor } from '../../../src/tensor/tensor.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { LabDevice } from './subject.ts';

/** A dropped network, loaded: how it is read is still open. */
export interface DroppedNetwork {
  readonly name: string;
  readonly sampleShape: readonly number[];
  readonly network: OnnxNetwork;
  /** Every reading that its inputs allow, the likeliest first. */
  readonly readings: readonly Alternative[];
  /** Whether a side-car states the first of them. */
  readonly isStated: boolean;
  readonly hasTime: boolean;
}

/** Readings are tried for so long. */
const CHECK_BUDGET_MS = 20_000;
const CHANNELS = [1, 3];

/**
 * Reads a dropped ONNX file with what lies beside it: its side-car `NAME.onnx.json` or `NAME.json`, and files of its weights.
 * @throws ModelError in one line for a file that is none, operators that cannot be read (with their list), inputs without a role
 */
export async function loadNetwork(files: readonly DroppedFile[], device: LabDevice): Promise<DroppedNetwork> {
  const graph = files.find(({ path }) => /\.onnx$/i.test(path));
  if (graph === undefined) {
    const got = files[0]?.path ?? 'nothing';
    throw new ModelError(got, 'expected an .onnx file, got another. Export the network as docs/export.md says.');
  }
  const sideCar = await readSideCar(graph, files);
  const model = await readOnnx(graph.path, await bytesOf(graph), { readExternal: besides(graph, files) });
  const name =
    sideCar?.name ??
    graph.path
      .split('/')
      .at(-1)
      ?.replace(/\.onnx$/i, '') ??
    graph.path;
  const roles = assignRoles(name, model, { ...sideCar?.inputs, fixed: [], output: sideCar?.output });
  const sampleShape = sampleShapeOf(name, roles.sample, sideCar?.sampleShape ?? usualSize(roles.sample.shape));
  if (sampleShape.length !== 3 || !CHANNELS.includes(sampleShape[0] as number)) {
    throw new ModelError(
      name,
      `expected a denoiser of images in grey or colour, got samples of ${sampleShape.join('x')}. Look into it with eigenlens inspect.`,
    );
  }
  const condition = { classLabel: sideCar?.condition?.class };
  const backends = [await sharedBackend(device)];
  const network = new OnnxNetwork({ name, model, roles, sampleShape, condition, backends });
  const hasTime = roles.time !== undefined;
  const first: Reading = {
    parameterization: sideCar?.parameterization ?? { kind: hasTime ? 'epsilon' : 'residual' },
    range: sideCar?.range ?? usualRange,
  };
  const readings = [{ ...first, label: labelOf(first) }, ...alternatives(first, hasTime)];
  return { name, sampleShape, network, readings, isStated: sideCar !== undefined, hasTime };
}

/** The network as a denoiser of pictures in [-1, 1]. @param release  called when the denoiser is disposed */
export function networkDenoiser(
  { network }: DroppedNetwork,
  reading: Reading,
  release?: () => Promise<void>,
): Denoiser {
  const { range: modelRange } = reading;
  return network.denoiser({ parameterization: parameterization(reading.parameterization), modelRange }, release);
}

/**
 * Denoises pictures in every reading, the likeliest first.
 * @param images  [N, ...sampleShape], clean, in [-1, 1]
 * @throws NumericalError where no reading gives finite values; CancelledError
 */
export async function judgeReadings(
  dropped: DroppedNetwork,
  images: FloatTensor,
  watch: { readonly signal: AbortSignal; readonly onProgress: (done: number, total: number) => void },
): Promise<SelfCheck> {
  const readings = dropped.readings.map((reading) => ({
    label: reading.label,
    denoiser: networkDenoiser(dropped, reading),
  }));
  // Blind networks know small noise only.
  const sigmas = dropped.hasTime ? [0.2, 0.6, 2] : [0.1, 0.2, 0.4];
  return checkReading(images, readings, { ...watch, sigmas, budgetMs: CHECK_BUDGET_MS });
}

async function readSideCar({ path }: DroppedFile, files: readonly DroppedFile[]): Promise<OnnxSideCar | undefined> {
  const names = [`${path}.json`, path.replace(/\.onnx$/i, '.json')];
  const found = files.find((file) => names.includes(file.path));
  const text = await found?.file.text();
  return found !== undefined && text?.includes('"eigenlens-onnx/') ? parseOnnxSideCar(found.path, text) : undefined;
}

/** Weights in files beside the graph, by the name that the graph says. */
function besides(
  { path }: DroppedFile,
  files: readonly DroppedFile[],
): (location: string, offset: number, length: number) => Promise<Uint8Array> {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return async (location, offset, length) => {
    const found = files.find((file) => file.path === `${folder}${location}`);
    if (found === undefined) {
      throw new ModelError(path, `expected its weights in ${location}, got no such file. Drop both files together.`);
    }
    return new Uint8Array(await found.file.slice(offset, offset + length).arrayBuffer());
  };
}

async function bytesOf({ file }: DroppedFile): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}

/** Sizes that a graph leaves open, as the shipped pictures of as many channels have them. */
function usualSize(shape: readonly (string | number)[] | undefined): number[] | undefined {
  if (shape?.length !== 4 || shape.every((d, i) => i === 0 || typeof d === 'number')) return undefined;
  const usual = shape[1] === 3 ? [3, 32, 32] : [1, 28, 28];
  return shape.slice(1).map((d, i) => (typeof d === 'number' ? d : (usual[i] as number)));
}
