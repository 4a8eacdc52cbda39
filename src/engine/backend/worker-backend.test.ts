import { describe, expect, it } from 'vitest';

import { BackendError } from '../../errors/errors.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { WorkerRequest, WorkerResponse } from './protocol.ts';
import { WorkerBackend } from './worker-backend.ts';
import type { StartWorker, WorkerEvents } from './worker-backend.ts';

/** A thread that doubles its first input; it answers when told to, or at once. */
class FakeThread {
  readonly started: WorkerEvents[] = [];
  readonly log: string[] = [];
  readonly pending: WorkerRequest[] = [];
  answersAtOnce = true;

  readonly start: StartWorker = (events) => {
    this.started.push(events);
    return {
      post: (request) => {
        this.log.push(request.kind);
        this.pending.push(request);
        if (this.answersAtOnce) queueMicrotask(() => this.answerAll());
      },
      hold: (awaited) => this.log.push(awaited ? 'hold' : 'free'),
      end: async () => void this.log.push('end'),
    };
  };

  answerAll(): void {
    for (const request of this.pending.splice(0)) this.started.at(-1)?.onResponse(answer(request));
  }
}

function answer(request: WorkerRequest): WorkerResponse {
  const { id } = request;
  if (request.kind === 'open') return { id, result: { library: 'fake', version: '1.2.3', threads: 4 } };
  if (request.kind === 'create' && request.model.length === 0) {
    return { id, error: 'ERROR_CODE: 1, ERROR_MESSAGE: /src/a.cc:12 f(int) x == 0 was false. No model\nat frame 1' };
  }
  if (request.kind !== 'run') return { id, result: undefined };
  const doubled = (request.inputs[0]?.data as Float32Array).map((v) => 2 * v);
  return { id, result: [tensor('float32', [doubled.length], doubled)] };
}

const io = { inputs: ['x'], outputs: ['y'] };
const model = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1);
const x = tensor('float32', [2], Float32Array.of(1, 2));

describe('WorkerBackend', () => {
  it('open() names the runtime, its version and the device', async () => {
    const backend = await WorkerBackend.open('wasm', new FakeThread().start);
    expect(backend.name).toBe('fake 1.2.3 wasm');
    expect(backend.facts.threads).toBe(4);
  });

  it('run() gives what the thread answers, and an idle thread keeps no process alive', async () => {
    const thread = new FakeThread();
    await using backend = await WorkerBackend.open('cpu', thread.start);
    await using session = await backend.createSession(model(), io);
    const [y] = await session.run([x]);
    expect([...(y?.data ?? [])]).toEqual([2, 4]);
    expect(thread.log.at(-1)).toBe('free');
  });

  it('createSession() throws the reason of the runtime without its source code', async () => {
    const backend = await WorkerBackend.open('cpu', new FakeThread().start);
    await expect(backend.createSession(new Uint8Array(), io)).rejects.toThrow(/^onnxruntime cpu: No model$/);
  });

  it('disposal lets a run finish, then ends the thread; what comes later is a DisposedError', async () => {
    const thread = new FakeThread();
    const backend = await WorkerBackend.open('cpu', thread.start);
    const session = await backend.createSession(model(), io);
    thread.answersAtOnce = false;
    const run = session.run([x]);
    const disposed = Promise.all([backend[Symbol.asyncDispose](), backend[Symbol.asyncDispose]()]);
    expect(thread.log).not.toContain('end');
    thread.answerAll();
    await disposed;
    expect([...((await run)[0]?.data ?? [])]).toEqual([2, 4]);
    expect(thread.log.filter((entry) => entry === 'close' || entry === 'end')).toEqual(['close', 'end']);
    await expect(session.run([x])).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await expect(backend.createSession(model(), io)).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await session[Symbol.asyncDispose]();
    expect(thread.log).not.toContain('release');
  });

  it('a thread that stops fails what waits and starts again for the next session', async () => {
    const thread = new FakeThread();
    const backend = await WorkerBackend.open('cpu', thread.start);
    const session = await backend.createSession(model(), io);
    thread.answersAtOnce = false;
    const lost = session.run([x]);
    thread.started[0]?.onFailure(new BackendError('test', 'out of memory.'));
    await expect(lost).rejects.toThrow('the worker thread stopped (test: out of memory.)');
    thread.answersAtOnce = true;
    await backend.createSession(model(), io);
    expect(thread.started.length).toBe(2);
  });

  it('disposal of a backend whose thread stopped does not hang', async () => {
    const thread = new FakeThread();
    const backend = await WorkerBackend.open('cpu', thread.start);
    thread.answersAtOnce = false;
    const disposed = backend[Symbol.asyncDispose]();
    thread.started[0]?.onFailure(new BackendError('test', 'gone.'));
    await expect(disposed).resolves.toBeUndefined();
  });
});
