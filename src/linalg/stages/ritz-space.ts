import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { matmul } from '../matmul.ts';
import { orthonormalRows } from '../qr.ts';
import { singularValues, svd } from '../svd.ts';

/** Directions that keep less than this of their length outside the space are dropped: they carry rounding error only. */
const DEPENDENT = 1e-6;

/** Approximate singular triplets drawn from a subspace; rows belong to `values`, descending. */
export interface RitzTriplets {
  readonly values: Float64Array;
  /** [r, rows] */
  readonly left: Tensor<'float64'>;
  /** [r, columns] */
  readonly right: Tensor<'float64'>;
}

/**
 * A growing space of right vectors with its image under an operator A, from which the best triplets are drawn (Rayleigh-Ritz).
 * The image is kept as measured, so restarting costs no product and no recurrence can drift from what the operator really does.
 */
export class RitzSpace {
  #basis: Tensor<'float64'>;
  #image: Tensor<'float64'>;

  /**
   * @param basis  [p, columns], orthonormal rows
   * @param image  [p, rows], row k holding A basis_k
   */
  constructor(basis: Tensor<'float64'>, image: Tensor<'float64'>) {
    this.#basis = basis;
    this.#image = image;
  }

  /** Dimension p. */
  get size(): number {
    return this.#basis.shape[0] as number;
  }

  /**
   * Triplets of A restricted to the space, all min(p, rows) of them.
   * Values are never above those of A (interlacing), and A v = s u holds up to the precision of the products.
   */
  triplets(): RitzTriplets {
    const { u, values, v } = svd(this.#image);
    return { values, left: v, right: matmul(u, this.#basis) };
  }

  /** Replaces the space by the span of the first `keep` triplets, which must come from `triplets()` of this very space. */
  restart({ values, left, right }: RitzTriplets, keep: number): void {
    const count = Math.min(keep, values.length);
    this.#basis = slice(right, 0, count);
    const rows = left.shape[1] as number;
    this.#image = tensor('float64', [count, rows], scaledRows(left, values).subarray(0, count * rows));
  }

  /** Orthonormal basis of the part of `directions` outside the space; empty where nothing is. */
  outside(directions: Tensor<'float64'>): Tensor<'float64'> {
    let fresh = directions;
    // Twice: what the first pass leaves may be short, and its rounding error then lies inside the space.
    for (let pass = 0; pass < 2; pass++) {
      fresh = orthonormalRows(without(fresh, this.#basis), { tolerance: DEPENDENT }).q;
      if (fresh.shape[0] === 0) break;
    }
    return fresh;
  }

  /** Adds orthonormal rows outside the space and their image. */
  extend(basis: Tensor<'float64'>, image: Tensor<'float64'>): void {
    this.#basis = stack(this.#basis, basis);
    this.#image = stack(this.#image, image);
  }
}

/** Largest sine of an angle between the span of the rows of `x` and that of `y`, both orthonormal: the norm of what of x lies outside y. */
export function largestSine(x: Tensor<'float64'>, y: Tensor<'float64'>): number {
  return Math.min(1, singularValues(without(x, y))[0] ?? 0);
}

/** Rows of `x` over rows of `y`. */
export function stack(x: Tensor<'float64'>, y: Tensor<'float64'>): Tensor<'float64'> {
  const data = new Float64Array(x.data.length + y.data.length);
  data.set(x.data);
  data.set(y.data, x.data.length);
  return tensor('float64', [(x.shape[0] as number) + (y.shape[0] as number), x.shape[1] as number], data);
}

/** Difference [r, n] between rows of `images` and rows of `vectors` times `values`. */
export function residualRows(
  images: Tensor<'float64'>,
  vectors: Tensor<'float64'>,
  values: Float64Array,
): Tensor<'float64'> {
  const scaled = scaledRows(vectors, values);
  return tensor(
    'float64',
    images.shape,
    images.data.map((x, i) => x - (scaled[i] as number)),
  );
}

/** Euclidean norms of the rows. */
export function rowNorms({ shape, data }: Tensor<'float64'>): Float64Array {
  const n = shape[1] as number;
  return Float64Array.from({ length: shape[0] as number }, (_, i) =>
    Math.sqrt(data.subarray(i * n, (i + 1) * n).reduce((sum, x) => sum + x * x, 0)),
  );
}

function scaledRows({ shape, data }: Tensor<'float64'>, values: Float64Array): Float64Array {
  const n = shape[1] as number;
  return data.map((x, i) => x * (values[Math.floor(i / n)] as number));
}

function without(x: Tensor<'float64'>, basis: Tensor<'float64'>): Tensor<'float64'> {
  const inside = matmul(matmul(x, basis, { transposeB: true }), basis);
  return tensor(
    'float64',
    x.shape,
    x.data.map((value, i) => value - (inside.data[i] as number)),
  );
}
