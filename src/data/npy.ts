import { DatasetError } from '../errors/errors.ts';
import { allocate, sizeOf } from '../tensor/tensor.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import { parseNpyHeader } from './npy-header.ts';

type Getter = (view: DataView, at: number, littleEndian: boolean) => number;

interface ElementType {
  readonly dtype: DType;
  readonly get: Getter;
  /** Whether memory in this machine's (little-endian) order is the result as it stands. */
  readonly native?: true;
}

const ELEMENTS: Readonly<Record<string, ElementType>> = {
  f2: { dtype: 'float32', get: (view, at, le) => view.getFloat16(at, le) },
  f4: { dtype: 'float32', get: (view, at, le) => view.getFloat32(at, le), native: true },
  f8: { dtype: 'float64', get: (view, at, le) => view.getFloat64(at, le), native: true },
  i1: { dtype: 'int32', get: (view, at) => view.getInt8(at) },
  i2: { dtype: 'int32', get: (view, at, le) => view.getInt16(at, le) },
  i4: { dtype: 'int32', get: (view, at, le) => view.getInt32(at, le), native: true },
  i8: { dtype: 'float64', get: (view, at, le) => Number(view.getBigInt64(at, le)) },
  u1: { dtype: 'uint8', get: (view, at) => view.getUint8(at), native: true },
  u2: { dtype: 'int32', get: (view, at, le) => view.getUint16(at, le) },
  u4: { dtype: 'float64', get: (view, at, le) => view.getUint32(at, le) },
  u8: { dtype: 'float64', get: (view, at, le) => Number(view.getBigUint64(at, le)) },
  b1: { dtype: 'bool', get: (view, at) => Math.min(1, view.getUint8(at)) },
};

const DESCR: Readonly<Record<DType, string>> = {
  float32: '<f4',
  float64: '<f8',
  int32: '<i4',
  uint8: '|u1',
  bool: '|b1',
};

/**
 * Reads an NPY file (versions 1 to 3, either byte order, C or Fortran order) into a row-major tensor.
 * f2 becomes float32, i1 i2 u2 become int32, and u4 i8 u8 become float64.
 * @param where  what the bytes are, for messages
 * @throws DatasetError if the header is not one that NumPy writes for a plain array, the length disagrees,
 *   or a 64-bit integer lies beyond 2^53 and would be rounded
 */
export function parseNpy(where: string, bytes: Uint8Array): Tensor {
  const header = parseNpyHeader(where, bytes);
  const { dtype, get, native } = ELEMENTS[header.type] as ElementType; // the header admits these types only
  const step = Number(header.type[1]);
  const size = sizeOf(header.shape);
  const inOrder = step === 1 || header.littleEndian; // as typed arrays are on every machine that runs us
  let data = allocate(dtype, native && inOrder ? 0 : size);
  if (native && inOrder) {
    const raw = new Uint8Array(bytes.subarray(header.start)).buffer; // a copy: aligned, also where bytes is a Buffer of Node's pool
    data = dtype === 'uint8' ? new Uint8Array(raw) : viewAs(dtype, raw);
  } else {
    const view = new DataView(bytes.buffer, bytes.byteOffset + header.start);
    for (let i = 0; i < size; i++) data[i] = get(view, i * step, header.littleEndian);
  }
  if (step === 8 && dtype === 'float64' && !native) assertExact(where, data);
  const { shape } = header;
  return { shape, dtype, data: header.fortranOrder && shape.length > 1 ? toRowMajor(data, shape, dtype) : data };
}

/** An NPY file (version 1.0, C order) that `numpy.load` opens; dtypes f4 f8 i4 u1 bool. */
export function writeNpy(x: Tensor): Uint8Array {
  const shape = x.shape.length === 1 ? `(${x.shape[0]},)` : `(${x.shape.join(', ')})`;
  const text = `{'descr': '${DESCR[x.dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10; // NumPy aligns the data to 64 bytes
  const step = x.data.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(10 + length + step * x.data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  bytes.set(new TextEncoder().encode(text.padEnd(length - 1) + '\n'), 10);
  bytes.set(new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength), 10 + length);
  return bytes;
}

function viewAs(dtype: DType, raw: ArrayBuffer): Float32Array | Float64Array | Int32Array {
  if (dtype === 'float32') return new Float32Array(raw);
  return dtype === 'float64' ? new Float64Array(raw) : new Int32Array(raw);
}

function assertExact(where: string, data: ArrayLike<number>): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isSafeInteger(data[i])) continue;
    throw new DatasetError(
      where,
      `expected 64-bit integers below 2^53 in size, got ${data[i]} at element ${i}. Save them as float64.`,
    );
  }
}

/** Column-major to row-major: the last axis varies fastest in the result. */
function toRowMajor<T extends DType>(data: Tensor<T>['data'], shape: readonly number[], dtype: T): Tensor<T>['data'] {
  const out = allocate(dtype, data.length);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      const next = (index[axis] as number) + 1;
      from += stride;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
      from -= stride * next;
    }
  }
  return out;
}
