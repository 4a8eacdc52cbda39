import { z } from 'zod';
import { LabError, SpecError } from '../../errors/errors.ts';
import { checkSpec } from '../check-spec.ts';
import type { JobRow, SweepJob } from '../jobs/job.ts';
import { sweepJobNamed } from '../jobs/registry.ts';
import { describeParameters } from './describe-parameters.ts';
import { expandCombinations } from './expand.ts';
import type { SpecFields, Variant } from './expand.ts';
import { jobKey } from './job-key.ts';

/** One job of a sweep, ready to run. */
export interface SweepEntry {
  /** As `jobKey`. */
  readonly key: string;
  /** What sets it apart from the others. */
  readonly parameters: JobRow;
  readonly spec: object;
}

/** Resolved spec of `eigenlens sweep`: every job with every default filled in, each once. */
export interface SweepSpec {
  readonly job: 'sweep';
  readonly name: string;
  /** Kind of its jobs. */
  readonly kind: string;
  /** Of this package; part of every key. */
  readonly version: string;
  readonly jobs: readonly SweepEntry[];
}

/** What a sweep's file says. */
interface SweepInput {
  readonly job: string;
  readonly name: string;
  readonly base: SpecFields;
  readonly grid: Readonly<Record<string, readonly unknown[]>>;
  readonly cases: readonly SpecFields[];
}

const fields = z.record(z.string(), z.json());

const schema: z.ZodType<SweepInput> = z.strictObject({
  job: z.string().min(1),
  name: z.string().min(1).default('sweep'),
  base: fields.default({}),
  grid: z
    .record(z.string(), z.array(z.json()).min(1, 'expected values, got none; leave the axis out'))
    .refine((grid) => Object.keys(grid).length > 0, 'expected axes, got none; leave it out')
    .optional()
    .transform((grid) => grid ?? {}),
  cases: z
    .array(fields)
    .min(1, 'expected cases, got none; leave it out')
    .optional()
    .transform((cases) => cases ?? []),
});

/** Wrong jobs that a message tells apart. */
const MOST_TOLD = 3;

/**
 * Expands what a sweep's file says and resolves every job before any runs; jobs that come out equal are one.
 * @param input  the parsed file
 * @param version  of this package
 * @throws SpecError in one line, for the file or for the jobs that are wrong
 */
export async function resolveSweep(input: unknown, version: string): Promise<SweepSpec> {
  const { job: kind, name, ...combinations } = checkSpec('sweep', schema, input);
  const job = await sweepJobNamed(kind);
  const entries = new Map<string, SweepEntry>();
  const refused: string[] = [];
  const variants = expandCombinations(combinations);
  for (const variant of variants) {
    try {
      const entry = entryOf(job, variant, version);
      if (!entries.has(entry.key)) entries.set(entry.key, entry);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      refused.push(`${describeParameters(variant.parameters)}: ${error.message}`);
    }
  }
  if (refused.length > 0) {
    const told = refused.slice(0, MOST_TOLD).join(' | ');
    const more = refused.length > MOST_TOLD ? ` | and ${refused.length - MOST_TOLD} more` : '';
    throw new SpecError(
      'sweep',
      `${refused.length} of ${variants.length} jobs are wrong, so none starts. ${told}${more}`,
    );
  }
  return { job: 'sweep', name, kind, version, jobs: [...entries.values()] };
}

function entryOf(job: SweepJob<object>, { fields, parameters }: Variant, version: string): SweepEntry {
  const spec = job.resolve(fields);
  const key = jobKey({ job: job.name, spec, version });
  // As it would be read back: what is undefined is not there.
  return { key, parameters, spec: JSON.parse(JSON.stringify(spec)) as object };
}
