import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseSafetensors, writeSafetensors } from './safetensors.ts';

const one = (name: string, x: Tensor): Map<string, Tensor> => new Map([[name, x]]);

/** A file of any header text and data. */
function fileOf(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

/** Two bytes an element, under the name x. */
function halves(dtype: string, bits: readonly number[]): Uint8Array {
  const data = new Uint8Array(2 * bits.length);
  bits.forEach((b, i) => new DataView(data.buffer).setUint16(2 * i, b, true));
  return fileOf(JSON.stringify({ x: { dtype, shape: [bits.length], data_offsets: [0, data.length] } }), data);
}

describe('writeSafetensors()', () => {
  it('writeSafetensors() lays out length, padded header and raw little-endian data as the format says', () => {
    const bytes = writeSafetensors(one('a', tensor('float32', [2], Float32Array.of(1, -2))));
    const header = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    // 1 = 0x3f800000 and -2 = 0xc0000000 in IEEE 754.
    const data = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0];
    expect([...bytes]).toEqual([padded.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(padded), ...data]);
  });

  it('writeSafetensors() is read back by parseSafetensors() in every dtype, with its text pairs', () => {
    const tensors = new Map<string, Tensor>([
      ['odd', tensor('uint8', [3], Uint8Array.of(0, 7, 255))],
      ['truth', tensor('bool', [2, 1], Uint8Array.of(1, 0))],
      ['whole', tensor('int32', [2], Int32Array.of(-(2 ** 31), 5))],
      ['single', tensor('float32', [1, 2], Float32Array.of(Math.fround(0.1), -Infinity))],
      ['double', tensor('float64', [], Float64Array.of(0.1))],
      ['empty', tensor('float32', [0, 4], new Float32Array(0))],
      ['größe/α', tensor('float64', [2], Float64Array.of(NaN, -0))],
    ]);
    const metadata = { step: '3', note: 'ü "quoted"\n' };
    expect(parseSafetensors('x', writeSafetensors(tensors, metadata))).toEqual({ tensors, metadata });
  });
});

describe('parseSafetensors()', () => {
  it('parseSafetensors() reads F16 and BF16 as float32', () => {
    // 1, -2, the largest half, its smallest subnormal, infinity.
    const half = parseSafetensors('x', halves('F16', [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00])).tensors.get('x');
    expect(half).toEqual(tensor('float32', [5], Float32Array.of(1, -2, 65504, 2 ** -24, Infinity)));
    // 1, -2, pi in 8 bits, the smallest normal.
    const brain = parseSafetensors('x', halves('BF16', [0x3f80, 0xc000, 0x4049, 0x0080])).tensors.get('x');
    expect(brain).toEqual(tensor('float32', [4], Float32Array.of(1, -2, 3.140625, 2 ** -126)));
  });

  it('parseSafetensors() copies: from a view at an odd address, from a Buffer, and apart from the file', () => {
    const x = tensor('float64', [2], Float64Array.of(1.5, -3));
    const bytes = writeSafetensors(one('x', x));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const file of [shifted.subarray(3), Buffer.from(shifted.buffer, 3)]) {
      const read = parseSafetensors('x', file).tensors.get('x');
      expect(read).toEqual(x);
      file.fill(0);
      expect(read).toEqual(x);
      file.set(bytes);
    }
  });

  it.each([
    ['not JSON', fileOf('{"x":'), /expected a JSON header/],
    ['bytes that are not UTF-8', fileOf('""').fill(0xff, 8), /expected a JSON header/],
    ['a list', fileOf('[]'), /expected a JSON object/],
    ['an array that is null', fileOf('{"x":null}'), /shape and data_offsets for 'x'/],
    ['no offsets', fileOf('{"x":{"dtype":"F32","shape":[1]}}'), /shape and data_offsets for 'x'/],
    ['a negative size', fileOf('{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}'), /shape and data_offsets/],
    ['offsets that run back', fileOf('{"x":{"dtype":"U8","shape":[0],"data_offsets":[2,1]}}'), /bytes 2\.\.1 of 0/],
    ['data that ends early', fileOf('{"x":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}'), /truncated/],
    ['too few bytes', fileOf('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,0]}}'), /expected 8 bytes for 'x'/],
    ['a type unknown', fileOf('{"x":{"dtype":"C64","shape":[0],"data_offsets":[0,0]}}'), /element type C64/],
    ['metadata that is null', fileOf('{"__metadata__":null}'), /text pairs/],
    ['metadata that is a number', fileOf('{"__metadata__":{"step":3}}'), /text pairs/],
  ])('parseSafetensors() refuses %s in one line', (_, bytes, message) => {
    const parse = (): unknown => parseSafetensors('here', bytes);
    expect(parse).toThrow(DatasetError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^here: [^\n]+$/);
  });

  it('parseSafetensors() refuses every truncation of a file', () => {
    const bytes = writeSafetensors(one('x', tensor('float32', [3], Float32Array.of(1, 2, 3))), { a: 'b' });
    for (let n = 0; n < bytes.length; n++) {
      expect(() => parseSafetensors('here', bytes.subarray(0, n))).toThrow(DatasetError);
    }
  });

  it('parseSafetensors() answers hostile headers and flipped bytes with DatasetError or an answer, never otherwise', () => {
    const good = writeSafetensors(one('x', tensor('float32', [3], Float32Array.of(1, 2, 3))), { a: 'b' });
    const quiet = (bytes: Uint8Array): void => {
      try {
        parseSafetensors('here', bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DatasetError);
      }
    };
    const junk = fc.jsonValue();
    const entry = fc.record({
      dtype: fc.oneof(fc.constantFrom('F32', 'BF16', 'C64'), junk),
      shape: junk,
      data_offsets: junk,
    });
    const headers = fc.oneof(
      junk,
      fc.dictionary(fc.string(), fc.oneof(entry, junk)),
      fc.record({ __metadata__: junk }),
    );
    fc.assert(
      fc.property(headers, fc.uint8Array(), (header, data) => quiet(fileOf(JSON.stringify(header), data))),
      {
        seed: 1,
        numRuns: 500,
      },
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => quiet(good.with(at, value))),
      { seed: 2, numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array(), quiet), { seed: 3, numRuns: 200 });
  });
});
