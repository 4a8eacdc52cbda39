import { DTypeError, NumericalError, ShapeError } from '../errors/errors.ts';

/** Element types that cross the house; everything else is converted at the border. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool';

/** Floating element types. */
export type FloatDType = 'float32' | 'float64';

/** Typed array behind each dtype; `bool` is one byte an element, 0 or 1. */
export interface TensorData {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** A dense row-major array on the host. `data.length` equals the product of `shape`. Treat as immutable once shared. */
export interface Tensor<T extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: T;
  readonly data: TensorData[T];
}

/** A tensor of floating-point numbers. */
export type FloatTensor = Tensor<'float32'> | Tensor<'float64'>;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** Number of elements of a shape (1 for a scalar). */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

/** Whether two shapes are equal, axis by axis. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** `[2, 3]` as text, for messages. */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** A typed array of `size` zeros of the given dtype. */
export function allocate<T extends DType>(dtype: T, size: number): TensorData[T] {
  return new constructors[dtype](size) as TensorData[T];
}

/**
 * Wraps `data` as a tensor without copying.
 * @throws ShapeError if the length of `data` is not the product of `shape`
 */
export function tensor<T extends DType>(dtype: T, shape: readonly number[], data: TensorData[T]): Tensor<T> {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(
      'tensor',
      `expected ${sizeOf(shape)} elements for shape ${showShape(shape)}, got ${data.length}.`,
    );
  }
  return { shape: [...shape], dtype, data };
}

/** A tensor of zeros. */
export function zeros<T extends DType>(dtype: T, shape: readonly number[]): Tensor<T> {
  return { shape: [...shape], dtype, data: allocate(dtype, sizeOf(shape)) };
}

/** The same elements under another shape, sharing memory. @throws ShapeError if the sizes differ */
export function reshape<T extends DType>(x: Tensor<T>, shape: readonly number[]): Tensor<T> {
  if (sizeOf(shape) !== x.data.length) {
    throw new ShapeError('reshape', `expected ${x.data.length} elements, got shape ${showShape(shape)}.`);
  }
  return { shape: [...shape], dtype: x.dtype, data: x.data };
}

/** Elements [start, end) of the first axis, sharing memory. */
export function slice<T extends DType>(x: Tensor<T>, start: number, end: number): Tensor<T> {
  const inner = sizeOf(x.shape.slice(1));
  const data = x.data.subarray(start * inner, end * inner) as TensorData[T];
  return { shape: [end - start, ...x.shape.slice(1)], dtype: x.dtype, data };
}

/** Row `i` of the first axis without that axis, sharing memory. */
export function row<T extends DType>(x: Tensor<T>, i: number): Tensor<T> {
  return reshape(slice(x, i, i + 1), x.shape.slice(1));
}

/** The rows of the first axis in the order of `indices`, repeats allowed; a copy. */
export function takeRows<T extends DType>(x: Tensor<T>, indices: ArrayLike<number>): Tensor<T> {
  const shape = x.shape.slice(1);
  const size = sizeOf(shape);
  const data = allocate(x.dtype, indices.length * size);
  for (let to = 0; to < indices.length; to++) {
    const from = indices[to] as number;
    data.set(x.data.subarray(from * size, (from + 1) * size), to * size);
  }
  return tensor(x.dtype, [indices.length, ...shape], data);
}

/** Converts to another float dtype; returns `x` itself where nothing changes. */
export function castFloat<T extends FloatDType>(x: FloatTensor, dtype: T): Tensor<T> {
  if (x.dtype === dtype) return x as unknown as Tensor<T>;
  const data = allocate(dtype, x.data.length);
  data.set(x.data);
  return { shape: x.shape, dtype, data };
}

/**
 * Checks a shape against a pattern such as `'B 1 28 28'`: letters bind on first use and must agree later, numbers must match,
 * a leading `...` matches any axes.
 * @returns the bound sizes by letter
 * @throws ShapeError naming `where`, the pattern and the shape
 */
export function assertShape(where: string, x: Tensor, pattern: string): Record<string, number> {
  const wanted = pattern.split(/\s+/).filter((w) => w.length > 0);
  const open = wanted[0] === '...';
  const axes = open ? wanted.slice(1) : wanted;
  const shape = open ? x.shape.slice(Math.max(0, x.shape.length - axes.length)) : x.shape;
  const bound: Record<string, number> = {};
  const fits =
    shape.length === axes.length &&
    axes.every((name, i) => {
      const size = shape[i] as number;
      const fixed = Number(name);
      if (Number.isInteger(fixed)) return size === fixed;
      bound[name] ??= size;
      return bound[name] === size;
    });
  if (!fits) throw new ShapeError(where, `expected shape [${pattern}], got ${showShape(x.shape)}.`);
  return bound;
}

/** @throws DTypeError unless `x` holds floats */
export function assertFloat(where: string, x: Tensor): asserts x is FloatTensor {
  if (x.dtype !== 'float32' && x.dtype !== 'float64') {
    throw new DTypeError(where, `expected float32 or float64, got ${x.dtype}.`);
  }
}

/** @throws NumericalError naming the first element that is not finite */
export function assertFinite(where: string, x: FloatTensor, remedy: string): void {
  const bad = x.data.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new NumericalError(
      where,
      `expected finite values, got ${x.data[bad]} at element ${bad} of ${showShape(x.shape)}. ${remedy}`,
    );
  }
}
