import type { Tensor } from '../../tensor/tensor.ts';

/** How a session is to run. */
export interface SessionOptions {
  /** Threads inside one operator; default: all cores. Workers of a pool take 1. */
  readonly threads?: number;
  /** `basic` leaves out the runtime's fusions, some of which have no float64 kernel. Default all. */
  readonly optimization?: 'all' | 'basic';
}

/** A loaded model that maps arrays to arrays, off the caller's thread. */
export interface Session extends AsyncDisposable {
  /**
   * Runs the model; calls queue up in order.
   * @param inputs  one array an argument, in the model's order; copied, not consumed
   * @returns one array a result
   * @throws BackendError with the runtime's message, DisposedError after disposal
   */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
}

/** Names of arguments and results of a model, in the order in which arrays are passed. */
export interface SessionNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Something that runs ONNX models: native in Node, WebAssembly or WebGPU in a browser. */
export interface Backend {
  /** For results and reports, such as `onnxruntime-node 1.30.0 cpu`. */
  readonly name: string;
  /** @throws BackendError where the runtime refuses the model */
  createSession(model: Uint8Array<ArrayBuffer>, names: SessionNames, options?: SessionOptions): Promise<Session>;
}

/** What the host sends to its worker. */
export type WorkerRequest =
  | {
      readonly id: number;
      readonly kind: 'create';
      readonly session: number;
      readonly model: Uint8Array<ArrayBuffer>;
      readonly names: SessionNames;
      readonly options: SessionOptions;
    }
  | { readonly id: number; readonly kind: 'run'; readonly session: number; readonly inputs: readonly Tensor[] }
  | { readonly id: number; readonly kind: 'release'; readonly session: number };

/** What the worker answers: results, or the runtime's message. */
export type WorkerResponse =
  { readonly id: number; readonly outputs: Tensor[] } | { readonly id: number; readonly error: string };
