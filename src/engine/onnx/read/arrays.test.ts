import fc from 'fast-check';
import type { TensorProto } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import type { HostArray } from '../model.ts';
import { array, attribute, floats, graph, node, rawBytes, readGraph, refusal } from './model.fixture.ts';

const identity = node('Neg', ['x'], ['y']);
const readArray = async (stored: TensorProto): ReturnType<typeof readGraph> =>
  readGraph(graph({ nodes: [identity], arrays: [stored] }));
const constantOf = async (stored: TensorProto): Promise<HostArray> =>
  (await readArray(stored)).constants.get('a') as HostArray;
const weightOf = async (stored: TensorProto): Promise<unknown> => (await readArray(stored)).weights.get('a');

/** Bits of the upper half of each float32. */
const bfloat16Bits = (values: readonly number[]): Uint16Array<ArrayBuffer> =>
  Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);
const float16Bits = (values: readonly number[]): Uint16Array<ArrayBuffer> =>
  new Uint16Array(Float16Array.from(values).buffer);

// Exact in every float type.
const sample = [0.5, -1.25, 3, -0, 96];
const whole = [0, 1, 5, 127];

describe('readOnnx() of float arrays', () => {
  const encodings: [string, TensorProto, 'float32' | 'float64'][] = [
    ['float32 raw', array('a', [5], 1, { rawData: rawBytes(Float32Array.from(sample)) }), 'float32'],
    ['float32 typed', array('a', [5], 1, { floatData: sample }), 'float32'],
    ['float64 raw', array('a', [5], 11, { rawData: rawBytes(Float64Array.from(sample)) }), 'float64'],
    ['float64 typed', array('a', [5], 11, { doubleData: sample }), 'float64'],
    ['float16 raw', array('a', [5], 10, { rawData: rawBytes(float16Bits(sample)) }), 'float32'],
    ['float16 typed', array('a', [5], 10, { int32Data: [...float16Bits(sample)] }), 'float32'],
    ['bfloat16 raw', array('a', [5], 16, { rawData: rawBytes(bfloat16Bits(sample)) }), 'float32'],
    ['bfloat16 typed', array('a', [5], 16, { int32Data: [...bfloat16Bits(sample)] }), 'float32'],
  ];
  it.each(encodings)('makes a weight of %s', async (_, stored, dtype) => {
    const data = dtype === 'float32' ? Float32Array.from(sample) : Float64Array.from(sample);
    expect(await weightOf(stored)).toEqual({ shape: [5], dtype, data });
  });

  it('widens every finite half float to its exact value', async () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((b) => (b & 0x7c00) !== 0x7c00);
    const exact = (b: number): number => {
      const [sign, exponent, fraction] = [b & 0x8000 ? -1 : 1, (b >> 10) & 31, b & 1023];
      return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
    };
    const data = Float32Array.from(bits, exact);
    const stored = array('a', [bits.length], 10, { rawData: rawBytes(bits) });
    expect(await weightOf(stored)).toEqual({ shape: [bits.length], dtype: 'float32', data });
  });

  it('makes a constant of one element or none', async () => {
    expect(await constantOf(floats('a', [], [0.5]))).toEqual({ type: 'float', shape: [], data: Float64Array.of(0.5) });
    expect(await constantOf(floats('a', [1, 1], [2]))).toEqual({
      type: 'float',
      shape: [1, 1],
      data: Float64Array.of(2),
    });
    expect(await constantOf(floats('a', [0], []))).toEqual({ type: 'float', shape: [0], data: Float64Array.of() });
  });

  it('counts weights in memory: half floats widened, doubles as they are', async () => {
    const arrays = [
      array('half', [2, 3], 10, { rawData: rawBytes(float16Bits([1, 2, 3, 4, 5, 6])) }),
      array('double', [2], 11, { doubleData: [1, 2] }),
      array('index', [2], 7, { int64Data: [1n, 2n] }),
      floats('scalar', [], [1]),
    ];
    const model = await readGraph(graph({ nodes: [identity], arrays }));
    expect(model.weightBytes).toBe(6 * 4 + 2 * 8);
  });

  it('keeps no part of the file alive and changes nothing in it', async () => {
    const model = await readArray(floats('a', [4], [1, 2, 3, 4]));
    expect(model.weights.get('a')?.data.buffer.byteLength).toBe(16);
  });

  it('refuses what is not finite, save a mask of zeros and minus infinities', async () => {
    expect(await refusal(weightOf(floats('a', [2], [1, NaN])))).toContain("array 'a' holds NaN at element 1 of [2]");
    expect(await refusal(weightOf(floats('a', [2], [Infinity, 0])))).toContain("array 'a' holds Infinity at element 0");
    expect(await refusal(weightOf(floats('a', [2], [-Infinity, 1])))).toContain('Export it in float32.');
    const double = array('a', [3], 11, { doubleData: [2 ** 1023, 5e-324, -Infinity] });
    expect(await refusal(weightOf(double))).toContain('holds -Infinity at element 2 of [3]');
    const extremes = [3.4e38, -3.4e38, 1e-45, 0];
    expect(await weightOf(floats('a', [4], extremes))).toMatchObject({ data: Float32Array.from(extremes) });
    expect(await weightOf(floats('a', [2], [-Infinity, 0]))).toMatchObject({ dtype: 'float32' });
  });
});

