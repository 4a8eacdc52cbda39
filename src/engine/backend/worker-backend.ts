import { BackendError, DisposedError } from '../../errors/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WorkerRequest, WorkerResponse, WorkerResults } from './protocol.ts';
import type { Backend, DeviceName, RuntimeFacts, Session, SessionNames, SessionOptions } from './session.ts';

/** A worker thread as the host sees it, in Node or in a browser. */
export interface WorkerPort {
  post(request: WorkerRequest, transfer: ArrayBuffer[]): void;
  /** Whether answers are awaited: an idle thread must not keep a process alive. */
  hold(awaited: boolean): void;
  end(): Promise<void>;
}

/** What a worker thread tells its host. */
export interface WorkerEvents {
  onResponse(response: WorkerResponse): void;
  /** The thread stopped by itself. */
  onFailure(cause: Error): void;
}

/** Starts a thread that serves requests. */
export type StartWorker = (events: WorkerEvents) => WorkerPort;

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
type Kind = WorkerRequest['kind'];
type RequestOf<K extends Kind> = Unnumbered<Extract<WorkerRequest, { kind: K }>> & { readonly kind: K };

interface Waiting {
  resolve(result: WorkerResponse): void;
  reject(error: Error): void;
}

/**
 * ONNX Runtime in a worker thread: `run` of the native runtime blocks the thread that calls it, and so does WebAssembly, so the caller's
 * event loop stays free for progress, signals and host algebra. A thread that stops is started again for the next session.
 */
export class WorkerBackend implements Backend {
  readonly device: DeviceName;
  readonly #start: StartWorker;
  readonly #waiting = new Map<number, Waiting>();
  #facts: RuntimeFacts | undefined;
  #port: WorkerPort | undefined;
  #nextRequest = 0;
  #nextSession = 0;
  #closing: Promise<void> | undefined;

  private constructor(device: DeviceName, start: StartWorker) {
    this.device = device;
    this.#start = start;
  }

  /**
   * Starts the thread and loads the runtime in it.
   * @throws BackendError where the runtime does not start
   */
  static async open(device: DeviceName, start: StartWorker): Promise<WorkerBackend> {
    const backend = new WorkerBackend(device, start);
    try {
      backend.#facts = await backend.#send({ kind: 'open', device });
    } catch (error) {
      await backend[Symbol.asyncDispose]();
      throw error;
    }
    return backend;
  }

  get facts(): RuntimeFacts {
    return this.#facts as RuntimeFacts;
  }

  get name(): string {
    return `${this.facts.library} ${this.facts.version} ${this.device}`;
  }

  async createSession(
    model: Uint8Array<ArrayBuffer>,
    names: SessionNames,
    options: SessionOptions = {},
  ): Promise<Session> {
    this.#assertOpen('Backend.createSession');
    const session = this.#nextSession++;
    const { device } = this;
    await this.#send({ kind: 'create', device, session, model, names, options }, [model.buffer]);
    return new WorkerSession({
      run: async (inputs) => {
        this.#assertOpen('Session.run');
        return this.#send({ kind: 'run', session, inputs });
      },
      // A backend takes its sessions along.
      release: async () => (this.#closing === undefined ? this.#send({ kind: 'release', session }) : undefined),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#port === undefined) return;
    // Requests queue up in the worker: this one is answered when all others are. A thread that stopped is closed as well.
    await this.#send({ kind: 'close' }).catch(() => undefined);
    await this.#port?.end();
  }

  #assertOpen(where: string): void {
    if (this.#closing !== undefined) throw new DisposedError(where, 'its backend was disposed. Start a new one.');
  }

  async #send<K extends Kind>(request: RequestOf<K>, transfer: ArrayBuffer[] = []): Promise<WorkerResults[K]> {
    const port = (this.#port ??= this.#start({
      onResponse: (response) => this.#settle(response),
      onFailure: (cause) => this.#fail(cause),
    }));
    const id = this.#nextRequest++;
    const response = await new Promise<WorkerResponse>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      port.hold(true);
      port.post({ ...request, id }, transfer);
    });
    if ('error' in response) throw new BackendError(this.#where(), plainMessage(response.error));
    return response.result as WorkerResults[K];
  }

  #where(): string {
    return `onnxruntime ${this.device}`;
  }

  #settle(response: WorkerResponse): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if (this.#waiting.size === 0) this.#port?.hold(false);
    waiting?.resolve(response);
  }

  #fail(cause: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#port = undefined;
    const message = `the worker thread stopped (${cause.message}). Check the memory and run again.`;
    for (const w of waiting) w.reject(new BackendError(this.#where(), message, { cause }));
  }
}

/** First line of a message, without the runtime's own source and condition: `FILE.cc:136 FUNCTION CONDITION was false. REASON`. */
function plainMessage(message: string): string {
  const line = message.split('\n')[0] ?? '';
  return line.replace(/^.*\.(cc|h):\d+ .* was false\. /, '').replace(/^.*, ERROR_MESSAGE: /, '') || 'failed.';
}

interface SessionCalls {
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
  release(): Promise<undefined>;
}

class WorkerSession implements Session {
  readonly #calls: SessionCalls;
  #open = true;

  constructor(calls: SessionCalls) {
    this.#calls = calls;
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    if (!this.#open) throw new DisposedError('Session.run');
    return this.#calls.run(inputs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#calls.release();
  }
}
