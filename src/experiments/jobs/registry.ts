import { SpecError } from '../../errors/errors.ts';
import type { Job, SweepJob } from './job.ts';

/** Kinds of jobs that sweeps run by name, loaded when one is asked for. */
export const sweepJobs: Readonly<Record<string, () => Promise<SweepJob<object>>>> = {
  train: async () => (await import('./train-job.ts')).trainJob,
  generalization: async () => (await import('../generalization/job.ts')).generalizationJob,
};

/** Every kind of job by name, loaded when a process is asked to run one. */
const jobs: Readonly<Record<string, () => Promise<Job<never, unknown>>>> = {
  'phase-cell': async () => (await import('../phase-cell.ts')).phaseCell,
  ...sweepJobs,
};

/** The job of a name. @throws SpecError for a name that is none */
export async function jobNamed(name: string): Promise<Job<unknown, unknown>> {
  return named(jobs, name);
}

/** The kind of job of a name that sweeps run. @throws SpecError for a name that is none */
export async function sweepJobNamed(name: string): Promise<SweepJob<object>> {
  return named(sweepJobs, name);
}

async function named<T>(registry: Readonly<Record<string, () => Promise<T>>>, name: string): Promise<T> {
  const load = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (load === undefined) throw new SpecError('job', `expected ${Object.keys(registry).join(' or ')}, got '${name}'.`);
  return load();
}
