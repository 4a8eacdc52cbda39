import { describe, expect, it } from 'vitest';
import { CancelledError, DomainError, StoreError } from '../../errors/errors.ts';
import type { JobFiles, JobOutcome, RunJobs } from '../jobs/job.ts';
import { runSweep } from './run-sweep.ts';
import type { SweepFailure, SweepProgress, SweepStore } from './run-sweep.ts';
import type { SweepSpec } from './sweep-spec.ts';

const spec: SweepSpec = {
  job: 'sweep',
  name: 'six',
  kind: 'train',
  version: '1',
  jobs: Array.from({ length: 6 }, (_, n) => ({ key: `k${n}`, parameters: { n }, spec: { n } })),
};

interface MemoryStore extends SweepStore {
  readonly saved: string[];
  readonly failed: SweepFailure[];
}

function memoryStore(done: readonly string[], save: (key: string) => void = () => undefined): MemoryStore {
  const [saved, failed]: [string[], SweepFailure[]] = [[], []];
  return {
    saved,
    failed,
    done: async () => new Set(done),
    save: async ({ key }) => {
      save(key);
      saved.push(key);
    },
    fail: async (failure) => void failed.push(failure),
  };
}

/** Runs jobs whose result is a row with their number. */
function runner(run: (n: number) => void | Promise<void> = () => undefined): { runJobs: RunJobs; ran: number[] } {
  const ran: number[] = [];
  const runJobs = async (
    _: unknown,
    specs: readonly { n: number }[],
    options: { signal?: AbortSignal; onProgress?: (...words: number[]) => void },
  ): Promise<JobOutcome<JobFiles>[]> => {
    expect(specs).toHaveLength(1);
    const n = specs[0]?.n as number;
    ran.push(n);
    options.onProgress?.(0, 1, 2);
    try {
      await run(n);
    } catch (error) {
      return [{ status: 'failed', error: error as Error }];
    }
    if (options.signal?.aborted === true) throw new CancelledError('job');
    return [{ status: 'done', value: { rows: [{ n }] } }];
  };
  return { runJobs: runJobs as unknown as RunJobs, ran };
}

describe('runSweep()', () => {
  it('runs what is not there yet, keeps each result as its job ends, and goes on after a failure', async () => {
    const store = memoryStore(['k1', 'k4']);
    const { runJobs, ran } = runner((n) => {
      if (n === 2) throw new DomainError('train', 'expected luck, got none.');
    });
    const told: SweepProgress[] = [];
    const outcome = await runSweep(spec, { store, runJobs, workers: 2, onProgress: (state) => void told.push(state) });
    expect(ran.toSorted()).toEqual([0, 2, 3, 5]);
    expect(store.saved.toSorted()).toEqual(['k0', 'k3', 'k5']);
    expect(store.failed).toEqual([
      { key: 'k2', parameters: { n: 2 }, spec: { n: 2 }, message: 'train: expected luck, got none.', code: 'E_DOMAIN' },
    ]);
    expect(outcome).toEqual({ ran: 3, found: 2, failures: store.failed });
    expect(told[0]).toEqual({ done: 2, failed: 0, total: 6, running: [] });
    expect(told.at(-1)).toEqual({ done: 5, failed: 1, total: 6, running: [] });
    expect(Math.max(...told.map(({ running }) => running.length))).toBe(2);
    expect(told.flatMap(({ running }) => running)).toContainEqual({ ...spec.jobs[0], done: 1, total: 2 });
  });

  it('counts a result that cannot be written down as a failure of its job, but stops where the disk refuses', async () => {
    const store = memoryStore([], (key) => {
      if (key === 'k0') throw new StoreError('json', 'expected finite numbers, got NaN at $.loss.');
    });
    const outcome = await runSweep(spec, { store, runJobs: runner().runJobs, workers: 3 });
    expect(outcome.failures).toMatchObject([{ key: 'k0', code: 'E_STORE' }]);
    expect(store.saved).toHaveLength(5);

    const full = memoryStore([], (key) => {
      if (key === 'k1')
        throw new StoreError('runs', 'the disk is full.', { details: { path: 'runs', code: 'ENOSPC' } });
    });
    const { runJobs, ran } = runner();
    await expect(runSweep(spec, { store: full, runJobs, workers: 1 })).rejects.toThrow('the disk is full');
    expect(ran).toEqual([0, 1]);
    expect(full.failed).toEqual([]);
  });

  it('stops once its signal is aborted, and says how much is kept', async () => {
    const stop = new AbortController();
    const { runJobs, ran } = runner((n) => {
      if (n === 2) stop.abort();
    });
    const store = memoryStore([]);
    const running = runSweep(spec, { store, runJobs, workers: 1, signal: stop.signal });
    await expect(running).rejects.toThrow('was interrupted with 2 of 6 jobs done, which are kept.');
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect(ran).toEqual([0, 1, 2]);
    expect(store.saved).toEqual(['k0', 'k1']);
  });
});
