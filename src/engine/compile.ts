import { DisposedError, DTypeError, ShapeError } from '../errors/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sameShape, showShape } from '../tensor/tensor.ts';
import type { Backend, Session, SessionOptions } from './backend/session.ts';
import { usualThreads } from './backend/cores.ts';
import { sharedBackend } from './backend/start.ts';
import type { LoweredModel } from './lower/lower.ts';
import { lower } from './lower/lower.ts';
import type { ArgumentSpec, Traceable } from './trace.ts';
import { trace } from './trace.ts';

/** A traced function on a backend. */
export interface Executable extends AsyncDisposable {
  /** The ONNX model that runs, for files and inspection. */
  readonly model: LoweredModel;
  /**
   * @param inputs  the arguments of the traced function without the built-in values, in order; not consumed
   * @returns its results
   * @throws ShapeError, DTypeError for arguments that differ from what was traced; BackendError, DisposedError
   */
  run(...inputs: Tensor[]): Promise<Tensor[]>;
}

/** Where and how to run a compiled function. */
export interface CompileOptions extends SessionOptions {
  /** Default: this process's ONNX Runtime. */
  readonly backend?: Backend;
}

/**
 * Compiles a jax-js function: traced, simplified, lowered to one ONNX graph, loaded in ONNX Runtime on a worker thread.
 * @param fn  function of jax-js arrays
 * @param specs  shape and dtype of each argument; arguments with a `value` are built in as constants
 * @throws LoweringError naming a primitive, its shapes and its place where something has no ONNX form
 * @example
 * const square = await compile((x) => np.square(x), [{ shape: [3] }]);
 * const [y] = await square.run(tensor('float32', [3], Float32Array.of(1, 2, 3)));
 */
export async function compile(
  fn: Traceable,
  specs: readonly ArgumentSpec[],
  options: CompileOptions = {},
): Promise<Executable> {
  return load(lower(await trace(fn, specs)), specs, options);
}

/**
 * Loads an already lowered function once more, say on another backend.
 * @param specs  those that it was traced with
 */
export async function load(
  model: LoweredModel,
  specs: readonly ArgumentSpec[],
  options: CompileOptions = {},
): Promise<Executable> {
  const names = { inputs: model.inputs.map((i) => i.name), outputs: model.outputs.map((o) => o.name) };
  const backend = options.backend ?? (await sharedBackend());
  const optimization = options.optimization ?? usualOptimization(model, backend);
  // The backend takes the bytes over; the caller keeps a copy in `model`.
  const threads = options.threads ?? usualThreads();
  const session = await backend.createSession(model.bytes.slice(), names, {
    optimization,
    ...(threads === undefined ? {} : { threads }),
  });
  return new CompiledFunction(model, session, specs);
}

/** Our graphs are simplified already: in WebAssembly the runtime's passes over them win no time and make loading longer. */
function usualOptimization(model: LoweredModel, { device }: Backend): 'all' | 'basic' | 'none' {
  if (device === 'wasm') return 'none';
  return [...model.inputs, ...model.outputs].some((v) => v.dtype === 'float64') ? 'basic' : 'all';
}

class CompiledFunction implements Executable {
  readonly model: LoweredModel;
  readonly #session: Session;
  /** Position among the run-time arguments of each model input. */
  readonly #order: readonly number[];
  readonly #arity: number;
  #open = true;

  constructor(model: LoweredModel, session: Session, specs: readonly ArgumentSpec[]) {
    this.model = model;
    this.#session = session;
    const runtime = specs.map((_, i) => i).filter((i) => specs[i]?.value === undefined);
    this.#order = model.inputs.map(({ index }) => runtime.indexOf(index));
    this.#arity = runtime.length;
  }

  async run(...inputs: Tensor[]): Promise<Tensor[]> {
    if (!this.#open) throw new DisposedError('Executable.run');
    if (inputs.length !== this.#arity) {
      throw new ShapeError('Executable.run', `expected ${this.#arity} arguments, got ${inputs.length}.`);
    }
    const used = this.model.inputs.map((wanted, i) => {
      const input = inputs[this.#order[i] as number] as Tensor;
      if (!sameShape(input.shape, wanted.shape)) {
        const got = showShape(input.shape);
        throw new ShapeError(
          'Executable.run',
          `expected ${showShape(wanted.shape)} for argument ${wanted.name}, got ${got}.`,
        );
      }
      if (input.dtype !== wanted.dtype) {
        throw new DTypeError(
          'Executable.run',
          `expected ${wanted.dtype} for argument ${wanted.name}, got ${input.dtype}.`,
        );
      }
      return input;
    });
    return this.#session.run(used);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#session[Symbol.asyncDispose]();
  }
}