describe('readOnnx() of integers and booleans', () => {
  const encodings: [string, TensorProto][] = [
    ['uint8 raw', array('a', [4], 2, { rawData: Uint8Array.from(whole) })],
    ['uint8 typed', array('a', [4], 2, { int32Data: whole })],
    ['int8 raw', array('a', [4], 3, { rawData: Uint8Array.from(whole) })],
    ['uint16 raw', array('a', [4], 4, { rawData: rawBytes(Uint16Array.from(whole)) })],
    ['int16 raw', array('a', [4], 5, { rawData: rawBytes(Int16Array.from(whole)) })],
    ['int16 typed', array('a', [4], 5, { int32Data: whole })],
    ['int32 raw', array('a', [4], 6, { rawData: rawBytes(Int32Array.from(whole)) })],
    ['int32 typed', array('a', [4], 6, { int32Data: whole })],
    ['int64 raw', array('a', [4], 7, { rawData: rawBytes(BigInt64Array.from(whole, BigInt)) })],
    ['int64 typed', array('a', [4], 7, { int64Data: whole.map(BigInt) })],
    ['uint32 raw', array('a', [4], 12, { rawData: rawBytes(Uint32Array.from(whole)) })],
    ['uint32 typed', array('a', [4], 12, { uint64Data: whole.map(BigInt) })],
    ['uint64 raw', array('a', [4], 13, { rawData: rawBytes(BigUint64Array.from(whole, BigInt)) })],
    ['uint64 typed', array('a', [4], 13, { uint64Data: whole.map(BigInt) })],
  ];
  it.each(encodings)('makes a constant of %s', async (_, stored) => {
    expect(await constantOf(stored)).toEqual({ type: 'int', shape: [4], data: Float64Array.from(whole) });
  });

  it('makes booleans of zero and one', async () => {
    const expected = { type: 'bool', shape: [3], data: Float64Array.of(0, 1, 1) };
    expect(await constantOf(array('a', [3], 9, { rawData: Uint8Array.of(0, 1, 255) }))).toEqual(expected);
    expect(await constantOf(array('a', [3], 9, { int32Data: [0, 1, 7] }))).toEqual(expected);
  });

  it('gives every signed integer as the nearest double, raw and typed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { minLength: 1 }), async (values) => {
        const expected = values.map(Number);
        const typed = await constantOf(array('a', [values.length], 7, { int64Data: values }));
        const raw = await constantOf(array('a', [values.length], 7, { rawData: rawBytes(BigInt64Array.from(values)) }));
        expect([...typed.data]).toEqual(expected);
        expect([...raw.data]).toEqual(expected);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('gives every unsigned integer as the nearest double, raw and typed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: 1 }), async (values) => {
        const expected = values.map(Number);
        const typed = await constantOf(array('a', [values.length], 13, { uint64Data: values }));
        const raw = await constantOf(
          array('a', [values.length], 13, { rawData: rawBytes(BigUint64Array.from(values)) }),
        );
        expect([...typed.data]).toEqual(expected);
        expect([...raw.data]).toEqual(expected);
      }),
      { seed: 2, numRuns: 100 },
    );
  });
});

