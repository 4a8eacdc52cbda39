import { z } from 'zod';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { directionMethods } from '../editing/direction-set.ts';
import type { DirectionMethod } from '../editing/direction-set.ts';
import { sigmaFromVpTime } from '../diffusion/coordinates.ts';
import { SpecError } from '../errors/errors.ts';
import { checkSpec, real, seedSchema, whole } from './check-spec.ts';
import { readingInputSchema } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

/** Several directions at once: numbers of the run's table and the strength of each. */
export interface CompositionTerm {
  readonly direction: number;
  readonly strength: number;
}

/** What `eigenlens edit` does, in full. */
export interface EditSpec {
  readonly model: string;
  /** Place among the held-out images (from 0), or the path of an image. */
  readonly image: string;
  readonly data?: string | undefined;
  /** `auto` (parts found by the Jacobian itself), `none`, a shape such as `box:8,18,16,8`, `part:2`, or the path of an image. */
  readonly mask: string;
  /** Parts that `auto` and `part:N` divide the image into. */
  readonly parts: number;
  /** Directions a part. */
  readonly directions: number;
  readonly method: DirectionMethod;
  readonly nullRank: number;
  /** Noise level, VE, data units; chosen by the size of the image where it is left out. */
  readonly sigma?: number | undefined;
  /** Noise levels each way. */
  readonly steps: number;
  /** VP coordinates, ascending, with 0 among them; chosen by the size of the image where they are left out. */
  readonly strengths?: readonly number[] | undefined;
  /** Noise level, VE, below which sampling is stochastic; deterministic where it is left out. */
  readonly boost?: number | undefined;
  /** Held-out images that directions are transferred to. */
  readonly others: number;
  /** Side-cars of saved directions, in place of a search. */
  readonly transfer?: readonly string[] | undefined;
  readonly compose?: readonly CompositionTerm[] | undefined;
  /** Class towards which a conditional model is to edit; the other condition is the reading's. */
  readonly towardsClass?: number | undefined;
  /** NPY of the embedded text towards which a conditional model is to edit. */
  readonly towardsText?: string | undefined;
  /** Whether a judge of the data's attributes says what each direction changes. */
  readonly judge: boolean;
  /** Perceptual distance: path of an ONNX graph. */
  readonly perceptual?: string | undefined;
  readonly format: 'npz' | 'safetensors';
  readonly seed: number;
  readonly device?: DeviceRequest | undefined;
  readonly trust?: boolean | undefined;
  readonly reading?: ReadingInput | undefined;
}

/** What a user may say; the rest is filled in by `resolveEditSpec`. */
export interface EditInput {
  readonly model?: string | undefined;
  readonly image?: string | undefined;
  readonly data?: string | undefined;
  readonly mask?: string | undefined;
  readonly parts?: number | undefined;
  readonly directions?: number | undefined;
  readonly method?: DirectionMethod | undefined;
  readonly nullRank?: number | undefined;
  readonly sigma?: number | undefined;
  /** Noise level as time 0 to 1 on the linear VP schedule of DDPM, in place of `sigma`. */
  readonly time?: number | undefined;
  readonly steps?: number | undefined;
  /** `low:high`, `low:high:count` or a list. */
  readonly strength?: string | undefined;
  /** As time on the same schedule; the released code boosts from 0.2. */
  readonly boost?: number | undefined;
  readonly others?: number | undefined;
  /** Paths between commas. */
  readonly transfer?: string | undefined;
  /** `1=4,3=-3`. */
  readonly compose?: string | undefined;
  readonly towardsClass?: number | undefined;
  readonly towardsText?: string | undefined;
  readonly judge?: boolean | undefined;
  readonly perceptual?: string | undefined;
  readonly format?: 'npz' | 'safetensors' | undefined;
  readonly seed?: number | undefined;
  readonly device?: DeviceRequest | undefined;
  readonly trust?: boolean | undefined;
  readonly reading?: ReadingInput | undefined;
}

const positive = real('a number above 0', (v) => v > 0);
const term = z.strictObject({ direction: whole(1, 10_000), strength: real('a number', () => true) });

const schema: z.ZodType<EditSpec> = z.strictObject({
  model: z.string().min(1),
  image: z.string().min(1),
  data: z.string().optional(),
  mask: z.string().min(1),
  parts: whole(2, 64),
  directions: whole(1, 256),
  method: z.enum(directionMethods),
  nullRank: whole(0, 256),
  sigma: positive.optional(),
  steps: whole(2, 1000),
  strengths: z
    .array(real('a number', () => true))
    .min(3)
    .optional(),
  boost: positive.optional(),
  others: whole(0, 256),
  transfer: z.array(z.string().min(1)).min(1).optional(),
  compose: z.array(term).min(1).optional(),
  towardsClass: whole(0, 1e9).optional(),
  towardsText: z.string().min(1).optional(),
  judge: z.boolean(),
  perceptual: z.string().min(1).optional(),
  format: z.enum(['npz', 'safetensors']),
  seed: seedSchema,
  device: z.enum(['auto', ...deviceNames]).optional(),
  trust: z.boolean().optional(),
  reading: readingInputSchema.optional(),
});

/** Parts that an image is divided into where nothing else is said. */
const DEFAULT_PARTS = 8;

/** Directions projected out for automatic parts: as published, since neighbouring parts share what is wanted, such as the colour of hair. */
const PARTS_NULL_RANK = 5;
/** For masks that are drawn: at 32 pixels five leave much of the change outside, twenty do not (docs/notes/0007-editing.md). */
const DRAWN_NULL_RANK = 20;

/**
 * Fills in every default.
 * @throws SpecError in one line, naming each field that is wrong and the pairs that exclude each other
 */
