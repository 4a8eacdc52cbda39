import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from 'vitest';

import { CancelledError, DomainError, LabError } from '../errors/errors.ts';
import { runJobsHere } from '../experiments/jobs/here.ts';
import { resultsOf } from '../experiments/jobs/job.ts';
import { phaseCell } from '../experiments/phase-cell.ts';
import { networkSolver } from '../experiments/phase-solver.ts';
import { echo } from './echo.fixture.ts';
import type { EchoSpec } from './echo.fixture.ts';
import { createWorkerPool } from './worker-pool.ts';

const program = new URL('./echo-worker.fixture.ts', import.meta.url);
const pool = createWorkerPool({ size: 2, program });
afterAll(() => pool[Symbol.asyncDispose]());

describe('createWorkerPool()', () => {
  it('run() gives the results in the order of the specs, from at most two processes that are not this one', async () => {
    const specs = Array.from({ length: 7 }, (_, value) => ({ value }));
    const ended: number[] = [];
    const told: string[] = [];
    const outcomes = await pool.run(echo, specs, {
      onOutcome: (index) => void ended.push(index),
      onProgress: (index, done, total, detail) => void told.push(`${index}: ${done}/${total} ${detail}`),
    });
    const results = resultsOf(outcomes);
    expect(results.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const pids = new Set(results.map(({ pid }) => pid));
    expect(pids.size).toBeLessThanOrEqual(2);
    expect(pids.has(process.pid)).toBe(false);
    expect(ended.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(told).toContain('3: 1/2 at 3');
  });

  it('run() keeps a failure, and a death, to the job that had it', async () => {
    const specs: EchoSpec[] = [
      { value: 0 },
      { value: 1, act: 'fail' },
      { value: 2, act: 'die' },
      { value: 3 },
      { value: 4 },
    ];
    const outcomes = await pool.run(echo, specs);
    expect(outcomes.map(({ status }) => status)).toEqual(['done', 'failed', 'failed', 'done', 'done']);
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'failed' ? [outcome.error] : []));
    expect(errors[0]).toBeInstanceOf(LabError);
    expect(errors[0]).toMatchObject({
      code: 'E_DOMAIN',
      name: 'DomainError',
      message: 'echo: expected another value, got 1.',
    });
    expect(errors[1]?.message).toMatch(/^worker: ended by signal SIGKILL/);
    expect(() => resultsOf(outcomes)).toThrow('expected another value');
  });

  it('run() stops what runs and starts nothing more once its signal is aborted', async () => {
    const stop = new AbortController();
    const begun: number[] = [];
    const specs: EchoSpec[] = Array.from({ length: 6 }, (_, value) => ({ value, act: 'wait' }));
    const running = pool.run(echo, specs, {
      signal: stop.signal,
      onProgress: (index) => {
        begun.push(index);
        if (begun.length === 2) stop.abort();
      },
    });
    await expect(running).rejects.toThrow(CancelledError);
    expect(begun.sort()).toEqual([0, 1]);
    expect(resultsOf(await pool.run(echo, [{ value: 9 }]))[0]?.value).toBe(9);
  });

  it('run() gives the numbers that this process gives, bit for bit', async () => {
    const cell = {
      dimension: 20,
      rank: 2,
      count: 5,
      components: 2,
      trials: 2,
      noise: 0,
      solver: networkSolver({ steps: 20 }),
    };
    const specs = [1, 2].map((seed) => ({ ...cell, seed }));
    await using workers = createWorkerPool({ size: 2 });
    expect(await workers.run(phaseCell, specs)).toEqual(await runJobsHere(phaseCell, specs));
  });

  it('a worker ends when its parent is gone', async () => {
    const child = fork(fileURLToPath(program), [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.once('spawn', resolve));
    child.disconnect(); // what the kernel does where a parent is killed
    expect(await ended).toBe(0);
  });
});

describe('runJobsHere()', () => {
  it('runJobsHere() keeps a failure to its job and stops between jobs', async () => {
    const outcomes = await runJobsHere(echo, [{ value: 1, act: 'fail' }, { value: 2 }]);
    expect(outcomes[0]).toMatchObject({ status: 'failed' });
    expect(outcomes[0]?.status === 'failed' && outcomes[0].error).toBeInstanceOf(DomainError);
    expect(outcomes[1]).toMatchObject({ status: 'done', value: { value: 2 } });
    await expect(runJobsHere(echo, [{ value: 1 }], { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
