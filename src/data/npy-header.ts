import { DatasetError } from '../errors/errors.ts';
import { showShape } from '../tensor/tensor.ts';

/** What the header of an NPY file says, checked against the file's length. */
export interface NpyHeader {
  readonly shape: readonly number[];
  /** Kind and bytes: `f4`, `i8`, `b1`, ... */
  readonly type: string;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  /** Offset of the first element. */
  readonly start: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const TYPES = new Set(['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1']);
const MAX_AXES = 32; // NumPy's own limit
const ENTRY = /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\s,L]*)\))\s*(,|$)/y;

/**
 * Reads and checks an NPY header of version 1, 2 or 3; allocates nothing that the file's own length does not pay for.
 * @param where  what the bytes are, for messages
 * @param bytes  the file, or its beginning
 * @param length  bytes of the whole file
 * @throws DatasetError unless the header is the plain dictionary that NumPy writes and agrees with the length
 * @source https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function parseNpyHeader(where: string, bytes: Uint8Array, length: number = bytes.length): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new DatasetError(
      where,
      'expected an NPY file (magic \\x93NUMPY), got something else. Write it with numpy.save.',
    );
  }
  const version = bytes[6] as number;
  if (version < 1 || version > 3) {
    throw new DatasetError(where, `expected NPY version 1, 2 or 3, got ${version}. Write it with numpy.save.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const textStart = version === 1 ? 10 : 12;
  const textLength = version === 1 ? view.getUint16(8, true) : bytes.length >= 12 ? view.getUint32(8, true) : Infinity;
  const start = textStart + textLength;
  if (start > bytes.length) {
    throw new DatasetError(
      where,
      `expected an NPY header of ${start} bytes, got ${bytes.length}. Write the file again.`,
    );
  }
  const { descr, order, dims } = parseDictionary(where, new TextDecoder().decode(bytes.subarray(textStart, start)));
  const type = descr.slice(1);
  if (!/^[<>|]/.test(descr) || !TYPES.has(type)) {
    throw new DatasetError(
      where,
      `expected elements f2 f4 f8 i1-i8 u1-u8 or bool, got '${descr}'. Convert with .astype('float32') and save again.`,
    );
  }
  const shape = parseShape(where, dims);
  const wanted = shape.reduce((product, d) => product * d, Number(type[1]));
  if (wanted !== length - start) {
    throw new DatasetError(
      where,
      `expected ${wanted} bytes of data for shape ${showShape(shape)} of ${type}, got ${length - start}. Write the file again.`,
    );
  }
  return { shape, type, littleEndian: !descr.startsWith('>'), fortranOrder: order === 'True', start };
}

function parseDictionary(where: string, text: string): { descr: string; order: string; dims: string } {
  const inner = /^\s*\{([^{}]*)\}\s*$/.exec(text)?.[1]?.trimEnd() ?? '';
  const found: { descr?: string; order?: string; dims?: string } = {};
  let count = 0;
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < inner.length) {
    const match = ENTRY.exec(inner);
    if (match === null) break;
    const [, , key, , quoted, truth, tuple] = match;
    if (key === 'descr' && quoted !== undefined) found.descr = quoted;
    if (key === 'fortran_order' && truth !== undefined) found.order = truth;
    if (key === 'shape' && tuple !== undefined) found.dims = tuple;
    count += 1;
    if (ENTRY.lastIndex === inner.length) {
      const { descr, order, dims } = found;
      if (count === 3 && descr !== undefined && order !== undefined && dims !== undefined)
        return { descr, order, dims };
    }
  }
  throw new DatasetError(
    where,
    "expected an NPY header {'descr': '<f4', 'fortran_order': False, 'shape': (...)}, got another. Save one plain array.",
  );
}

function parseShape(where: string, dims: string): number[] {
  const parts = dims.trim() === '' ? [] : dims.split(',').map((part) => part.trim().replace(/L$/, ''));
  const tuple = parts.length !== 1; // (3) is a number in Python, (3,) a tuple
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map(Number);
  const valid = parts.every((part) => /^\d+$/.test(part)) && shape.every(Number.isSafeInteger);
  if (!tuple || !valid || shape.length > MAX_AXES) {
    throw new DatasetError(
      where,
      `expected a shape of at most ${MAX_AXES} sizes, got (${dims.slice(0, 60)}). Save it again.`,
    );
  }
  return shape;
}
