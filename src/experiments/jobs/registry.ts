import { SpecError } from '../../errors/errors.ts';
import type { Job } from './job.ts';

/** Every kind of job by name, loaded when a process is asked to run one. */
const jobs: Readonly<Record<string, () => Promise<Job<never, unknown>>>> = {
  'phase-cell': async () => (await import('../phase-cell.ts')).phaseCell,
};

/** The job of a name. @throws SpecError for a name that is none */
export async function jobNamed(name: string): Promise<Job<unknown, unknown>> {
  const load = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
  if (load === undefined) throw new SpecError('job', `expected ${Object.keys(jobs).join(' or ')}, got '${name}'.`);
  return load();
}
