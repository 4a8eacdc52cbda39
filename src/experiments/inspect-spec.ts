import { createHash } from 'node:crypto';

import { z } from 'zod';

import { karrasGrid, logGrid } from '../diffusion/noise-grid.ts';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { SpecError } from '../errors/errors.ts';
import { readingInputSchema } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

const positive = real('a positive number up to 1e6', (v) => v > 0 && v <= 1e6);
const count = whole('an integer from 1 to 10000', 1, 10_000);

/** Everything that decides the numbers of one `inspect`; plain data with every default filled in. */
export interface InspectSpec {
  readonly job: 'inspect';
  readonly version: 1;
  readonly model: string;
  readonly data?: string | undefined;
  readonly seed: number;
  /** Data units, descending, no two equal. */
  readonly sigmas: readonly number[];
  readonly images: number;
  readonly triplets: number;
  readonly samples: number;
  /** Samples compared with the training set, 0 for none. */
  readonly copies: number;
  readonly steps: number;
  readonly blockSize: number;
  /** Directions a part in the sheet of one-step edits; 0 for none. */
  readonly edits: number;
  /** VP coordinates. */
  readonly lengths: readonly number[];
  /** A second model of the same shape, from the same latents. */
  readonly beside?: { readonly model: string; /** Some of `sigmas`, descending. */ readonly sigmas: readonly number[] } | undefined; // prettier-ignore
  /** How a foreign network is read, as far as the user says. */
  readonly reading?: ReadingInput | undefined;
  /** Whether that reading goes unproved. */
  readonly trust?: true | undefined;
  /** Where networks run, default `auto`. */
  readonly device?: DeviceRequest | undefined;
}

const schema: z.ZodType<InspectSpec> = z.strictObject({
  job: z.literal('inspect'),
  version: z.literal(1),
  model: z.string().min(1),
  data: z.string().min(1).optional(),
  seed: whole('an integer from 0 to 2^53 - 10001', 0, Number.MAX_SAFE_INTEGER - 10_000),
  sigmas: z.array(positive).min(1).max(200),
  images: count,
  triplets: count,
  samples: count,
  copies: whole('an integer from 0 to 10000', 0, 10_000),
  steps: whole('an integer from 2 to 1000', 2, 1000),
  blockSize: count,
  edits: whole('an integer from 0 to 100', 0, 100),
  lengths: z.array(positive).min(1).max(50),
  beside: z.strictObject({ model: z.string().min(1), sigmas: z.array(positive).min(1) }).optional(),
  reading: readingInputSchema.optional(),
  trust: z.literal(true).optional(),
  device: z.enum(['auto', ...deviceNames]).optional(),
});

/** What a user may say; the rest is filled in by `resolveInspectSpec`. */
export interface InspectInput {
  /** A built-in name, `kind:arguments`, or a path; default `fashion`. */
  readonly model?: string | undefined;
  /** Data set whose held-out part is noised; default the model's own. */
  readonly data?: string | undefined;
  /** Non-negative integer, default 0. */
  readonly seed?: number | undefined;
  /** Noise levels in data units, in any order; default `levels` levels of the sampler's grid. */
  readonly sigmas?: readonly number[] | undefined;
  /** Number of noise levels where `sigmas` is not given, default 12. */
  readonly levels?: number | undefined;
  /** Held-out samples to look at, default 1. */
  readonly images?: number | undefined;
  /** Leading singular triplets a Jacobian, default 8. */
  readonly triplets?: number | undefined;
  /** Samples to draw, default 64; their seeds count up from `seed`. */
  readonly samples?: number | undefined;
  /** Samples compared with the training set, default 256 or `samples`, whichever is more; 0 leaves the comparison out. */
  readonly copies?: number | undefined;
  /** Noise levels of the sampler's grid, default 18 (the papers' trajectory). */
  readonly steps?: number | undefined;
  /** Rows in one Jacobian product, default 112: large blocks spare a network most of its overhead. */
  readonly blockSize?: number | undefined;
  /** Directions a part in the sheet of one-step edits, default 1; 0 leaves it out. */
  readonly edits?: number | undefined;
  /** Step lengths of the linearity test in VP coordinates, default 0.1 to 40. */
  readonly lengths?: readonly number[] | undefined;
  /** A second model, whose copy check, samples and rank stand beside. */
  readonly beside?: string | undefined;
  /** Noise levels of the second model, default 3 or as many as there are. */
  readonly besideLevels?: number | undefined;
  readonly reading?: ReadingInput | undefined;
  readonly trust?: boolean | undefined;
  readonly device?: DeviceRequest | undefined;
}

/**
 * Fills in defaults and checks every field, all at once.
 * @returns a spec whose noise levels are descending and differ from each other
 * @throws SpecError in one line; `details.issues` lists {path, message} of every field that is wrong
 */
