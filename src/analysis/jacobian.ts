import { throwIfAborted } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** What every long analysis accepts: a way to stop it and a way to hear how far it is. */
export interface WatchOptions {
  signal?: AbortSignal | undefined;
  /** Called after each part of the work with the parts done and the parts in all. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Options of `computeJacobian`. */
export interface JacobianOptions extends WatchOptions {
  /** Unit vectors in one product. */
  blockSize?: number | undefined;
  /** Products asked for before the first answer is awaited; above 1 a worker stays busy while this thread works. */
  inFlight?: number | undefined;
  /** Whether reverse products give rows, or forward products columns. */
  by?: 'rows' | 'columns' | undefined;
}

/**
 * The whole Jacobian of an operator, block by block, from products with unit vectors.
 * By rows is the default: on U-Nets a block of reverse products takes about 0.6 times as long as one of forward products.
 * @param op       any linear operator
 * @param options  blockSize 16 vectors a product; inFlight 2 products at once
 * @returns [rows, columns] float64, entry (i, j) = dD_i/dx_j
 * @throws CancelledError between two products once `signal` is aborted; whatever the operator throws
 * @precision that of one product, `op.epsilon` relative to a row (or column)
 */
export async function computeJacobian(op: LinearOperator, options: JacobianOptions = {}): Promise<Tensor<'float64'>> {
  const { blockSize = 16, inFlight = 2, by = 'rows', signal, onProgress } = options;
  const jacobian = zeros('float64', [op.rows, op.columns]);
  const size = by === 'rows' ? op.rows : op.columns;
  let [next, done] = [0, 0];
  async function runLane(): Promise<void> {
    while (next < size) {
      const first = next;
      next = Math.min(first + blockSize, size);
      const count = next - first;
      try {
        // Closed forms compute without ever waiting: hand the event loop a turn, or an interrupt would not be heard.
        await new Promise((resolve) => setTimeout(resolve, 0));
        throwIfAborted('computeJacobian', signal);
        const vectors = unitVectors(first, count, size);
        if (by === 'rows') jacobian.data.set((await op.applyTranspose(vectors)).data, first * op.columns);
        else writeColumns(jacobian, first, await op.apply(vectors));
      } catch (error) {
        next = size; // the other lanes stop too
        throw error;
      }
      done += count;
      onProgress?.(done, size);
    }
  }
  const lanes = Array.from({ length: inFlight }, runLane);
  await Promise.allSettled(lanes); // a failure is reported once no product is under way any more
  await Promise.all(lanes);
  return jacobian;
}

/** Rows `first` to `first + count` of the identity, as [count, size]. */
function unitVectors(first: number, count: number, size: number): Tensor<'float64'> {
  const data = new Float64Array(count * size);
  for (let k = 0; k < count; k++) data[k * size + first + k] = 1;
  return tensor('float64', [count, size], data);
}

function writeColumns(target: Tensor<'float64'>, first: number, block: FloatTensor): void {
  const [rows = 0, columns = 0] = target.shape;
  const [count = 0] = block.shape;
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < rows; i++) target.data[i * columns + first + k] = block.data[k * rows + i] as number;
  }
}
