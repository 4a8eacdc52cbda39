import type { Block, Pointer, Workspace } from '../kernels/workspace.ts';

/** Sweeps held before they are applied together; more sweeps reuse the cache better, this many fit L2 with the columns in hand. */
const SWEEPS = 48;

/**
 * Sweeps of plane rotations on neighbouring rows of a matrix, recorded one after another and applied many at a time.
 * Rotation (c, s) takes rows f and g to (c f + s g, c g - s f).
 */
export class RotationLog {
  readonly #workspace: Workspace;
  readonly #rows: Block;
  readonly #columns: number;
  readonly #table: Pointer;
  readonly #pairs: Pointer;
  readonly #entries = new Int32Array(3 * SWEEPS);
  readonly #buffer: Float64Array;
  #sweeps = 0;
  #used = 0;

  /** @param count  number of rows of the matrix: a sweep holds fewer rotations than this */
  constructor(workspace: Workspace, rows: Block, count: number, columns: number) {
    this.#workspace = workspace;
    this.#rows = rows;
    this.#columns = columns;
    this.#table = workspace.allocate(2 * SWEEPS);
    this.#pairs = workspace.allocate(2 * SWEEPS * count);
    this.#buffer = new Float64Array(2 * SWEEPS * count);
  }

  /** Opens a sweep of `count` rotations, from row `first` downward (+1) or upward (-1). */
  begin(first: number, count: number, direction: 1 | -1): void {
    this.#entries.set([first, count, direction], 3 * this.#sweeps);
  }

  /** Adds the next rotation of the open sweep. */
  push(c: number, s: number): void {
    this.#buffer[this.#used++] = c;
    this.#buffer[this.#used++] = s;
  }

  /** Closes the sweep. */
  end(): void {
    if (++this.#sweeps === SWEEPS) this.flush();
  }

  /** Applies what was recorded. */
  flush(): void {
    const { kernels } = this.#workspace;
    new Int32Array(kernels.memory.buffer, this.#table, 3 * SWEEPS).set(this.#entries);
    this.#workspace.view(this.#pairs, this.#used).set(this.#buffer.subarray(0, this.#used));
    kernels.rotateRows(this.#sweeps, this.#table, this.#pairs, this.#rows.at, this.#rows.stride, this.#columns);
    this.#sweeps = 0;
    this.#used = 0;
  }
}
