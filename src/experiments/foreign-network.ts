import { openOnnxFile } from '../data/onnx-files.ts';
import { Autoencoder } from '../denoisers/onnx/autoencoder.ts';
import { OnnxNetwork } from '../denoisers/onnx/onnx-network.ts';
import { assignRoles, sampleShapeOf } from '../denoisers/onnx/roles.ts';
import type { OnnxRoles } from '../denoisers/onnx/roles.ts';
import type { OnnxInputs } from '../diffusion/side-car.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import type { HostArray, OnnxDimension, OnnxModel, OnnxValueInfo } from '../engine/onnx/model.ts';
import { readOnnx } from '../engine/onnx/read/read-onnx.ts';
import { ModelError } from '../errors/errors.ts';
import type { FloatDType } from '../tensor/tensor.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { ForeignFacts } from './foreign-model.ts';

/** How a foreign network is to be loaded. */
export interface LoadOptions {
  /** Shape of one sample where neither flags nor graph say it. */
  readonly shapeHint?: (() => Promise<readonly number[]>) | undefined;
  readonly device?: DeviceName | undefined;
  /** Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/** A foreign network, loaded: how it is read is still open. */
export interface ForeignNetwork {
  readonly facts: ForeignFacts;
  readonly model: OnnxModel;
  readonly roles: OnnxRoles;
  /** Values of the inputs that are held fixed. */
  readonly held: Readonly<Record<string, HostArray>>;
  readonly sampleShape: readonly number[];
  readonly network: OnnxNetwork;
  readonly autoencoder: Autoencoder | undefined;
}

/**
 * Reads the graph and finds its inputs by role; nothing is compiled yet.
 * @throws ModelError, DatasetError in one line for files, operators, roles and sizes that do not fit
 */
export async function loadForeign(facts: ForeignFacts, options: LoadOptions = {}): Promise<ForeignNetwork> {
  const { path, name, wishes } = facts;
  const model = await readGraph(path, wishes.maxWeightBytes);
  const { fixed = {}, ...inputs } = wishes.inputs;
  const roles = assignRoles(name, model, { ...inputs, fixed: Object.keys(fixed), output: wishes.output });
  const declared = (roles.sample.shape ?? []).slice(1);
  const hint = declared.some((d) => typeof d === 'string') ? await options.shapeHint?.() : undefined;
  // Data only fill what the graph leaves open: they are fitted to the rest.
  const hinted =
    hint?.length === declared.length
      ? declared.map((d, i) => (typeof d === 'string' ? (hint[i] as number) : d))
      : undefined;
  const wanted = wishes.sampleShape ?? hinted;
  const sampleShape = sampleShapeOf(name, roles.sample, wanted);
  const held = heldInputs(name, roles.fixed, fixed);
  const network = new OnnxNetwork({
    name,
    model,
    roles,
    sampleShape,
    condition: { classLabel: wishes.classLabel, text: facts.text },
    fixed: held,
    device: options.device,
    dtype: options.dtype,
  });
  return { facts, model, roles, held, sampleShape, network, autoencoder: await loadAutoencoder(facts, sampleShape) };
}

/** Reads an ONNX file with the arrays that lie beside it. @throws ModelError, DatasetError */
async function readGraph(path: string, maxWeightBytes: number | undefined): Promise<OnnxModel> {
  const { bytes, readExternal } = await openOnnxFile(path);
  return readOnnx(path, bytes, { readExternal, ...(maxWeightBytes !== undefined && { maxWeightBytes }) });
}

async function loadAutoencoder(
  { name, latent, wishes }: ForeignFacts,
  latentShape: readonly number[],
): Promise<Autoencoder | undefined> {
  if (latent === undefined) return undefined;
  return new Autoencoder({
    name,
    latentShape,
    encoder: latent.encoder === undefined ? undefined : await readGraph(latent.encoder, wishes.maxWeightBytes),
    decoder: latent.decoder === undefined ? undefined : await readGraph(latent.decoder, wishes.maxWeightBytes),
    scalingFactor: latent.scalingFactor,
    shiftFactor: latent.shiftFactor,
  });
}

/** Inputs that are held at a value: one number fills the declared shape, open sizes counting as 1. */
function heldInputs(
  where: string,
  inputs: readonly OnnxValueInfo[],
  values: NonNullable<OnnxInputs['fixed']>,
): Record<string, HostArray> {
  return Object.fromEntries(
    inputs.map(({ name, elementType, shape = [] }) => {
      const sizes = shape.map((d: OnnxDimension) => (typeof d === 'number' ? d : 1));
      const count = sizeOf(sizes);
      const value = values[name] ?? 0;
      const data = typeof value === 'number' ? new Float64Array(count).fill(value) : Float64Array.from(value);
      if (data.length !== count) {
        throw new ModelError(where, `expected ${count} values for input '${name}', got ${data.length}.`);
      }
      const type = elementType === 'bool' ? 'bool' : elementType.includes('float') ? 'float' : 'int';
      return [name, { type, shape: sizes, data }];
    }),
  );
}
