import type { FloatTensor } from '../tensor/tensor.ts';

/**
 * A real linear map known only by products, K at a time.
 * Rows of the argument are vectors: `apply` takes V [K, columns] to [K, rows], row k holding A v_k;
 * `applyTranspose` takes U [K, rows] to [K, columns], row k holding A^T u_k. Arguments are not consumed.
 */
export interface LinearOperator {
  readonly rows: number;
  readonly columns: number;
  /** Relative precision of one product: eps of the arithmetic behind it (float32 1.19e-7, float64 2.2e-16). */
  readonly epsilon: number;
  apply(v: FloatTensor): Promise<FloatTensor>;
  applyTranspose(u: FloatTensor): Promise<FloatTensor>;
}
