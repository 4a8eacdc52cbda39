import type { Tensor } from '../../tensor/tensor.ts';

/** Where models run: native CPU kernels, an NVIDIA card, a graphics card through WebGPU, or WebAssembly. */
export type DeviceName = 'cpu' | 'cuda' | 'webgpu' | 'wasm';

/** How a session is to run. */
export interface SessionOptions {
  /**
   * Threads inside one operator; default: all cores. Workers of a pool take 1. In WebAssembly the first session of a backend decides for
   * those that follow.
   */
  readonly threads?: number;
  /** `basic` leaves out the runtime's fusions, some of which have no float64 kernel; `none` takes the graph as it is. Default all. */
  readonly optimization?: 'all' | 'basic' | 'none';
  /** What becomes of operators that the device has no kernel for: they run on the CPU (default), or the model is refused. */
  readonly fallback?: 'cpu' | 'none';
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

/** What runs the models of a backend. */
export interface RuntimeFacts {
  /** Package of the runtime, `onnxruntime-node` or `onnxruntime-web`. */
  readonly library: string;
  readonly version: string;
  /** Threads that an operator gets unless the session says otherwise. */
  readonly threads: number;
  /** The graphics card or driver, where the runtime tells. */
  readonly adapter?: string;
}

/** Something that runs ONNX models on one device, in a thread of its own. Disposal lets what was asked for finish, then ends the thread. */
export interface Backend extends AsyncDisposable {
  /** For results and reports, such as `onnxruntime-node 1.30.0 cpu`. */
  readonly name: string;
  readonly device: DeviceName;
  readonly facts: RuntimeFacts;
  /**
   * @param model  ONNX bytes; their buffer is taken over
   * @throws BackendError where the runtime refuses the model, or where the device lacks the model's element type; DisposedError
   */
  createSession(model: Uint8Array<ArrayBuffer>, names: SessionNames, options?: SessionOptions): Promise<Session>;
}
