import { DomainError } from '../../errors/errors.ts';
import { kernelsBase64 } from './kernels-wasm.ts';

// The part of the WebAssembly interface used here; neither es2024 nor @types/node declares it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: object };
};

/** Byte offset into the memory of the kernels. */
export type Pointer = number;

/** A row-major matrix in that memory; `stride` float64 elements from row to row. */
export interface Block {
  readonly at: Pointer;
  readonly stride: number;
}

/** The compiled routines; the *.as.ts files say what each does. */
interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  heapBase(): Pointer;
  gemmScratch(): number;
  gemm(...sizesAndPointers: number[]): void;
  tridiagonalPass(n: number, a: Pointer, stride: number, v: Pointer, w: Pointer, p: Pointer, y: Pointer): void;
  bidiagonalPass(...sizesAndPointers: number[]): void;
  rotateRows(sweeps: number, table: Pointer, pairs: Pointer, a: Pointer, stride: number, columns: number): void;
}

const PAGE = 65_536;
/** Memory beyond this many bytes is given back after use: linear memory grows and never shrinks. */
const KEEP_BYTES = 64 * 2 ** 20;

/**
 * Linear memory and kernels behind one dense computation, with stack allocation.
 * Allocating may move the memory: take views after the last `allocate`, and anew after calling what allocates.
 */
export class Workspace {
  readonly kernels: Kernels;
  readonly #scratch: Pointer;
  #top: Pointer;

  constructor(module: object) {
    this.kernels = new WebAssembly.Instance(module).exports as Kernels;
    this.#top = Math.ceil(this.kernels.heapBase() / 16) * 16;
    this.#scratch = this.allocate(this.kernels.gemmScratch());
  }

  /** Bytes of linear memory held. */
  get bytes(): number {
    return this.kernels.memory.buffer.byteLength;
  }

  /** Room for `size` float64 elements, set to zero. @throws DomainError beyond 4 GiB or the memory of the machine */
  allocate(size: number): Pointer {
    const at = this.#top;
    const end = at + Math.ceil(size / 2) * 16;
    if (end > this.bytes) this.#grow(end);
    this.#top = end;
    this.view(at, size).fill(0);
    return at;
  }

  #grow(end: number): void {
    try {
      this.kernels.memory.grow(Math.ceil((end - this.bytes) / PAGE));
    } catch (cause) {
      const gigabytes = (end / 2 ** 30).toFixed(1);
      throw new DomainError(
        'linalg',
        `expected matrices that fit 4 GiB together, got ${gigabytes} GiB. Take a smaller one.`,
        { cause },
      );
    }
  }

  /** The elements at a pointer, valid until the next allocation. */
  view(at: Pointer, size: number): Float64Array {
    return new Float64Array(this.kernels.memory.buffer, at, size);
  }

  /** Runs `work` and frees what it allocated. */
  scope<T>(work: () => T): T {
    const top = this.#top;
    try {
      return work();
    } finally {
      this.#top = top;
    }
  }

  /** C [m, n] += alpha op(A) op(B), inner size k; a transposed factor is stored as [k, m] or [n, k]. */
  gemm(
    [m, n, k]: readonly [number, number, number],
    alpha: number,
    a: Block & { readonly transposed?: boolean },
    b: Block & { readonly transposed?: boolean },
    c: Block,
  ): void {
    const [aRow, aColumn] = a.transposed === true ? [1, a.stride] : [a.stride, 1];
    const [bRow, bColumn] = b.transposed === true ? [1, b.stride] : [b.stride, 1];
    this.kernels.gemm(m, n, k, alpha, a.at, aRow, aColumn, b.at, bRow, bColumn, c.at, c.stride, this.#scratch);
  }
}

let compiled: object | undefined;
let shared: Workspace | undefined;

/**
 * Runs `work` on the workspace of this thread and frees what it allocated.
 * The kernels are compiled on first use, synchronously (5 kB).
 */
export function withWorkspace<T>(work: (workspace: Workspace) => T): T {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernelsBase64), (c) => c.charCodeAt(0)));
  shared ??= new Workspace(compiled);
  const workspace = shared;
  try {
    return workspace.scope(() => work(workspace));
  } finally {
    if (workspace.bytes > KEEP_BYTES) shared = undefined;
  }
}