export function resolveEditSpec(input: EditInput): EditSpec {
  const { time, strength, boost, transfer, compose, ...said } = input;
  checkPairs(input);
  const mask = input.mask ?? (input.transfer === undefined && input.method !== 'supervised' ? 'auto' : 'none');
  const supervised = input.towardsClass !== undefined || input.towardsText !== undefined;
  return checkSpec('edit', schema, {
    ...said,
    model: input.model ?? 'faces',
    image: input.image ?? '0',
    mask,
    parts: input.parts ?? DEFAULT_PARTS,
    directions: input.directions ?? (supervised || mask === 'auto' ? 1 : 5),
    method: input.method ?? (supervised ? 'supervised' : 'loco'),
    nullRank: input.nullRank ?? (/^(auto|part:)/.test(mask) ? PARTS_NULL_RANK : DRAWN_NULL_RANK),
    sigma: time === undefined ? input.sigma : sigmaFromTime('time', time),
    steps: input.steps ?? 12,
    ...(strength !== undefined && { strengths: parseStrengths(strength) }),
    ...(boost !== undefined && { boost: sigmaFromTime('boost', boost) }),
    others: input.others ?? 4,
    ...(transfer !== undefined && { transfer: transfer.split(',') }),
    ...(compose !== undefined && { compose: parseComposition(compose) }),
    judge: input.judge ?? false,
    format: input.format ?? 'npz',
    seed: input.seed ?? 0,
  });
}

/** @throws SpecError for what cannot be said together */
function checkPairs({ sigma, time, method, towardsClass, towardsText, transfer, mask }: EditInput): void {
  const refuse = (text: string): never => {
    throw new SpecError('edit', text);
  };
  if (sigma !== undefined && time !== undefined) refuse('expected --sigma or --time, got both. Drop one.');
  const supervised = towardsClass !== undefined || towardsText !== undefined;
  if (towardsClass !== undefined && towardsText !== undefined) {
    refuse('expected --towards-class or --towards-text, got both. Drop one.');
  }
  if (supervised && method !== undefined && method !== 'supervised') {
    refuse(`expected no --method beside a condition to edit towards, got ${method}. Drop one.`);
  }
  if (method === 'supervised' && !supervised) {
    refuse('expected --towards-class or --towards-text for --method supervised, got neither.');
  }
  if (transfer !== undefined && (mask !== undefined || method !== undefined || supervised)) {
    refuse('expected saved directions (--transfer) or a search (--mask, --method, --towards-...), got both. Drop one.');
  }
}

function sigmaFromTime(field: string, time: number): number {
  if (time > 0 && time < 1) return sigmaFromVpTime(time);
  throw new SpecError('edit', `${field}: expected a time between 0 and 1, got ${time}.`);
}

/** Strengths in a row where only their ends are said. */
const STRENGTHS = 7;

/**
 * Reads `-6:6`, `-6:6:9` (low, high, number) or `-6,-3,3,6`; 0, the image without an edit, is always among them.
 * @returns ascending, without repeats
 * @throws SpecError with an example
 */
export function parseStrengths(text: string): number[] {
  const wrong = (): SpecError =>
    new SpecError('--strength', `expected low:high with low < high, such as -6:6 or -6:6:9, or a list, got '${text}'.`);
  const numbers = (parts: readonly string[]): number[] =>
    parts.map((part) => (part.trim() === '' ? NaN : Number(part)));
  const span = text.split(':');
  if (span.length === 1) {
    const list = numbers(text.split(','));
    if (!list.every(Number.isFinite)) throw wrong();
    return withZero(list);
  }
  const [low = NaN, high = NaN, count = STRENGTHS] = numbers(span);
  if (!(low < high && Number.isInteger(count) && count >= 2 && count <= 101 && span.length <= 3)) throw wrong();
  return withZero(Array.from({ length: count }, (_, i) => low + (i * (high - low)) / (count - 1)));
}

function withZero(strengths: readonly number[]): number[] {
  return [...new Set([0, ...strengths])].map((v) => v + 0).sort((a, b) => a - b);
}

function parseComposition(text: string): CompositionTerm[] {
  return text.split(',').map((item) => {
    const [direction, strength, ...rest] = item.split('=').map((part) => (part.trim() === '' ? NaN : Number(part)));
    if (rest.length > 0 || !Number.isInteger(direction) || !Number.isFinite(strength)) {
      throw new SpecError('--compose', `expected DIRECTION=STRENGTH between commas, such as 1=4,3=-3, got '${item}'.`);
    }
    return { direction: direction as number, strength: strength as number };
  });
}

/** Size of image for which the defaults below are stated, in pixels. */
const REFERENCE_SIZE = 32;

/**
 * Noise level of an edit where none is said: 2 at 32 pixels, and 6.1 (t = 0.6 of the paper) at 256, by a power between; 1 for points.
 * @source arXiv 2409.02374, section 5 (t = 0.5 to 0.7 at 256 pixels); 2 at 32 pixels is our measurement on drawn faces
 */
export function defaultSigma(sampleShape: readonly number[]): number {
  return sampleShape.length < 2 ? 1 : 2 * relativeSize(sampleShape) ** 0.54;
}

/**
 * Strengths where none are said: -3 to 3 at 32 pixels, and the paper's -15 to 15 at 256, by a power between; VP coordinates.
 * @source arXiv 2409.02374, section 5
 */
export function defaultStrengths(sampleShape: readonly number[]): number[] {
  const end = Number((3 * (sampleShape.length < 2 ? 1 / 3 : relativeSize(sampleShape) ** 0.774)).toPrecision(2));
  return parseStrengths(`${-end}:${end}`);
}

function relativeSize(sampleShape: readonly number[]): number {
  return Math.max(...sampleShape.slice(-2)) / REFERENCE_SIZE;
}
