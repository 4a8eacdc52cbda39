/** How an element type is stored and what becomes of it. */
export interface ElementType {
  readonly name: string;
  readonly kind: 'float' | 'int' | 'bool';
  /** Bytes of an element in raw data. */
  readonly width: number;
  /** Field of TensorProto that holds it where the data are not raw. */
  readonly field: number;
  /** Elements of raw data, which start at a multiple of eight: floats as they are or widened, all else as doubles. */
  readonly raw: (buffer: ArrayBuffer) => Float32Array | Float64Array;
}

const doubles = (list: ArrayLike<number>): Float64Array => new Float64Array(list);

let halves: Float32Array | undefined;

/** By a table of all half floats: the engine's own conversion takes several times as long. */
function widenFloat16(buffer: ArrayBuffer): Float32Array {
  halves ??= new Float32Array(new Float16Array(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).buffer));
  const bits = new Uint16Array(buffer);
  const wide = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = halves[bits[i] as number] as number;
  return wide;
}

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = new Uint16Array(buffer);
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] as number) << 16;
  return new Float32Array(wide.buffer);
}

/** Two halves at a time: a BigInt64Array would make an object of every element. */
function wideIntegers(buffer: ArrayBuffer, signed: boolean): Float64Array {
  const low = new Uint32Array(buffer);
  const high = signed ? new Int32Array(buffer) : low;
  const values = new Float64Array(low.length / 2);
  for (let i = 0; i < values.length; i++) {
    values[i] = (high[2 * i + 1] as number) * 2 ** 32 + (low[2 * i] as number);
  }
  return values;
}

/** Element types that can be read, by their number in TensorProto.DataType. */
export const elementTypes: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [1, { name: 'float32', kind: 'float', width: 4, field: 4, raw: (b) => new Float32Array(b) }],
  [2, { name: 'uint8', kind: 'int', width: 1, field: 5, raw: (b) => doubles(new Uint8Array(b)) }],
  [3, { name: 'int8', kind: 'int', width: 1, field: 5, raw: (b) => doubles(new Int8Array(b)) }],
  [4, { name: 'uint16', kind: 'int', width: 2, field: 5, raw: (b) => doubles(new Uint16Array(b)) }],
  [5, { name: 'int16', kind: 'int', width: 2, field: 5, raw: (b) => doubles(new Int16Array(b)) }],
  [6, { name: 'int32', kind: 'int', width: 4, field: 5, raw: (b) => doubles(new Int32Array(b)) }],
  [7, { name: 'int64', kind: 'int', width: 8, field: 7, raw: (b) => wideIntegers(b, true) }],
  [9, { name: 'bool', kind: 'bool', width: 1, field: 5, raw: (b) => doubles(new Uint8Array(b)) }],
  [10, { name: 'float16', kind: 'float', width: 2, field: 5, raw: widenFloat16 }],
  [11, { name: 'float64', kind: 'float', width: 8, field: 10, raw: (b) => new Float64Array(b) }],
  [12, { name: 'uint32', kind: 'int', width: 4, field: 11, raw: (b) => doubles(new Uint32Array(b)) }],
  [13, { name: 'uint64', kind: 'int', width: 8, field: 11, raw: (b) => wideIntegers(b, false) }],
  [16, { name: 'bfloat16', kind: 'float', width: 2, field: 5, raw: widenBfloat16 }],
]);

const unreadable: ReadonlyMap<number, string> = new Map([
  [0, 'undeclared'],
  [8, 'string'],
  [14, 'complex64'],
  [15, 'complex128'],
  [17, 'float8e4m3fn'],
  [18, 'float8e4m3fnuz'],
  [19, 'float8e5m2'],
  [20, 'float8e5m2fnuz'],
  [21, 'uint4'],
  [22, 'int4'],
  [23, 'float4e2m1'],
  [24, 'float8e8m0'],
]);

/** What ONNX calls an element type; its number where there is no such type. */
export function elementTypeName(code: number): string {
  return elementTypes.get(code)?.name ?? unreadable.get(code) ?? `type ${code}`;
}
