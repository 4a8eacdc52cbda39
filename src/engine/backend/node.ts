import { Worker } from 'node:worker_threads';
import { BackendError, DisposedError } from '../../errors/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Backend, Session, SessionNames, SessionOptions, WorkerRequest, WorkerResponse } from './session.ts';

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

interface Waiting {
  resolve(outputs: Tensor[]): void;
  reject(error: Error): void;
}

/**
 * ONNX Runtime's native CPU kernels in a worker thread: `run` of the runtime blocks the thread that calls it, so the caller's event loop
 * stays free for progress, signals and host algebra. The thread starts on first use and lets the process end when it is idle.
 */
export class NodeBackend implements Backend {
  readonly name: string = 'onnxruntime-node cpu';
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextRequest = 0;
  #nextSession = 0;

  async createSession(
    model: Uint8Array<ArrayBuffer>,
    names: SessionNames,
    options: SessionOptions = {},
  ): Promise<Session> {
    const session = this.#nextSession++;
    await this.#send({ kind: 'create', session, model, names, options }, [model.buffer]);
    return new WorkerSession((request) => this.#send(request), session);
  }

  #send(request: Unnumbered<WorkerRequest>, transfer: ArrayBuffer[] = []): Promise<Tensor[]> {
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...request, id }, transfer);
    });
  }

  #start(): Worker {
    // Run from source in a checkout, from dist/ in the package.
    const file = import.meta.url.endsWith('.ts') ? './node-worker.ts' : './node-worker.js';
    const worker = new Worker(new URL(file, import.meta.url));
    worker.on('message', (response: WorkerResponse) => this.#settle(worker, response));
    worker.on('error', (error: Error) => this.#fail(error));
    worker.on('exit', (code) => this.#fail(new BackendError('onnxruntime', `exit code ${code}`)));
    return worker;
  }

  #settle(worker: Worker, response: WorkerResponse): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if (this.#waiting.size === 0) worker.unref();
    if ('outputs' in response) waiting?.resolve(response.outputs);
    else waiting?.reject(new BackendError('onnxruntime', response.error.split('\n')[0] ?? 'failed.'));
  }

  #fail(cause: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#worker = undefined;
    const message = `the worker thread stopped (${cause.message}). Check the memory and run again.`;
    for (const w of waiting) w.reject(new BackendError('onnxruntime', message, { cause }));
  }
}

class WorkerSession implements Session {
  readonly #send: (request: Unnumbered<WorkerRequest>) => Promise<Tensor[]>;
  readonly #session: number;
  #open = true;

  constructor(send: (request: Unnumbered<WorkerRequest>) => Promise<Tensor[]>, session: number) {
    this.#send = send;
    this.#session = session;
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    if (!this.#open) throw new DisposedError('Session.run');
    return this.#send({ kind: 'run', session: this.#session, inputs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#send({ kind: 'release', session: this.#session });
  }
}

let shared: NodeBackend | undefined;

/** The process's own backend: one worker thread for all sessions, which then queue up instead of fighting for cores. */
export function nodeBackend(): NodeBackend {
  shared ??= new NodeBackend();
  return shared;
}
