import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { cosineChain, ddpmChain, latentChain } from '../diffusion/betas.ts';
import type { DiscreteVpSpec } from '../diffusion/betas.ts';
import type { ParameterizationKind, ParameterizationSpec } from '../diffusion/parameterization.ts';
import { parameterizationSchema } from '../diffusion/parameterization-schema.ts';
import type { OnnxInputs, PixelRange } from '../diffusion/side-car.ts';
import { SpecError } from '../errors/errors.ts';

/** How a foreign model is to be read, in the words of the command line; what is left out comes from its side-car or configuration. */
export interface ReadingInput {
  /** A kind such as `epsilon`, or the JSON of a whole parameterization. */
  readonly parameterization?: string | undefined;
  /** Name of a beta schedule, for epsilon, v and x0. */
  readonly schedule?: string | undefined;
  /** `low:high`, values of black and white in the training. */
  readonly pixelRange?: string | undefined;
  /** `sample=NAME,time=NAME,class=NAME,text=NAME`. */
  readonly input?: string | undefined;
  readonly outputName?: string | undefined;
  /** `NAME=VALUE,...`: inputs held at a value. */
  readonly fix?: string | undefined;
  /** `3x32x32`. */
  readonly shape?: string | undefined;
  readonly class?: number | undefined;
  /** Path of an embedding, NPY. */
  readonly text?: string | undefined;
  /** Most memory in GiB that its weights may take. */
  readonly maxWeights?: number | undefined;
}

/** The fields of a `ReadingInput`, for specs. */
export const readingInputSchema: z.ZodType<ReadingInput> = z.strictObject({
  parameterization: z.string().optional(),
  schedule: z.string().optional(),
  pixelRange: z.string().optional(),
  input: z.string().optional(),
  outputName: z.string().optional(),
  fix: z.string().optional(),
  shape: z.string().optional(),
  class: z.int('expected a whole number').nonnegative('expected a class from 0').optional(),
  text: z.string().optional(),
  maxWeights: z.number().positive('expected GiB above 0').optional(),
});

/** What the user said of a foreign model, parsed. */
export interface ReadingWishes {
  readonly parameterization?: ParameterizationSpec | undefined;
  readonly range?: PixelRange | undefined;
  readonly inputs: OnnxInputs;
  readonly output?: string | undefined;
  readonly sampleShape?: readonly number[] | undefined;
  readonly classLabel?: number | undefined;
  readonly text?: string | undefined;
  readonly maxWeightBytes?: number | undefined;
}

/** @throws SpecError naming the flag that is wrong and what it may say */
export function parseReading(input: ReadingInput): ReadingWishes {
  const issue = readingInputSchema.safeParse(input).error?.issues[0];
  if (issue !== undefined) {
    const flag = String(issue.path[0]).replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    throw new SpecError(`--${flag}`, `${issue.message}.`);
  }
  return {
    parameterization: parseParameterization(input.parameterization, input.schedule),
    range: input.pixelRange === undefined ? undefined : parseRange(input.pixelRange),
    inputs: { ...parseInputs(input.input), ...(input.fix === undefined ? {} : { fixed: parseFixed(input.fix) }) },
    output: input.outputName,
    sampleShape: input.shape === undefined ? undefined : parseShape(input.shape),
    classLabel: input.class,
    text: input.text,
    maxWeightBytes: input.maxWeights === undefined ? undefined : input.maxWeights * 2 ** 30,
  };
}

const kinds = [
  'denoised', 'edm', 'epsilon', 'v', 'x0', 'vp', 've', 'iddpm', 'flow', 'score', 'residual', 'blind',
] as const satisfies readonly ParameterizationKind[]; // prettier-ignore

/** Chains that `--schedule` names, with the betas that their models use. */
const chains: Readonly<Record<string, DiscreteVpSpec>> = {
  linear: ddpmChain,
  scaled_linear: latentChain,
  cosine: cosineChain,
  sigmoid: { betaSchedule: 'sigmoid' },
};

/** Kinds that `--parameterization` takes. */
export const parameterizationKinds: readonly string[] = kinds;

