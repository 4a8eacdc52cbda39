import type { Backend, DeviceName } from '../../engine/backend/session.ts';
import { coreCount } from '../../engine/backend/cores.ts';
import { startBackend } from '../../engine/backend/start.ts';
import { compile, load } from '../../engine/compile.ts';
import type { Executable } from '../../engine/compile.ts';
import { loadJax } from '../../engine/jax.ts';
import type { ArgumentSpec } from '../../engine/trace.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphKind, TracedModel } from './traced-model.ts';
import { tracedFunction } from './traced-model.ts';

/** Where the graphs of a pool run. */
export interface PoolOptions {
  /** Backends that take graphs in turn; their owner disposes them. */
  readonly backends?: readonly Backend[] | undefined;
  /**
   * Without `backends`: what to start. On the CPU (default) one backend a core with one thread each, up to four, because on small
   * networks two of them do 1.5 times the work of two threads inside every operator; on other devices, and where the weights are large,
   * one.
   */
  readonly device?: DeviceName | undefined;
}

/** Most backends that a pool starts by itself. */
const maxLanes = 4;
/** Each backend holds its own copy of the weights: beyond this many bytes in all copies, one backend uses all cores instead. */
const maxLaneBytes = 2 ** 28;

/** Compiles the graphs of a model on demand, one a kind and size, and hands them out in turn over several backends. */
export class GraphPool {
  readonly #model: TracedModel;
  readonly #options: PoolOptions;
  readonly #lanesToStart: number;
  readonly #threads: { readonly threads?: number };
  readonly #graphs = new Map<string, Promise<Executable>>();
  readonly #compiled = new Map<string, Promise<Executable>>();
  #lanes: Promise<readonly Backend[]> | undefined;
  #runtime: string | undefined;
  #nextLane = 0;

  constructor(model: TracedModel, options: PoolOptions) {
    this.#model = model;
    this.#options = options;
    this.#lanesToStart = laneCount(model, options.device);
    this.#threads = options.backends === undefined && this.#lanesToStart > 1 ? { threads: 1 } : {};
  }

  /** Name of the backends, once they have started. */
  get runtime(): string | undefined {
    return this.#runtime;
  }

  /** The graph of a kind and size on the backend whose turn it is. */
  async take(kind: GraphKind, size: number): Promise<Executable> {
    const lanes = await (this.#lanes ??= this.#start());
    const lane = this.#nextLane++ % lanes.length;
    this.#runtime = lanes[lane]?.name;
    return this.#graph(kind, size, lane, lanes[lane] as Backend);
  }

  /** Makes the graph of a kind and size on every backend, ahead of its first use. */
  async prepare(kind: GraphKind, size: number): Promise<void> {
    const lanes = await (this.#lanes ??= this.#start());
    await Promise.all(lanes.map((backend, lane) => this.#graph(kind, size, lane, backend)));
  }

  /** Releases every graph and the backends that this pool started. */
  async dispose(): Promise<void> {
    const settled = await Promise.allSettled(this.#compiled.values());
    this.#compiled.clear();
    const graphs = settled.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []));
    await Promise.all(graphs.map((graph) => graph[Symbol.asyncDispose]()));
    if (this.#options.backends !== undefined || this.#lanes === undefined) return;
    await Promise.all((await this.#lanes).map((backend) => backend[Symbol.asyncDispose]()));
  }

  async #start(): Promise<readonly Backend[]> {
    const { backends, device } = this.#options;
    if (backends !== undefined) return backends;
    return Promise.all(Array.from({ length: this.#lanesToStart }, () => startBackend(device)));
  }

  #graph(kind: GraphKind, size: number, lane: number, backend: Backend): Promise<Executable> {
    const key = `${kind} ${size} ${lane}`;
    const known = this.#compiled.get(key) ?? this.#compile(kind, size, backend);
    this.#compiled.set(key, known);
    return known;
  }

  async #compile(kind: GraphKind, size: number, backend: Backend): Promise<Executable> {
    const specs = this.#specs(kind, size);
    const key = `${kind} ${size}`;
    const first = this.#graphs.get(key);
    // Traced and lowered once, then loaded on every backend.
    if (first !== undefined) return load((await first).model, specs, { backend, ...this.#threads });
    const compiled = loadJax().then((jax) =>
      compile(tracedFunction(jax, this.#model, kind), specs, { backend, ...this.#threads }),
    );
    this.#graphs.set(key, compiled);
    return compiled;
  }

  #specs(kind: GraphKind, size: number): ArgumentSpec[] {
    const { dtype, sampleShape, weights } = this.#model;
    const samples = kind === 'denoise' ? size : 1;
    return [
      ...weights.map((value) => ({ shape: value.shape, dtype, value })),
      { shape: [samples, ...sampleShape], dtype },
      ...this.#model.noiseShapes(samples).map((shape) => ({ shape, dtype })),
      ...(kind === 'denoise' ? [] : [{ shape: [size, 1, ...sampleShape], dtype, linear: true }]),
    ];
  }
}

function laneCount({ weights, dtype }: TracedModel, device: DeviceName = 'cpu'): number {
  if (device !== 'cpu') return 1;
  const bytes = weights.reduce((sum, w) => sum + sizeOf(w.shape), 0) * (dtype === 'float32' ? 4 : 8);
  const cores = Math.min(maxLanes, coreCount());
  return bytes * cores > maxLaneBytes ? 1 : cores;
}
