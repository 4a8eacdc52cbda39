import { z } from 'zod';
import { ModelError } from '../errors/errors.ts';
import { listIssues } from './issues.ts';
import type { ParameterizationSpec } from './parameterization.ts';
import { parameterizationSchema } from './parameterization-schema.ts';

/** The format tag of the side-car. */
export const onnxSideCarFormat = 'eigenlens-onnx/1';

/** Pixel values of black and white. */
export interface PixelRange {
  readonly low: number;
  readonly high: number;
}

/** The pixel range where none is said. */
export const usualRange: PixelRange = { low: -1, high: 1 };

/** What `<model>.json` says of the `<model>.onnx` beside it; what it leaves out is found from the graph or has the default said. */
export interface OnnxSideCar {
  readonly format: typeof onnxSideCarFormat;
  readonly name?: string | undefined;
  readonly parameterization: ParameterizationSpec;
  /** Default [-1, 1]. */
  readonly range?: PixelRange | undefined;
  readonly inputs?: OnnxInputs | undefined;
  /** Name of the output, default the only one. */
  readonly output?: string | undefined;
  /** One sample without batch, default from the graph. */
  readonly sampleShape?: readonly number[] | undefined;
  readonly condition?: OnnxCondition | undefined;
  readonly latent?: OnnxLatent | undefined;
  /** Data set of the training, as `--data` takes it. */
  readonly data?: string | undefined;
}

/** Names of the graph's inputs by role. */
export interface OnnxInputs {
  readonly sample?: string | undefined;
  readonly time?: string | undefined;
  readonly classLabels?: string | undefined;
  readonly text?: string | undefined;
  /** Inputs of any other role, held fixed: one number for every element, or all elements in row-major order. */
  readonly fixed?: Readonly<Record<string, number | readonly number[]>> | undefined;
}

/** The condition under which the model is looked at. */
export interface OnnxCondition {
  /** Number of the class, from 0. */
  readonly class?: number | undefined;
  /** Path of the text embedding, NPY or NPZ, beside the side-car. */
  readonly text?: string | undefined;
}

/** Decoder and encoder of a latent model: the network sees (z - shiftFactor) scalingFactor. */
export interface OnnxLatent {
  /** Path beside the side-car. */
  readonly decoder?: string | undefined;
  /** Path beside the side-car. */
  readonly encoder?: string | undefined;
  /** Default 1. */
  readonly scalingFactor?: number | undefined;
  /** Default 0. */
  readonly shiftFactor?: number | undefined;
}

const name = z.string().min(1).max(1000);

/** Relative, with forward slashes, and never out of the folder. */
const path = z
  .string()
  .max(1000)
  .regex(/^(?!\/)(?!(?:[^]*\/)?\.\.(?:\/|$))[^\\:\p{Cc}]+$/u, 'expected a path inside the folder of the side-car');

const inputs = z
  .strictObject({
    sample: name.optional(),
    time: name.optional(),
    classLabels: name.optional(),
    text: name.optional(),
    fixed: z
      .record(name, z.union([z.number(), z.array(z.number())], 'expected a number or a list of numbers'))
      .optional()
      .describe('Other inputs, held fixed: one number for every element, or all elements in row-major order.'),
  })
  .describe('Names of the inputs by role, where they are not found by their shape and type.');

const schema: z.ZodType<OnnxSideCar> = z.strictObject({
  format: z.literal(onnxSideCarFormat),
  name: name.optional().describe('What tables call the model.'),
  parameterization: parameterizationSchema,
  range: z
    .strictObject({ low: z.number(), high: z.number() })
    .refine(({ low, high }) => low < high, 'expected low < high')
    .optional()
    .describe('Pixel values of black and white in the training, default -1 and 1.'),
  inputs: inputs.optional(),
  output: name.optional().describe('Name of the output, default the only one.'),
  sampleShape: z
    .array(z.int().min(1).max(65_536))
    .min(1)
    .max(4)
    .optional()
    .describe('Shape of one sample without batch, where the graph leaves it open.'),
  condition: z
    .strictObject({ class: z.int().nonnegative().optional(), text: path.optional() })
    .optional()
    .describe('Number of the class, or path of the text embedding, that is held fixed.'),
  latent: z
    .strictObject({
      decoder: path.optional(),
      encoder: path.optional(),
      scalingFactor: z.number().positive().optional(),
      shiftFactor: z.number().optional(),
    })
    .optional()
    .describe('Decoder and encoder of a latent model; the network sees (z - shiftFactor) * scalingFactor.'),
  data: name.optional().describe('Data set of the training, as --data takes it.'),
});

/** @throws ModelError naming the fields that are wrong */
export function parseOnnxSideCar(where: string, text: string): OnnxSideCar {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(where, 'expected JSON, got something else. Write the side-car again.', { cause });
  }
  return checked(where, json);
}

/** Text of a side-car, with a final line break. @throws ModelError naming the fields that are wrong */
export function writeOnnxSideCar(sideCar: OnnxSideCar): string {
  return `${JSON.stringify(checked(sideCar.name ?? 'side-car', sideCar), null, 2)}\n`;
}

/** The JSON schema of the side-car, as published in docs/schema. */
export function onnxSideCarJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { $schema, title: `Side-car of an ONNX denoiser (${onnxSideCarFormat})`, ...rest };
}

function checked(where: string, value: unknown): OnnxSideCar {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ModelError(where, `${listIssues(parsed.error.issues)}. Correct the side-car (docs/side-car.md).`);
}