function parseParameterization(
  text: string | undefined,
  schedule: string | undefined,
): ParameterizationSpec | undefined {
  const flag = '--parameterization';
  if (text === undefined) {
    if (schedule === undefined) return undefined;
    throw new SpecError('--schedule', 'expected a --parameterization beside it: epsilon, v or x0.');
  }
  if (text.startsWith('{')) {
    const parsed = parameterizationSchema.safeParse(parseJson(flag, text));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new SpecError(flag, `${issue?.path.join('.') || 'the JSON'}: ${issue?.message}. See docs/side-car.md.`);
  }
  const kind = kinds.find((k) => k === text);
  if (kind === undefined) throw new SpecError(flag, `expected ${kinds.join(', ')} or JSON, got '${text}'.`);
  const onChain = kind === 'epsilon' || kind === 'v' || kind === 'x0';
  if (schedule === undefined) return { kind };
  if (!onChain) throw new SpecError('--schedule', `applies to epsilon, v and x0, not to ${kind}. Leave it out.`);
  const chain = Object.hasOwn(chains, schedule) ? chains[schedule] : undefined;
  if (chain === undefined) {
    throw new SpecError('--schedule', `expected ${Object.keys(chains).join(', ')}, got '${schedule}'.`);
  }
  return { kind, schedule: chain };
}

/** The flags that say a parameterization: its kind and the name of its chain where that is all, else JSON. */
export function parameterizationFlags(spec: ParameterizationSpec): string {
  const { kind, ...rest } = spec;
  const said = Object.entries(rest).filter(([, value]) => value !== undefined);
  if (said.length === 0) return `--parameterization ${kind}`;
  const isUsual = ([key, value]: [string, unknown]): boolean =>
    key === 'schedule' || (key === 'time' && value === 'step');
  const chain = Object.keys(chains).find(
    (name) => 'schedule' in spec && isDeepStrictEqual(chains[name], spec.schedule),
  );
  return chain !== undefined && said.every(isUsual)
    ? `--parameterization ${kind} --schedule ${chain}`
    : `--parameterization '${JSON.stringify(spec)}'`;
}

function parseJson(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SpecError(flag, 'expected JSON after {, got something else. Quote it for the shell.');
  }
}

function parseRange(text: string): PixelRange {
  const [low, high] = text.split(':').map(Number);
  if (text.split(':').length === 2 && low !== undefined && high !== undefined && low < high) return { low, high };
  throw new SpecError('--pixel-range', `expected low:high such as -1:1 or 0:255, got '${text}'.`);
}

function parseShape(text: string): number[] {
  const sizes = text.split('x').map(Number);
  if (sizes.every((d) => Number.isInteger(d) && d >= 1 && d <= 65_536)) return sizes;
  throw new SpecError('--shape', `expected sizes such as 3x32x32, got '${text}'.`);
}

const roles = { sample: 'sample', time: 'time', class: 'classLabels', text: 'text' } as const;

function parseInputs(text: string | undefined): OnnxInputs {
  const pairs = pairsOf('--input', text).map(([role, name]) => {
    if (!Object.hasOwn(roles, role)) {
      throw new SpecError('--input', `expected sample=, time=, class= or text=, got '${role}='.`);
    }
    return [roles[role as keyof typeof roles], name];
  });
  return Object.fromEntries(pairs) as OnnxInputs;
}

function parseFixed(text: string): Record<string, number> {
  const pairs = pairsOf('--fix', text).map(([name, value]): [string, number] => {
    const number = value.trim() === '' ? NaN : Number(value);
    if (Number.isNaN(number)) throw new SpecError('--fix', `expected a number for '${name}', got '${value}'.`);
    return [name, number];
  });
  return Object.fromEntries(pairs);
}

function pairsOf(flag: string, text: string | undefined): [string, string][] {
  if (text === undefined) return [];
  return text.split(',').map((part) => {
    const at = part.indexOf('=');
    if (at < 1) throw new SpecError(flag, `expected NAME=VALUE between commas, got '${part}'.`);
    return [part.slice(0, at), part.slice(at + 1)];
  });
}
