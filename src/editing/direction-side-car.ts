import { z } from 'zod';
import { alphaBarFromSigma, vpTimeFromSigma } from '../diffusion/coordinates.ts';
import { listIssues } from '../diffusion/issues.ts';
import { ModelError } from '../errors/errors.ts';
import { directionMethods } from './direction-set.ts';
import type { DirectionMethod } from './direction-set.ts';

/** The format tag of the side-car. */
export const directionsFormat = 'eigenlens-directions/1';

/** A name for people and the SHA-256 (hex) of what it names. */
export interface NamedHash {
  readonly name: string;
  readonly hash: string;
}

/** Where a set of directions comes from. */
export interface DirectionProvenance {
  /** The model whose Jacobian they were found from. */
  readonly model: NamedHash;
  /** The image at whose noisy version they were found, where there was one. */
  readonly image?: NamedHash | undefined;
  /** Version of Eigenlens that found them. */
  readonly version: string;
  /** Seed, backend and effort of the search, for people and reports. */
  readonly search?: Readonly<Record<string, unknown>> | undefined;
}

/** A VE noise level with what it is on the axes of VP. */
export interface DirectionNoise {
  readonly coordinates: 'VE';
  /** Data units. */
  readonly sigma: number;
  /** 1 / (1 + sigma^2). */
  readonly alphaBar: number;
  /** Time on the linear schedule of DDPM, step / 1000; above 1 for levels that it never reaches. */
  readonly t: number;
}

/** What stands in the side-car beside the arrays of a set. */
export interface DirectionSideCar extends DirectionProvenance {
  readonly format: typeof directionsFormat;
  readonly method: DirectionMethod;
  /** K. */
  readonly count: number;
  readonly sampleShape: readonly number[];
  readonly noise: DirectionNoise;
  readonly nullRank: number;
  readonly orthogonality: number;
  /** `hashMask` of the mask; undefined exactly where the set has none. */
  readonly maskHash?: string | undefined;
  /** The file of arrays, which lies beside. */
  readonly arrays: { readonly file: string; readonly bytes: number; readonly sha256: string };
}

const size = z.int().min(1).max(65_536);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 of 64 hex digits');
const name = z
  .string()
  .max(1000)
  .regex(/^\P{Cc}+$/u, 'expected a name of one line');
const namedHash = z.strictObject({ name, hash: sha256 });
const fileName = z
  .string()
  .max(255)
  .regex(
    /^(?!\.)[^/\\:\p{Cc}]+\.(npz|safetensors)$/u,
    'expected the name of an .npz or .safetensors file in the folder of the side-car',
  );

const noise = z.strictObject({
  coordinates: z.literal('VE'),
  sigma: z.number().positive(),
  alphaBar: z.number().positive().max(1).describe('1 / (1 + sigma^2).'),
  t: z.number().nonnegative().describe('Time on the linear schedule of DDPM, step / 1000.'),
});

const schema: z.ZodType<DirectionSideCar> = z.strictObject({
  format: z.literal(directionsFormat, `expected '${directionsFormat}', the one format that this version reads`),
  method: z.enum(directionMethods).describe('How the directions were found.'),
  count: size.describe('Number of directions K.'),
  sampleShape: z.array(size).min(1).max(4).describe('Shape of one sample without batch.'),
  noise: noise.describe('Noise level at which they were found: x = x0 + sigma n, in data units.'),
  nullRank: z.int().nonnegative().describe('Leading directions of the outside that were projected out.'),
  orthogonality: z.number().nonnegative().describe('Largest cosine between a direction and those projected out.'),
  model: namedHash.describe('Model whose Jacobian they were found from.'),
  image: namedHash.optional().describe('Image at whose noisy version they were found.'),
  maskHash: sha256.optional().describe('SHA-256 of the mask, where there is one.'),
  arrays: z
    .strictObject({ file: fileName, bytes: z.int().positive(), sha256 })
    .describe('The file of arrays beside this one.'),
  version: name.describe('Version of Eigenlens that found them.'),
  search: z.record(z.string(), z.unknown()).optional().describe('How they were searched for, for people.'),
});

/** @throws ModelError naming the fields that are wrong */
export function parseDirectionSideCar(where: string, text: string): DirectionSideCar {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(where, 'expected JSON, got something else: copy or save the directions again.', { cause });
  }
  return checked(where, json);
}

/** Text of a side-car, with a final line break. @throws ModelError naming the fields that are wrong */
export function writeDirectionSideCar(where: string, sideCar: DirectionSideCar): string {
  return `${JSON.stringify(checked(where, sideCar), null, 2)}\n`;
}

/** The JSON schema of the side-car, as published in docs/schema. */
export function directionsJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { $schema, title: `Side-car of edit directions (${directionsFormat})`, ...rest };
}

/** A noise level on all axes. @throws DomainError for one that is negative or not finite */
export function directionNoise(sigma: number): DirectionNoise {
  return { coordinates: 'VE', sigma, alphaBar: alphaBarFromSigma(sigma), t: vpTimeFromSigma(sigma) };
}

/** Relative difference of numbers that another program rounded. */
const ROUNDING = 1e-9;

function checked(where: string, value: unknown): DirectionSideCar {
  const parsed = schema.safeParse(value);
  const fail = (problem: string): never => {
    throw new ModelError(where, `${problem}. Correct the side-car (docs/directions.md).`);
  };
  if (!parsed.success) return fail(listIssues(parsed.error.issues));
  const { sigma, alphaBar, t } = parsed.data.noise;
  const right = directionNoise(sigma);
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= ROUNDING * b;
  if (near(alphaBar, right.alphaBar) && near(t, right.t)) return parsed.data;
  return fail(
    `noise: expected alphaBar ${right.alphaBar} and t ${right.t} at sigma ${sigma}, got ${alphaBar} and ${t}`,
  );
}
