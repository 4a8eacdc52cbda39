import { afterEach, describe, expect, it } from 'vitest';

import { BackendError, CancelledError, DomainError, throwIfAborted } from '../../src/errors/errors.ts';
import { connect } from './connect.ts';
import type { Remote } from './connect.ts';
import type { OperationContext, Request, Response } from './protocol.ts';
import { serve } from './serve.ts';
import type { WorkerScope } from './serve.ts';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

const operations = {
  double: async (x: Float32Array): Promise<Float32Array> => x.map((v) => 2 * v),
  refuse: async (sigma: number): Promise<number> => {
    throw new DomainError('refuse', `expected sigma > 0, got ${sigma}.`);
  },
  exhaust: async (where: 'page' | 'runtime'): Promise<number> => {
    if (where === 'page') throw new RangeError('Array buffer allocation failed');
    throw new BackendError('onnxruntime wasm', 'Failed to allocate memory for requested buffer of size 4294967296');
  },
  count: async (to: number, { signal, progress, emit }: OperationContext<number>): Promise<number> => {
    for (let i = 1; i <= to; i++) {
      await turn();
      throwIfAborted('count', signal);
      progress(i, to);
      emit(i);
    }
    return to;
  },
};

/** Two ends of a worker without a thread: messages are copied and come later, as between threads. */
class PlainWorker {
  onmessage: ((event: { data: Response }) => void) | null = null;
  onerror: ((event: { message?: string }) => void) | null = null;
  readonly sent: Request[] = [];
  readonly #scope: WorkerScope = {
    onmessage: null,
    postMessage: (response) => void turn().then(() => this.onmessage?.({ data: structuredClone(response) })),
  };
  terminated = false;

  constructor() {
    serve(operations, this.#scope);
  }

  postMessage(request: Request): void {
    this.sent.push(request);
    void turn().then(() => this.#scope.onmessage?.({ data: structuredClone(request) }));
  }

  terminate(): void {
    this.terminated = true;
    this.onmessage = null;
  }
}

describe('connect() and serve()', () => {
  let started: PlainWorker[] = [];
  const open = (): Remote<typeof operations> =>
    connect<typeof operations>(() => {
      const worker = new PlainWorker();
      started.push(worker);
      return worker as unknown as Worker;
    });
  afterEach(() => {
    started = [];
  });

  it('start a worker with the first call, one for all, and bring back what it makes', async () => {
    using remote = open();
    expect(started.length).toBe(0);
    const calls = [1, 2].map((v) => remote.call('double', Float32Array.of(v)));
    expect(await Promise.all(calls)).toEqual([Float32Array.of(2), Float32Array.of(4)]);
    expect(started.length).toBe(1);
  });

  it('bring over errors with their code, place and words', async () => {
    using remote = open();
    const refused = remote.call('refuse', -1);
    await expect(refused).rejects.toMatchObject({ code: 'E_DOMAIN', where: 'refuse' });
    await expect(refused).rejects.toThrow('refuse: expected sigma > 0, got -1.');
    for (const where of ['page', 'runtime'] as const) {
      await expect(remote.call('exhaust', where)).rejects.toThrow(/ran out of memory\. Close other tabs/);
    }
  });

  it('tell of progress and parts before the end', async () => {
    using remote = open();
    const [parts, shares]: [number[], number[]] = [[], []];
    const result = remote.call('count', 5, {
      onPart: (part) => parts.push(part),
      onProgress: (done, total) => shares.push(done / total),
    });
    expect(await result).toBe(5);
    expect(parts).toEqual([1, 2, 3, 4, 5]);
    // Progress comes rarely; its end comes always.
    expect(shares.at(-1)).toBe(1);
  });

  it('cancel at once for the caller, and soon in the worker, which goes on serving', async () => {
    using remote = open();
    const controller = new AbortController();
    const parts: number[] = [];
    const call = remote.call('count', 1e6, { signal: controller.signal, onPart: (part) => parts.push(part) });
    await turn();
    await turn();
    controller.abort();
    await expect(call).rejects.toBeInstanceOf(CancelledError);
    expect(await remote.call('count', 3)).toBe(3);
    const known = parts.length;
    await turn();
    expect(parts.length).toBe(known);
    expect(started[0]?.sent.map(({ kind }) => kind)).toEqual(['call', 'cancel', 'call']);
  });

  it('send nothing for a signal that is aborted already', async () => {
    using remote = open();
    await expect(remote.call('count', 3, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(CancelledError);
    expect(started.length).toBe(0);
  });

  it('say so where a worker does not run, and start another for the next call', async () => {
    using remote = open();
    const call = remote.call('count', 1e6);
    started[0]?.onerror?.({ message: 'SyntaxError' });
    await expect(call).rejects.toThrow('worker: did not run: SyntaxError. Reload the page.');
    expect(started[0]?.terminated).toBe(true);
    expect(await remote.call('count', 2)).toBe(2);
    expect(started.length).toBe(2);
  });

  it('end what is under way when disposed', async () => {
    const remote = open();
    const call = remote.call('count', 1e6);
    remote[Symbol.dispose]();
    await expect(call).rejects.toBeInstanceOf(CancelledError);
    expect(started[0]?.terminated).toBe(true);
  });
});