describe('readOnnx() of arrays that do not fit their shape', () => {
  const huge = 2 ** 40;
  it.each([
    [
      'fewer raw bytes',
      array('a', [10, 10], 1, { rawData: new Uint8Array(12) }),
      'expected 400 bytes for float32 [10, 10], got 12',
    ],
    ['more raw bytes', array('a', [2], 1, { rawData: new Uint8Array(12) }), 'expected 8 bytes'],
    ['no data at all', array('a', [3], 1), 'expected 12 bytes for float32 [3], got 0'],
    ['fewer typed floats', array('a', [3], 1, { floatData: [1, 2] }), 'expected 12 bytes'],
    ['data in the field of another type', array('a', [2], 1, { int64Data: [1n, 2n] }), 'expected 8 bytes'],
    ['fewer typed integers', array('a', [3], 7, { int64Data: [300n, 300n] }), 'another number of elements'],
    ['more typed integers', array('a', [1], 7, { int64Data: [1n, 2n] }), 'another number of elements'],
    ['a huge axis', array('a', [huge], 1, { rawData: new Uint8Array(4) }), `expected ${huge * 4} bytes`],
    ['a huge product', array('a', [huge, huge, huge], 1, { rawData: new Uint8Array(4) }), 'has no possible shape'],
    ['an axis of -1', array('a', [-1], 1, { rawData: new Uint8Array(4) }), 'has no possible shape: [-1]'],
    ['a huge axis beside an empty one', array('a', [0, 2 ** 53], 1), 'has no possible shape'],
    [
      'hundreds of axes',
      array(
        'a',
        Array.from({ length: 300 }, () => 1),
        1,
        { floatData: [1] },
      ),
      'has no possible shape',
    ],
  ])('refuses %s', async (_, stored, message) => {
    expect(await refusal(readArray(stored))).toContain(message);
  });

  it('says before reading how much memory the weights take and how to allow it', async () => {
    const arrays = ['a', 'b'].map((name) =>
      floats(
        name,
        [64],
        Array.from({ length: 64 }, () => 1),
      ),
    );
    const main = graph({ nodes: [identity], arrays });
    expect(await refusal(readGraph(main, { maxWeightBytes: 511 }))).toMatch(
      /^model\.onnx: its weights take .* GiB of memory, more than .* GiB\. Allow it with --max-weights \d+\.$/,
    );
    expect(await refusal(readGraph(main, { maxWeightBytes: 512 }))).toBe('was read');
  });
});

describe('readOnnx() of element types that cannot be read', () => {
  const types = [
    [8, 'string'],
    [14, 'complex64'],
    [17, 'float8e4m3fn'],
    [22, 'int4'],
    [99, 'type 99'],
  ] as const;
  it.each(types)('refuses type %i (%s) where it is used, and only there', async (type, name) => {
    const stored = array('a', [2], type, { rawData: new Uint8Array(2) });
    expect(await refusal(readArray(stored))).toBe('was read');
    const used = graph({ nodes: [node('Add', ['x', 'a'], ['y'], { name: 'sum' })], arrays: [stored] });
    expect(await refusal(readGraph(used))).toContain(
      `value 'a', used by node 'sum' (Add), holds ${name} elements, which cannot be read.`,
    );
  });

  it('refuses such an array as an attribute, naming the node', async () => {
    const t = array('', [1], 8, { stringData: [Uint8Array.of(65)] });
    const nodes = [
      node('ConstantOfShape', ['x'], ['y'], { name: 'fill', attribute: [attribute('value', { type: 4, t })] }),
    ];
    expect(await refusal(readGraph(graph({ nodes })))).toContain(
      "attribute 'value' of node 'fill' (ConstantOfShape) holds string",
    );
  });
});
