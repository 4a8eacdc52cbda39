import { DomainError } from '../errors/errors.ts';
import type { Job } from '../experiments/jobs/job.ts';

/** What a worker is to do in tests. */
export interface EchoSpec {
  readonly value: number;
  readonly act?: 'fail' | 'die' | 'wait' | undefined;
}

/** A job for tests of pools: says its value and process, fails, dies, or waits until it is stopped. */
export const echo: Job<EchoSpec, { readonly value: number; readonly pid: number }> = {
  name: 'echo',
  async run({ value, act }, { signal, onProgress }) {
    onProgress?.(1, 2, `at ${value}`);
    if (act === 'fail') throw new DomainError('echo', `expected another value, got ${value}.`);
    if (act === 'die') process.kill(process.pid, 'SIGKILL');
    if (act === 'wait') await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
    return { value, pid: process.pid };
  },
};
