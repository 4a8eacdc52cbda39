import { DomainError } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { slice } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sparseRows } from './sparse-rows.ts';
import type { SparseRow, SparseRows } from './sparse-rows.ts';
import { unitRows } from './unit-rows.ts';
import { turn } from './watch.ts';
import type { Watch } from './watch.ts';

/** Options of `sscOmp`. */
export interface SscOmpOptions extends Watch {
  /** Samples that express one, at most; 1 <= sparsity < N, default 5. */
  readonly sparsity?: number;
  /** Length of what may stay unexpressed of a unit sample, default 1e-6. */
  readonly tolerance?: number;
}

/** Every inner product of N samples is held at once: 8 N^2 bytes, 2 GB here. */
const MOST_SAMPLES = 16_000;
/** Samples between two looks at the signal. */
const TURN = 64;
/** Rows of the Gram matrix in one product. */
const BLOCK = 1024;

/**
 * Expresses every sample by few others through orthogonal matching pursuit, the first half of SSC-OMP.
 * The Gram matrix is made once; each pursuit works on it with a Cholesky factor that grows by a row a step.
 * @param points  [N, n]; scaled to unit length here; not consumed
 * @returns coefficients C [N, N]: x_i is nearly sum_j C_ij x_j, C_ii = 0, at most `sparsity` entries a row, columns in the order of choice
 * @throws ShapeError, NumericalError on bad points; DomainError on a bad option or more than 16,000 samples; CancelledError
 * @precision a pursuit ends where the residual is below `tolerance`; of equal correlations the lowest index is chosen
 * @source You, Robinson, Vidal 2016, arXiv 1507.01238, algorithms 1 and 2; Rubinstein, Zibulevsky, Elad 2008 (batch OMP)
 */
export async function sscOmp(points: Tensor<'float64'>, options: SscOmpOptions = {}): Promise<SparseRows> {
  const { sparsity = 5, tolerance = 1e-6 } = options;
  const unit = unitRows('sscOmp', points);
  const [N] = unit.shape as [number, number];
  if (!Number.isInteger(sparsity) || sparsity < 1 || sparsity >= N) {
    throw new DomainError('sscOmp', `expected a whole sparsity from 1 to ${N - 1} for ${N} samples, got ${sparsity}.`);
  }
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new DomainError('sscOmp', `expected a tolerance between 0 and 1, got ${tolerance}.`);
  }
  if (N > MOST_SAMPLES) {
    throw new DomainError('sscOmp', `expected at most ${MOST_SAMPLES} samples, got ${N}. Take a part of them, or TSC.`);
  }
  const gram = await gramMatrix(unit, options);
  const pursuit = new Pursuit(gram, N, sparsity, tolerance);
  const rows: SparseRow[] = [];
  for (let i = 0; i < N; i++) {
    if (i % TURN === 0) await turn('sscOmp', options, i, N);
    rows.push(pursuit.express(i));
  }
  options.onProgress?.(N, N);
  return sparseRows(rows);
}

async function gramMatrix(unit: Tensor<'float64'>, watch: Watch): Promise<Float64Array> {
  const [N] = unit.shape as [number, number];
  const gram = new Float64Array(N * N);
  for (let at = 0; at < N; at += BLOCK) {
    await turn('sscOmp', watch, 0, N);
    gram.set(matmul(slice(unit, at, Math.min(N, at + BLOCK)), unit, { transposeB: true }).data, at * N);
  }
  return gram;
}

/** Orthogonal matching pursuit over a Gram matrix, with its scratch memory. */
class Pursuit {
  readonly #gram: Float64Array;
  readonly #size: number;
  readonly #sparsity: number;
  readonly #tolerance: number;
  readonly #support: Int32Array;
  /** Lower triangular L with L L^T the Gram matrix of the support. */
  readonly #factor: Float64Array;
  /** L^-1 times the products of the support with the sample. */
  readonly #halfway: Float64Array;
  readonly #coefficients: Float64Array;
  /** Products of all samples with the residual. */
  readonly #correlation: Float64Array;
  #count = 0;

  constructor(gram: Float64Array, size: number, sparsity: number, tolerance: number) {
    this.#gram = gram;
    this.#size = size;
    this.#sparsity = sparsity;
    this.#tolerance = tolerance;
    this.#support = new Int32Array(sparsity);
    this.#factor = new Float64Array(sparsity * sparsity);
    this.#halfway = new Float64Array(sparsity);
    this.#coefficients = new Float64Array(sparsity);
    this.#correlation = new Float64Array(size);
  }

  express(i: number): SparseRow {
    this.#count = 0;
    this.#correlation.set(this.#row(i));
    let residual = this.#product(i, i);
    while (this.#count < this.#sparsity && residual > this.#tolerance ** 2) {
      const j = this.#strongest(i);
      if (j < 0 || !this.#admit(i, j)) break;
      residual -= (this.#halfway[this.#count - 1] as number) ** 2;
      this.#solve();
      this.#updateCorrelation(i);
    }
    return { columns: this.#support.slice(0, this.#count), values: this.#coefficients.slice(0, this.#count) };
  }

  #row(i: number): Float64Array {
    return this.#gram.subarray(i * this.#size, (i + 1) * this.#size);
  }

  #product(i: number, j: number): number {
    return this.#gram[i * this.#size + j] as number;
  }

  /** The sample that the residual correlates with most, or -1 where it is orthogonal to all. */
  #strongest(i: number): number {
    const chosen = this.#support.subarray(0, this.#count);
    let [best, peak] = [-1, this.#tolerance ** 2];
    for (let j = 0; j < this.#size; j++) {
      const strength = Math.abs(this.#correlation[j] as number);
      if (strength > peak && j !== i && !chosen.includes(j)) [best, peak] = [j, strength];
    }
    return best;
  }

  /** Adds sample j to the support; false where it depends on the support, up to rounding. */
  #admit(i: number, j: number): boolean {
    const [k, t] = [this.#sparsity, this.#count];
    const L = this.#factor;
    let pivot = this.#product(j, j);
    let rest = this.#product(i, j);
    for (let a = 0; a < t; a++) {
      let entry = this.#product(this.#support[a] as number, j);
      for (let b = 0; b < a; b++) entry -= (L[a * k + b] as number) * (L[t * k + b] as number);
      entry /= L[a * k + a] as number;
      L[t * k + a] = entry;
      pivot -= entry * entry;
      rest -= entry * (this.#halfway[a] as number);
    }
    if (pivot <= 64 * Number.EPSILON) return false;
    L[t * k + t] = Math.sqrt(pivot);
    this.#halfway[t] = rest / Math.sqrt(pivot);
    this.#support[t] = j;
    this.#count++;
    return true;
  }

  /** Coefficients from L^T c = halfway. */
  #solve(): void {
    const [k, c] = [this.#sparsity, this.#coefficients];
    for (let a = this.#count - 1; a >= 0; a--) {
      let entry = this.#halfway[a] as number;
      for (let b = a + 1; b < this.#count; b++) entry -= (this.#factor[b * k + a] as number) * (c[b] as number);
      c[a] = entry / (this.#factor[a * k + a] as number);
    }
  }

  #updateCorrelation(i: number): void {
    const correlation = this.#correlation;
    correlation.set(this.#row(i));
    for (let a = 0; a < this.#count; a++) {
      const products = this.#row(this.#support[a] as number);
      const c = this.#coefficients[a] as number;
      for (let j = 0; j < correlation.length; j++) {
        correlation[j] = (correlation[j] as number) - c * (products[j] as number);
      }
    }
  }
}
