import type { ReadContext } from './context.ts';

// Why not the generated decoder that the emitter's counterpart would be: it makes an object of every two bytes, so that a hostile file of
// 10 MB took 13 s and 1.3 GB. Here nothing is made of what is not asked for.

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

const longestVarint = 10;
const shortText = 24;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Walks over the fields of one protobuf message; never reads outside `bytes` and decodes only what is asked for. */
export class WireMessage {
  /** Number of the current field. */
  field: number = 0;
  readonly context: ReadContext;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #wire = varint;
  #start = 0;
  #stop = 0;

  /** The message that lies at [start, end) of `bytes`. */
  constructor(context: ReadContext, bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.context = context;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Steps to the next field. @throws ModelError where it does not lie wholly in the message */
  next(): boolean {
    if (this.#at === this.#end) return false;
    const tagEnd = this.#varintEnd(this.#at);
    const tag = uint64(this.#bytes, this.#at, tagEnd);
    this.field = Math.floor(tag / 8);
    this.#wire = tag % 8;
    if (this.field === 0 || this.field >= 2 ** 29) this.#damaged();
    this.#start = tagEnd;
    this.#stop = this.#valueEnd(tagEnd);
    this.#at = this.#stop;
    return true;
  }

  /** A signed integer of up to 64 bits, rounded to a double beyond 2^53. */
  integer(): number {
    this.#expect(varint);
    return int64(this.#bytes, this.#start, this.#stop);
  }

  float(): number {
    this.#expect(fixed32);
    return floatAt(this.#bytes, this.#start);
  }

  /** A view of the bytes of a length-delimited field. */
  bytes(): Uint8Array {
    this.#expect(lengthDelimited);
    return this.#bytes.subarray(this.#start, this.#stop);
  }

  text(): string {
    this.#expect(lengthDelimited);
    if (this.#stop - this.#start > shortText) return decoder.decode(this.bytes());
    // Names are short and plain: letter by letter is several times faster than a view and a decoder.
    let text = '';
    for (let i = this.#start; i < this.#stop; i++) {
      const letter = this.#bytes[i] as number;
      if (letter >= 128) return decoder.decode(this.bytes());
      text += String.fromCharCode(letter);
    }
    return text;
  }

  message(): WireMessage {
    this.#expect(lengthDelimited);
    return new WireMessage(this.context, this.#bytes, this.#start, this.#stop);
  }

  /** A view of numbers as they are stored: many where the field is packed, otherwise one. */
  numbers(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#stop);
  }

  /** Appends the integers of a repeated field, packed or not. */
  integersInto(list: number[]): void {
    if (this.#wire !== lengthDelimited) this.#expect(varint);
    for (let at = this.#start; at < this.#stop;) {
      const end = this.#varintEnd(at, this.#stop);
      this.context.spend(1);
      list.push(int64(this.#bytes, at, end));
      at = end;
    }
  }

  /** Appends the 32-bit floats of a repeated field, packed or not. */
  floatsInto(list: number[]): void {
    if (this.#wire !== lengthDelimited) this.#expect(fixed32);
    if ((this.#stop - this.#start) % 4 !== 0) this.#damaged();
    for (let at = this.#start; at < this.#stop; at += 4) {
      this.context.spend(1);
      list.push(floatAt(this.#bytes, at));
    }
  }

  #valueEnd(start: number): number {
    let end: number;
    if (this.#wire === varint) return this.#varintEnd(start);
    else if (this.#wire === fixed64) end = start + 8;
    else if (this.#wire === fixed32) end = start + 4;
    else if (this.#wire === lengthDelimited) {
      this.#start = this.#varintEnd(start);
      end = this.#start + uint64(this.#bytes, start, this.#start);
    } else return this.#damaged();
    return end <= this.#end ? end : this.#damaged();
  }

  #varintEnd(start: number, limit: number = this.#end): number {
    const last = Math.min(limit, start + longestVarint);
    for (let i = start; i < last; i++) if ((this.#bytes[i] as number) < 128) return i + 1;
    return this.#damaged();
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) this.#damaged();
  }

  #damaged(): never {
    this.context.fail(
      'expected an ONNX model, got a file that is truncated, damaged or no ONNX. Fetch or export it again.',
    );
  }
}

/**
 * Packed variable-length integers, one after the other.
 * @param count  how many there must be
 * @returns undefined where there are more, fewer, or the last one breaks off
 */
export function readVarints(chunks: readonly Uint8Array[], count: number, signed: boolean): Float64Array | undefined {
  let present = 0;
  for (const chunk of chunks) for (const byte of chunk) if (byte < 128) present++;
  if (present !== count) return undefined;
  const values = new Float64Array(count);
  let i = 0;
  for (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if ((chunk[at] as number) >= 128) continue;
      values[i++] = signed ? int64(chunk, start, at + 1) : uint64(chunk, start, at + 1);
      start = at + 1;
    }
    if (start !== chunk.length) return undefined;
  }
  return values;
}

function int64(bytes: Uint8Array, start: number, stop: number): number {
  return stop - start < 5 ? small(bytes, start, stop) : wide(bytes, start, stop, true);
}

function uint64(bytes: Uint8Array, start: number, stop: number): number {
  return stop - start < 5 ? small(bytes, start, stop) : wide(bytes, start, stop, false);
}

function small(bytes: Uint8Array, start: number, stop: number): number {
  let value = 0;
  for (let i = stop - 1; i >= start; i--) value = (value << 7) | ((bytes[i] as number) & 127);
  return value;
}

/** Two halves of 32 bits, so that no big integers are made. */
function wide(bytes: Uint8Array, start: number, stop: number, signed: boolean): number {
  let low = 0;
  let high = 0;
  for (let i = start, shift = 0; i < stop; i++, shift += 7) {
    const part = (bytes[i] as number) & 127;
    if (shift < 32) low |= part << shift;
    if (shift === 28) high |= part >> 4;
    else if (shift > 28 && shift < 64) high |= part << (shift - 32);
  }
  return (signed ? high : high >>> 0) * 2 ** 32 + (low >>> 0);
}

function floatAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getFloat32(0, true);
}