export function resolveInspectSpec(input: InspectInput): InspectSpec {
  const steps = input.steps ?? 18;
  const levels = input.sigmas ?? defaultSigmas(input.levels ?? 12, steps);
  const sigmas = [...new Set(levels)].sort((a, b) => b - a);
  const samples = input.samples ?? 64;
  const copies = input.copies ?? Math.max(256, samples);
  const candidate = {
    job: 'inspect',
    version: 1,
    model: input.model ?? 'fashion',
    ...(input.data === undefined ? {} : { data: input.data }),
    seed: input.seed ?? 0,
    sigmas,
    images: input.images ?? 1,
    triplets: input.triplets ?? 8,
    samples,
    copies,
    steps,
    blockSize: input.blockSize ?? 112,
    edits: input.edits ?? 1,
    lengths: [...(input.lengths ?? [0.1, 0.3, 1, 3, 10, 20, 40])],
    ...besideOf(input, sigmas, copies),
    ...(input.reading === undefined ? {} : { reading: input.reading }),
    ...(input.trust === true ? { trust: true } : {}),
    ...(input.device === undefined ? {} : { device: input.device }),
  };
  const checked = schema.safeParse(candidate);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const fields = new Map<string, string>();
  for (const { path, message } of issues) {
    const field = path.split('.')[0] as string;
    if (!fields.has(field)) fields.set(field, message);
  }
  const text = Array.from(fields, ([field, message]) => `${field}: ${message}`).join('; ');
  throw new SpecError('inspect', `${text}. See eigenlens inspect --help.`, { details: { issues } });
}

/** The second model with its noise levels, spread evenly over those of the first. */
function besideOf(
  { beside, besideLevels }: InspectInput,
  sigmas: readonly number[],
  copies: number,
): Pick<InspectSpec, 'beside'> {
  if (beside === undefined) {
    if (besideLevels === undefined) return {};
    throw new SpecError('inspect', 'expected a second model for --beside-levels, got none. Name it with --beside.');
  }
  if (copies === 0) {
    throw new SpecError('inspect', 'expected samples to compare with the training sets, got --copies 0. Leave it out, or leave out --beside.'); // prettier-ignore
  }
  const count = besideLevels ?? Math.min(3, sigmas.length);
  if (!Number.isInteger(count) || count < 1 || count > sigmas.length) {
    throw new SpecError('inspect', `expected an integer of --beside-levels from 1 to the ${sigmas.length} levels of the first model, got ${count}.`); // prettier-ignore
  }
  const at = (i: number): number => sigmas[Math.floor(((i + 0.5) * sigmas.length) / count)] as number;
  return { beside: { model: beside, sigmas: Array.from({ length: count }, (_, i) => at(i)) } };
}

/** SHA-256 (hex) of a spec; equal specs have equal hashes whatever the order in which they were said. */
export function hashInspectSpec(spec: InspectSpec): string {
  // Parsing puts the keys into the order of the schema, which makes the text canonical.
  return createHash('sha256')
    .update(JSON.stringify(schema.parse(spec)))
    .digest('hex');
}

/**
 * The noise levels of the trajectory of a spec: the EDM grid of `steps` levels, stretched to hold every level of the spec, with those
 * levels inserted, so that each Jacobian of the trajectory lies on a state of the sampler.
 * @returns descending, without the final 0
 */
export function trajectoryGrid(spec: Pick<InspectSpec, 'sigmas' | 'steps'>): Float64Array {
  const sigmaMin = Math.min(0.002, ...spec.sigmas);
  const sigmaMax = Math.max(80, ...spec.sigmas);
  const grid = karrasGrid({ steps: spec.steps, sigmaMin, sigmaMax });
  return Float64Array.from(new Set([...grid, ...spec.sigmas])).sort((a, b) => b - a);
}

/**
 * `levels` levels of the EDM grid from 80 to 0.002, each the free one nearest in ln sigma to a level of the even logarithmic
 * grid: the curve is even on its log axis, and the trajectory needs no extra steps.
 */
function defaultSigmas(levels: number, steps: number): number[] {
  if (!Number.isInteger(levels) || levels < 1 || !Number.isInteger(steps) || levels > steps) {
    throw new SpecError(
      'inspect',
      `expected an integer number of levels from 1 to the ${steps} steps of the trajectory, got ${levels}. ` +
        'Give fewer --levels or more --steps.',
    );
  }
  const free = new Set(karrasGrid({ steps: Math.max(2, steps) }));
  return Array.from(logGrid({ steps: levels }), (wanted) => {
    const distance = (sigma: number): number => Math.abs(Math.log(sigma / wanted));
    const nearest = [...free].reduce((a, b) => (distance(b) < distance(a) ? b : a));
    free.delete(nearest);
    return nearest;
  });
}

function real(expected: string, holds: (value: number) => boolean): z.ZodType<number> {
  return z.custom<number>((v) => typeof v === 'number' && holds(v), {
    error: ({ input }) => `expected ${expected}, got ${typeof input === 'number' ? input : JSON.stringify(input)}`,
  });
}

function whole(expected: string, min: number, max: number): z.ZodType<number> {
  return real(expected, (v) => Number.isInteger(v) && v >= min && v <= max);
}
