import { z } from 'zod';
import { SpecError } from '../errors/errors.ts';

/** An integer from `least` to `most`. */
export function whole(least: number, most: number): z.ZodType<number> {
  return z.custom<number>((v) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most, {
    error: ({ input }) => `expected an integer from ${least} to ${most}, got ${String(input)}`,
  });
}

/** A finite number for which `holds`; `wanted` says which those are. */
export function real(wanted: string, holds: (value: number) => boolean): z.ZodType<number> {
  return z.custom<number>((v) => Number.isFinite(v) && holds(v as number), {
    error: ({ input }) => `expected ${wanted}, got ${String(input)}`,
  });
}

/** A seed from which others are counted on. */
export const seedSchema: z.ZodType<number> = whole(0, Number.MAX_SAFE_INTEGER - 1_000_000);

/** The candidate as a spec. @throws SpecError in one line, naming each field that is wrong and the command whose help says more */
export function checkSpec<Spec>(command: string, schema: z.ZodType<Spec>, candidate: unknown): Spec {
  const checked = schema.safeParse(candidate);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new SpecError(command, `${text}. See eigenlens ${command} --help.`, { details: { issues } });
}
