import { createHash } from 'node:crypto';
import { SpecError } from '../../errors/errors.ts';

/** What decides the result of a job. */
export interface JobIdentity {
  /** Kind of job. */
  readonly job: string;
  /** With every default filled in. */
  readonly spec: object;
  /** Of this package. */
  readonly version: string;
}

/**
 * Name of a job by its content: the first 16 hex digits of the SHA-256 of its identity as JSON with sorted keys.
 * @throws SpecError for a spec that holds NaN or Infinity, which JSON would change
 */
export function jobKey({ job, spec, version }: JobIdentity): string {
  const text = JSON.stringify({ job, spec, version }, (name, value: unknown) => ordered(name, value));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function ordered(name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new SpecError('sweep', `${name}: expected a finite number, got ${value}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
