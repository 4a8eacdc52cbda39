import { DatasetError } from '../errors/errors.ts';
import { allocate, sizeOf, tensor } from '../tensor/tensor.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';

const names: Record<DType, string> = { float32: 'F32', float64: 'F64', int32: 'I32', uint8: 'U8', bool: 'BOOL' };
const dtypes = new Map<string, DType>(Object.entries(names).map(([dtype, name]) => [name, dtype as DType]));

/** Bytes a header may have; the reference implementation refuses more, too. */
const maxHeaderBytes = 100_000_000;

/** The arrays of a safetensors file and the free text pairs of its header. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Writes arrays as safetensors: 8 bytes of header length, a JSON header padded to 8 bytes, then the raw little-endian data.
 * @source huggingface/safetensors, "Format"
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, x] of tensors) {
    const end = offset + x.data.byteLength;
    header[name] = { dtype: names[x.dtype], shape: x.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text + ' '.repeat((8 - (new TextEncoder().encode(text).length % 8)) % 8));
  const bytes = new Uint8Array(8 + json.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const x of tensors.values()) {
    bytes.set(new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength), at);
    at += x.data.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file; half precision (F16, BF16) becomes float32.
 * @param where  file name for messages
 * @throws DatasetError for a truncated file, a broken header, offsets outside the file or an unknown element type
 */
export function parseSafetensors(where: string, bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : Infinity;
  if (length > maxHeaderBytes || 8 + length > bytes.length) {
    throw new DatasetError(
      where,
      `expected a safetensors file, got ${bytes.length} bytes without a whole header. Fetch it again.`,
    );
  }
  const header = parseHeader(where, bytes.subarray(8, 8 + length));
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = parseMetadata(where, entry);
    else tensors.set(name, parseEntry(where, name, entry as Entry, data));
  }
  return { tensors, metadata };
}

function parseHeader(where: string, json: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw new DatasetError(where, 'expected a JSON header, got something else. Fetch the file again.', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new DatasetError(where, 'expected a JSON object as header. Fetch the file again.');
  }
  return header as Record<string, unknown>;
}

function parseMetadata(where: string, entry: unknown): Record<string, string> {
  const isText = (v: unknown): v is string => typeof v === 'string';
  if (typeof entry !== 'object' || entry === null || !Object.values(entry).every(isText)) {
    throw new DatasetError(where, 'expected text pairs as __metadata__. Fetch the file again.');
  }
  return entry as Record<string, string>;
}

function parseEntry(where: string, name: string, entry: Entry, data: Uint8Array): Tensor {
  const isCount = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;
  const { shape, data_offsets: offsets } = entry ?? {};
  if (!Array.isArray(shape) || !shape.every(isCount) || !Array.isArray(offsets) || !offsets.every(isCount)) {
    throw new DatasetError(where, `expected shape and data_offsets for '${name}'. Fetch the file again.`);
  }
  const [begin, end] = offsets as unknown as [number, number];
  if (begin > end || end > data.length) {
    throw new DatasetError(
      where,
      `'${name}' lies at bytes ${begin}..${end} of ${data.length}: the file is truncated. Fetch it again.`,
    );
  }
  // A copy even of Node's Buffer, whose own slice() shares memory: the arrays below need an aligned start.
  const raw = new Uint8Array(data.subarray(begin, end));
  const size = sizeOf(shape as number[]);
  const dtype = dtypes.get(entry.dtype);
  const width = dtype === undefined ? 2 : allocate(dtype, 0).BYTES_PER_ELEMENT;
  if (raw.length !== size * width) {
    throw new DatasetError(
      where,
      `expected ${size * width} bytes for '${name}' ${entry.dtype}, got ${raw.length}. Fetch it again.`,
    );
  }
  if (dtype !== undefined) return tensor(dtype, shape as number[], typed(dtype, raw));
  if (entry.dtype === 'F16')
    return tensor('float32', shape as number[], Float32Array.from(new Float16Array(raw.buffer)));
  if (entry.dtype === 'BF16') {
    const bits = Uint32Array.from(new Uint16Array(raw.buffer), (v) => v * 65536);
    return tensor('float32', shape as number[], new Float32Array(bits.buffer));
  }
  throw new DatasetError(where, `'${name}' has element type ${entry.dtype}. Save it as F32 or F64.`);
}

function typed<T extends DType>(dtype: T, raw: Uint8Array<ArrayBuffer>): Tensor<T>['data'] {
  const arrays = {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
  return new arrays[dtype](raw.buffer) as Tensor<T>['data'];
}
