import type { Backend } from '../../engine/backend/session.ts';
import { startBackend } from '../../engine/backend/start.ts';
import { compile, load } from '../../engine/compile.ts';
import type { Executable } from '../../engine/compile.ts';
import { loadJax } from '../../engine/jax.ts';
import type { ArgumentSpec } from '../../engine/trace.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphKind, TracedModel } from './traced-model.ts';
import { tracedFunction } from './traced-model.ts';

/** Most backends that a pool starts by itself. */
const maxLanes = 4;
/** Each backend holds its own copy of the weights: beyond this many bytes in all copies, one backend uses all cores instead. */
const maxLaneBytes = 2 ** 28;

/** Compiles the graphs of a model on demand, one a kind and size, and hands them out in turn over several backends. */
export class GraphPool {
  readonly #model: TracedModel;
  readonly #given: readonly Backend[] | undefined;
  readonly #threads: { readonly threads?: number };
  readonly #graphs = new Map<string, Promise<Executable>>();
  readonly #compiled = new Map<string, Promise<Executable>>();
  #lanes: Promise<readonly Backend[]> | undefined;
  #nextLane = 0;

  /** @param backends  default: one a core with one thread each, up to four; one with all cores where the weights are large */
  constructor(model: TracedModel, backends: readonly Backend[] | undefined) {
    this.#model = model;
    this.#given = backends;
    this.#threads = backends === undefined && laneCount(model) > 1 ? { threads: 1 } : {};
  }

  /** The graph of a kind and size on the backend whose turn it is. */
  async take(kind: GraphKind, size: number): Promise<Executable> {
    const lanes = await (this.#lanes ??= this.#start());
    const lane = this.#nextLane++ % lanes.length;
    const key = `${kind} ${size} ${lane}`;
    const known = this.#compiled.get(key) ?? this.#compile(kind, size, lanes[lane] as Backend);
    this.#compiled.set(key, known);
    return known;
  }

  /** Releases every graph. */
  async dispose(): Promise<void> {
    const settled = await Promise.allSettled(this.#compiled.values());
    this.#compiled.clear();
    await Promise.all(settled.map((s) => (s.status === 'fulfilled' ? s.value[Symbol.asyncDispose]() : undefined)));
  }

  async #start(): Promise<readonly Backend[]> {
    if (this.#given !== undefined) return this.#given;
    return Promise.all(Array.from({ length: laneCount(this.#model) }, () => startBackend()));
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

function laneCount({ weights, dtype }: TracedModel): number {
  const bytes = weights.reduce((sum, w) => sum + sizeOf(w.shape), 0) * (dtype === 'float32' ? 4 : 8);
  const cores = Math.max(1, Math.min(maxLanes, navigator.hardwareConcurrency));
  return bytes * cores > maxLaneBytes ? 1 : cores;
}
