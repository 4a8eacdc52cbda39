import { DisposedError } from '../errors/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Backend, Session } from './backend/session.ts';
import { coreCount } from './backend/cores.ts';
import { startBackend } from './backend/start.ts';
import { OnnxEmitter } from './lower/emitter.ts';
import type { LoweredModel } from './lower/lower.ts';

/** One model on several single-threaded workers, for passes over data: what is asked for next goes to the next of them. */
export interface Lanes extends AsyncDisposable {
  readonly count: number;
  /** As `Session.run`; answers of different lanes may come out of order. @throws DisposedError, BackendError */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
}

/** Every lane holds the model: more would cost memory before they gain time. */
const MOST_LANES = 8;

/**
 * Loads a model on one worker for each core, at most eight.
 * @throws BackendError where the runtime does not start
 */
export async function openLanes(model: LoweredModel): Promise<Lanes> {
  const names = { inputs: model.inputs.map((i) => i.name), outputs: model.outputs.map((o) => o.name) };
  const cores = Math.min(MOST_LANES, coreCount());
  const started = await Promise.allSettled(
    Array.from({ length: cores }, async () => {
      const backend = await startBackend();
      return { backend, session: await backend.createSession(model.bytes.slice(), names, { threads: 1 }) };
    }),
  );
  const lanes = started.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []));
  const failed = started.find((s) => s.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(lanes.map(({ backend }) => backend[Symbol.asyncDispose]()));
    throw failed.reason;
  }
  return new WorkerLanes(lanes);
}

class WorkerLanes implements Lanes {
  readonly count: number;
  readonly #lanes: readonly { readonly backend: Backend; readonly session: Session }[];
  #next = 0;
  #open = true;

  constructor(lanes: readonly { readonly backend: Backend; readonly session: Session }[]) {
    this.#lanes = lanes;
    this.count = lanes.length;
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    const lane = this.#lanes[this.#next++ % this.count];
    if (!this.#open || lane === undefined) throw new DisposedError('Lanes.run');
    return lane.session.run(inputs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await Promise.all(this.#lanes.map(({ backend }) => backend[Symbol.asyncDispose]()));
  }
}

/**
 * Runs a stream of inputs through the lanes, two ahead of each, and hands out the results in order, each with what came with its input.
 * Inputs are copied when they are asked for: the same array may carry the next one.
 */
export async function* runInTurn<T>(
  lanes: Lanes,
  work: AsyncIterable<readonly [inputs: readonly Tensor[], item: T]>,
): AsyncGenerator<readonly [results: Tensor[], item: T]> {
  const waiting: { readonly results: Promise<Tensor[]>; readonly item: T }[] = [];
  for await (const [inputs, item] of work) {
    const results = lanes.run(inputs);
    results.catch(() => undefined); // awaited in its turn, or given up where something else fails first
    waiting.push({ results, item });
    const first = waiting.length > 2 * lanes.count ? waiting.shift() : undefined;
    if (first !== undefined) yield [await first.results, first.item];
  }
  for (const { results, item } of waiting) yield [await results, item];
}

/**
 * B [rows, K] -> B A [rows, M] in float32 for a fixed A [K, M], and the largest of each `group` rows of it, [rows / group, M]: whoever
 * looks for large products reads the second and passes over most of the first.
 * @param a  the fixed factor; the runtime brings it in the order of its kernel once, hence on the right
 * @precision K eps |B| |A| elementwise, in whatever order the runtime sums
 */
export function lowerInnerProducts(a: Tensor<'float32'>, rows: number, group: number): LoweredModel {
  const [K = 0, M = 0] = a.shape;
  const dtype = 'float32' as const;
  const emitter = new OnnxEmitter();
  const inputs = [{ name: 'b', shape: [rows, K], dtype, index: 0 }];
  const products = emitter.op('MatMul', ['b', emitter.literal(a)]);
  const grouped = emitter.op('Reshape', [products, emitter.integers([rows / group, group, M])]);
  const largest = emitter.op('ReduceMax', [grouped, emitter.integers([1])], { keepdims: 0 });
  const outputs = [
    { name: 'products', shape: [rows, M], dtype, from: products },
    { name: 'largest', shape: [rows / group, M], dtype, from: largest },
  ];
  return { bytes: emitter.finish(inputs, outputs), inputs, outputs };
}

/** Strips of columns in a scatter matrix: with four of them 5/8 of the products of the whole are computed. */
const STRIPS = 4;

/**
 * x [rows, D] float32, centre [D] float64 -> sums [D] and the scatter of x - centre in float64, as strips [w, D - s] of its upper
 * triangle that begin at row and column s: `scatterStrips(D)` lists them.
 */
export function lowerScatter(D: number, rows: number): LoweredModel {
  const emitter = new OnnxEmitter();
  const inputs = [
    { name: 'x', shape: [rows, D], dtype: 'float32' as const, index: 0 },
    { name: 'centre', shape: [D], dtype: 'float64' as const, index: 1 },
  ];
  const centred = emitter.op('Sub', [emitter.op('Cast', ['x'], { to: 11 }), 'centre']);
  const columns = (start: number, end: number): string =>
    emitter.op('Slice', [centred, ...[[start], [end], [1]].map((list) => emitter.integers(list))]);
  const strips = scatterStrips(D).map(({ start, width }, i) => ({
    name: `strip${i}`,
    shape: [width, D - start],
    dtype: 'float64' as const,
    from: emitter.op('Gemm', [columns(start, start + width), columns(start, D)], { transA: 1 }),
  }));
  const from = emitter.op('ReduceSum', [centred, emitter.integers([0])], { keepdims: 0 });
  const outputs = [{ name: 'sums', shape: [D], dtype: 'float64' as const, from }, ...strips];
  return { bytes: emitter.finish(inputs, outputs), inputs, outputs };
}

/** First row and rows of each strip of a scatter matrix. */
export function scatterStrips(D: number): readonly { readonly start: number; readonly width: number }[] {
  const width = Math.ceil(D / STRIPS);
  return Array.from({ length: Math.ceil(D / width) }, (_, i) => ({
    start: i * width,
    width: Math.min(width, D - i * width),
  }));
}
