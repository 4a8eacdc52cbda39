import { z } from 'zod';
import { parseSafetensors, writeSafetensors } from '../../data/safetensors.ts';
import { ModelError } from '../../errors/errors.ts';
import { assertFloat } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { Architecture } from './architecture.ts';
import type { Weights } from './weights.ts';

/** Names of the two files of a model folder. */
export const modelFiles = { sideCar: 'model.json', weights: 'model.safetensors' } as const;

/** Names of the same model as an ONNX graph with its side-car: `model.json` is taken. */
export const onnxFiles = { graph: 'model.onnx', sideCar: 'model.onnx.json' } as const;

const count = z.number().int().positive();
const positive = z.number().positive();

const architecture = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('unet'),
    sampleShape: z.tuple([count, count, count]),
    channels: z.array(count).min(1),
    features: count.multipleOf(2),
    groups: count,
    attention: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('mlp'),
    sampleShape: z.array(count).min(1),
    width: count,
    depth: z.number().int().nonnegative(),
    features: count.multipleOf(2),
  }),
  z.strictObject({ kind: z.literal('linear'), sampleShape: z.array(count).min(1), rank: count, sigmaData: positive }),
  z.strictObject({
    kind: z.literal('low-rank'),
    sampleShape: z.array(count).min(1),
    components: count,
    rank: count,
    sigmaData: positive,
  }),
]);

const sideCar = z.strictObject({
  format: z.literal('eigenlens-model/1'),
  name: z.string(),
  architecture,
  /** How the network's output becomes D(x; sigma); EDM's factors are the only ones written so far. */
  parameterization: z.literal('edm'),
  sigmaData: positive,
  /** Values of the images that it was trained on. */
  range: z.strictObject({ low: z.number(), high: z.number() }),
  /** Data set, spec and outcome of the training, for people and reports. */
  training: z.record(z.string(), z.unknown()).optional(),
});

/** What stands in `model.json` beside the weights. */
export interface ModelSideCar {
  readonly format: 'eigenlens-model/1';
  readonly name: string;
  readonly architecture: Architecture;
  readonly parameterization: 'edm';
  readonly sigmaData: number;
  readonly range: { readonly low: number; readonly high: number };
  readonly training?: Readonly<Record<string, unknown>> | undefined;
}

/** @throws ModelError naming the first field that is wrong */
export function parseSideCar(where: string, text: string): ModelSideCar {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(where, 'expected JSON, got something else. Write the side-car again.', { cause });
  }
  const parsed = sideCar.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ModelError(where, `${issue?.path.join('.') || 'the file'}: ${issue?.message}. Correct the side-car.`);
}

/** @throws ModelError, DatasetError for a file that does not hold float arrays */
export function parseWeights(where: string, bytes: Uint8Array): Weights {
  const weights: Record<string, FloatTensor> = {};
  for (const [name, x] of parseSafetensors(where, bytes).tensors) {
    assertFloat(`${where}: ${name}`, x);
    weights[name] = x;
  }
  return weights;
}

/** Weights as safetensors bytes. */
export function writeWeights(weights: Weights): Uint8Array<ArrayBuffer> {
  return writeSafetensors(new Map(Object.entries(weights)));
}
