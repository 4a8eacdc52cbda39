import type { FloatTensor } from '../../../tensor/tensor.ts';
import { showShape, sizeOf } from '../../../tensor/tensor.ts';
import type { HostArray } from '../model.ts';
import type { ReadContext } from './context.ts';
import { quoted } from './context.ts';
import type { ElementType } from './element-types.ts';
import { elementTypeName, elementTypes } from './element-types.ts';
import type { ExternalReader } from './external.ts';
import { externalRange } from './external.ts';
import type { RawTensor } from './raw.ts';
import { readVarints } from './wire.ts';

/** More than any memory holds, and few enough that sizes in bytes stay exact. */
const mostElements = 2 ** 48;
const mostAxes = 32;
const damaged = 'The file is damaged: fetch or export it again.';

/** Arrays of one file: checked against the bytes that are there before anything is allocated, decoded once. */
export class StoredArrays {
  readonly #context: ReadContext;
  readonly #fetched = new Map<RawTensor, Uint8Array>();
  readonly #decoded = new Map<RawTensor, Float32Array | Float64Array>();

  constructor(context: ReadContext) {
    this.#context = context;
  }

  /** Why an array of this type cannot be used; undefined where it can. */
  problem(stored: RawTensor): string | undefined {
    return elementTypes.has(stored.type) ? undefined : `holds ${elementTypeName(stored.type)} elements`;
  }

  /** Whether the array is a weight: floats, more than one. */
  isWeight(stored: RawTensor): boolean {
    return elementTypes.get(stored.type)?.kind === 'float' && sizeOf(stored.dims) > 1;
  }

  /**
   * Bytes of the array in memory, 0 for a type that is not read.
   * @throws ModelError where its shape is no shape or says another size than its data have
   */
  memoryBytes(stored: RawTensor): number {
    const { dims } = stored;
    const size = sizeOf(dims);
    if (dims.length > mostAxes || !dims.every((d) => d >= 0 && d <= mostElements) || !(size <= mostElements)) {
      this.#fail(stored, `has no possible shape: ${showShape(dims.slice(0, 8))}. ${damaged}`);
    }
    const type = elementTypes.get(stored.type);
    if (type === undefined) return 0;
    if (stored.external === undefined) this.#checkPresent(stored, type, size);
    const wide = this.isWeight(stored) && type.name !== 'float64' ? 4 : 8;
    return size * wide;
  }

  /** Brings the data of an array that lies in another file. @throws ModelError where they cannot be had */
  async fetch(stored: RawTensor, read: ExternalReader | undefined): Promise<void> {
    const type = elementTypes.get(stored.type);
    if (stored.external === undefined || type === undefined) return;
    const size = sizeOf(stored.dims) * type.width;
    const range = externalRange(stored.external, size);
    if (typeof range === 'string') this.#fail(stored, range);
    if (read === undefined) {
      this.#fail(stored, `lies in ${quoted(range.location)} beside the model. Export it into one file.`);
    }
    const bytes = size === 0 ? new Uint8Array() : await read(range.location, range.offset, size);
    if (bytes.length !== size) {
      this.#fail(stored, `expected ${size} bytes in ${quoted(range.location)}, got ${bytes.length}. Fetch it again.`);
    }
    this.#fetched.set(stored, bytes);
  }

  /** The array as doubles. Only of a type that is read. */
  host(stored: RawTensor): HostArray {
    const type = this.#typeOf(stored);
    const values = this.#elements(stored, type);
    const data = values instanceof Float64Array ? values : new Float64Array(values);
    return {
      type: type.kind,
      shape: stored.dims,
      data: type.kind === 'bool' ? data.map((v) => (v === 0 ? 0 : 1)) : data,
    };
  }

  /** The array as a weight. @throws ModelError naming it where it holds what is not finite */
  weight(stored: RawTensor): FloatTensor {
    const data = this.#elements(stored, this.#typeOf(stored));
    const bad = firstNotFinite(data);
    if (bad >= 0 && !isMask(data)) {
      this.#fail(stored, `holds ${data[bad]} at element ${bad} of ${showShape(stored.dims)}. Export it in float32.`);
    }
    return data instanceof Float32Array
      ? { shape: stored.dims, dtype: 'float32', data }
      : { shape: stored.dims, dtype: 'float64', data };
  }

  #typeOf(stored: RawTensor): ElementType {
    return elementTypes.get(stored.type) ?? this.#fail(stored, `${this.problem(stored)}, which are not read.`);
  }

  #elements(stored: RawTensor, type: ElementType): Float32Array | Float64Array {
    const known = this.#decoded.get(stored) ?? this.#decode(stored, type);
    this.#decoded.set(stored, known);
    return known;
  }

  #decode(stored: RawTensor, type: ElementType): Float32Array | Float64Array {
    const stays = this.#fetched.get(stored) ?? stored.raw;
    if (stays !== undefined) return type.raw(ownBuffer(stays, this.#fetched.has(stored)));
    const chunks = stored.typed.get(type.field) ?? [];
    if (isFixed(type)) return type.raw(joined(chunks));
    const values = readVarints(chunks, sizeOf(stored.dims), type.name !== 'uint32' && type.name !== 'uint64');
    if (values === undefined)
      return this.#fail(stored, `holds another number of elements than its shape says. ${damaged}`);
    // Half floats come as integers with their bits.
    return type.kind === 'float' ? type.raw(Uint16Array.from(values).buffer) : values;
  }

  #checkPresent(stored: RawTensor, type: ElementType, size: number): void {
    let present = 0;
    for (const chunk of stored.typed.get(type.field) ?? []) present += chunk.length;
    const unit = stored.raw === undefined && !isFixed(type) ? 1 : type.width;
    const exact = stored.raw !== undefined || isFixed(type);
    if (stored.raw !== undefined) present = stored.raw.length;
    // A variable-length integer takes one byte or more: they are counted when they are decoded.
    if (exact ? present === size * unit : present >= size) return;
    this.#fail(
      stored,
      `expected ${size * unit} bytes for ${type.name} ${showShape(stored.dims)}, got ${present}. ${damaged}`,
    );
  }

  #fail(stored: RawTensor, message: string): never {
    this.#context.fail(`array ${quoted(stored.name)} ${message}`);
  }
}

/** Whether the typed field of this type has elements of a fixed size. */
function isFixed(type: ElementType): boolean {
  return type.field === 4 || type.field === 10;
}

/** The bytes at the start of a buffer that holds nothing else: aligned, and the file can be let go. */
function ownBuffer(bytes: Uint8Array, ours: boolean): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  const whole = ours && buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength;
  return whole ? buffer : new Uint8Array(bytes).buffer;
}

function joined(chunks: readonly Uint8Array[]): ArrayBuffer {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all.buffer;
}

/** By the bits: NaN and the infinities are the numbers whose exponent is all ones. Ten times as fast as findIndex on the floats. */
function firstNotFinite(data: Float32Array | Float64Array): number {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const [step, exponent] = data instanceof Float32Array ? [1, 0x7f800000] : [2, 0x7ff00000];
  for (let i = step - 1; i < words.length; i += step) {
    if (((words[i] as number) & exponent) === exponent) return Math.floor(i / step);
  }
  return -1;
}

/** Zeros and minus infinities: an attention mask, which is meant so. */
function isMask(data: Float32Array | Float64Array): boolean {
  return data.every((v) => v === 0 || v === -Infinity);
}
