import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseNpy, writeNpy } from './npy.ts';

function npy(header: string, data: Uint8Array | number[], version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const size = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...size, ...text, ...data]);
}

function plain(descr: string, shape: string, data: Uint8Array | number[], order = 'False', version = 1): Uint8Array {
  return npy(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`, data, version);
}

/** The bytes of numbers, written by DataView in the given order. */
function raw(step: number, values: number[], set: (view: DataView, at: number, v: number) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(step * values.length));
  values.forEach((v, i) => set(view, i * step, v));
  return new Uint8Array(view.buffer);
}

describe('parseNpy()', () => {
  const cases: [string, number, string, number[], (le: boolean) => (view: DataView, at: number, v: number) => void][] =
    [
      ['f2', 2, 'float32', [0, 1.5, -65504], (le) => (view, at, v) => view.setFloat16(at, v, le)],
      ['f4', 4, 'float32', [0, 1.5, -3e38].map(Math.fround), (le) => (view, at, v) => view.setFloat32(at, v, le)],
      ['f8', 8, 'float64', [0, Math.PI, -1e300], (le) => (view, at, v) => view.setFloat64(at, v, le)],
      ['i1', 1, 'int32', [0, 127, -128], () => (view, at, v) => view.setInt8(at, v)],
      ['i2', 2, 'int32', [0, 258, -32768], (le) => (view, at, v) => view.setInt16(at, v, le)],
      ['i4', 4, 'int32', [0, 16909060, -(2 ** 31)], (le) => (view, at, v) => view.setInt32(at, v, le)],
      ['i8', 8, 'float64', [0, 2 ** 53 - 1, -(2 ** 40)], (le) => (view, at, v) => view.setBigInt64(at, BigInt(v), le)],
      ['u1', 1, 'uint8', [0, 1, 255], () => (view, at, v) => view.setUint8(at, v)],
      ['u2', 2, 'int32', [0, 258, 65535], (le) => (view, at, v) => view.setUint16(at, v, le)],
      ['u4', 4, 'float64', [0, 258, 2 ** 32 - 1], (le) => (view, at, v) => view.setUint32(at, v, le)],
      ['u8', 8, 'float64', [0, 258, 2 ** 53 - 1], (le) => (view, at, v) => view.setBigUint64(at, BigInt(v), le)],
      ['b1', 1, 'bool', [0, 1, 1], () => (view, at, v) => view.setUint8(at, v)],
    ];
  it.each(cases)('parseNpy() reads %s in both byte orders and all three versions', (type, step, dtype, values, set) => {
    for (const [mark, le] of [
      ['<', true],
      ['>', false],
    ] as const) {
      for (const version of [1, 2, 3]) {
        const x = parseNpy('a', plain(mark + type, '(3,)', raw(step, values, set(le)), 'False', version));
        expect({ shape: x.shape, dtype: x.dtype, data: [...x.data] }).toEqual({ shape: [3], dtype, data: values });
      }
    }
  });

  it('parseNpy() turns Fortran order into row-major', () => {
    // Element (i, j, k) of shape (2, 3, 2) holds 100 i + 10 j + k; the first index varies fastest in the file.
    const stored = [];
    const expected = [];
    for (let k = 0; k < 2; k++)
      for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) stored.push(100 * i + 10 * j + k);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++) for (let k = 0; k < 2; k++) expected.push(100 * i + 10 * j + k);
    expect([...parseNpy('a', plain('|u1', '(2, 3, 2)', stored, 'True')).data]).toEqual(expected);
  });

  it('parseNpy() reads scalars, empty arrays, and keys in any order and quotes', () => {
    expect(parseNpy('a', plain('|u1', '()', [7]))).toEqual({ shape: [], dtype: 'uint8', data: Uint8Array.of(7) });
    expect(parseNpy('a', plain('<f4', '(0, 999999999999)', [])).data.length).toBe(0);
    const other = npy(`{"shape": (2L,), "fortran_order": False, "descr": "|u1"}   \n`, [1, 2]);
    expect([...parseNpy('a', other).data]).toEqual([1, 2]);
  });

  it('parseNpy() keeps no tie to the memory of the file', () => {
    const bytes = plain('|u1', '(2,)', [1, 2]);
    const x = parseNpy('a', bytes);
    bytes.fill(0);
    expect([...x.data]).toEqual([1, 2]);
    const file = plain(
      '<f8',
      '(1,)',
      raw(8, [Math.PI], (view, at, v) => view.setFloat64(at, v, true)),
    );
    expect([...parseNpy('a', Buffer.from(file)).data]).toEqual([Math.PI]); // Buffers share a pool and their slice() does not copy
  });

  it.each([
    [
      'no magic',
      Uint8Array.from({ length: 20 }, () => 65),
      'expected an NPY file (magic \\x93NUMPY), got something else.',
    ],
    ['version 9', plain('<f4', '(1,)', [0, 0, 0, 0], 'False', 9), 'expected NPY version 1, 2 or 3, got 9.'],
    ['a header past the end', plain('<f4', '(1,)', []).slice(0, 30), 'expected an NPY header of '],
    [
      'a huge version 2 header',
      Uint8Array.of(0x93, 78, 85, 77, 80, 89, 2, 0, 255, 255, 255, 255),
      'of 4294967307 bytes, got 12',
    ],
    ['a header that is no dictionary', npy('[1, 2, 3]', []), "expected an NPY header {'descr': "],
    ['a missing key', npy("{'descr': '<f4', 'shape': (1,)}", [0, 0, 0, 0]), 'expected an NPY header'],
    [
      'a repeated key',
      npy("{'descr': '<f4', 'descr': '<f4', 'shape': (1,), 'fortran_order': False}", [0, 0, 0, 0]),
      'NPY header',
    ],
    ['an expression', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2**40,)}", []), 'expected an NPY header'],
    [
      'a structured type',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", []),
      'expected an NPY header',
    ],
    ['objects', plain('|O', '(1,)', [0]), "expected elements f2 f4 f8 i1-i8 u1-u8 or bool, got '|O'."],
    ['complex numbers', plain('<c8', '(1,)', [0]), "got '<c8'"],
    ['a name of Object.prototype', plain('<constructor', '(1,)', [0]), "got '<constructor'"],
    ['negative sizes', plain('<f4', '(-1, 4)', []), 'expected an NPY header'],
    ['a number for a shape', plain('|u1', '(3)', [1, 2, 3]), 'expected a shape of at most 32 sizes, got (3).'],
    ['a hole in the shape', plain('|u1', '(3,,1)', [1, 2, 3]), 'expected a shape'],
    ['33 axes', plain('|u1', `(${'1, '.repeat(33)})`, [1]), 'expected a shape'],
    ['a size beyond 2^53', plain('|u1', '(99999999999999999999,)', [1]), 'expected a shape'],
    [
      'huge sizes',
      plain('<f8', '(4000000000, 4000000000)', [1]),
      'bytes of data for shape [4000000000, 4000000000] of f8, got 1.',
    ],
    ['cut data', plain('<f4', '(2,)', [0, 0, 0, 0, 0, 0, 0]), 'expected 8 bytes of data for shape [2] of f4, got 7.'],
    [
      'integers beyond 2^53',
      plain('<i8', '(1,)', [0, 0, 0, 0, 0, 0, 0, 64]),
      'expected 64-bit integers below 2^53 in size',
    ],
  ])('parseNpy() refuses %s in one line', (_, bytes, message) => {
    expect(() => parseNpy('a', bytes)).toThrow(DatasetError);
    expect(() => parseNpy('a', bytes)).toThrow(message);
  });

  it('parseNpy() fails on random bytes and broken headers with DatasetError only, without paying for what they claim', () => {
    const pieces = fc.array(
      fc.constantFrom(
        "'descr'",
        "'shape'",
        "'fortran_order'",
        ': ',
        ', ',
        '(',
        ')',
        '{',
        '}',
        "'<f8'",
        'True',
        '9',
        '8888888',
        '-',
        'L',
      ),
      { maxLength: 24 },
    );
    const header = fc.oneof(
      pieces.map((p) => `{${p.join('')}}`),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    const shaped = fc
      .tuple(fc.constantFrom('<f8', '>i2', '|u1', '<U4'), fc.array(fc.maxSafeNat(), { maxLength: 5 }))
      .map(([descr, dims]) => `{'descr': '${descr}', 'fortran_order': True, 'shape': (${dims.join(', ')},)}`);
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .tuple(fc.oneof(header, shaped), fc.uint8Array({ maxLength: 32 }), fc.integer({ min: 1, max: 3 }))
        .map(([h, d, v]) => npy(h, d, v)),
    );
    fc.assert(
      fc.property(file, (bytes) => {
        try {
          expect(parseNpy('fuzz', bytes).data.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { seed: 2, numRuns: 1500 },
    );
  });
});

describe('writeNpy()', () => {
  it.each<Tensor>([
    tensor('float32', [2, 3], Float32Array.of(1, -0, NaN, Infinity, 1e-45, 3)),
    tensor('float64', [], Float64Array.of(Math.PI)),
    tensor('int32', [2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
    tensor('uint8', [1, 2, 1], Uint8Array.of(0, 255)),
    tensor('bool', [3], Uint8Array.of(1, 0, 1)),
    tensor('float32', [0, 4], new Float32Array()),
  ])('writeNpy() of $dtype $shape reads back as it was, its data aligned to 64 bytes', (x) => {
    const bytes = writeNpy(x);
    expect((bytes.length - x.data.byteLength) % 64).toBe(0);
    expect(parseNpy('a', bytes)).toEqual(x);
  });

  it('writeNpy() writes only the part that a view shows', () => {
    const part = tensor('float32', [2], Float32Array.of(1, 2, 3, 4).subarray(1, 3));
    expect([...parseNpy('a', writeNpy(part)).data]).toEqual([2, 3]);
  });
});
