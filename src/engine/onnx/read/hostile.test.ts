import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { file, floats, graph, node, refusal } from './model.fixture.ts';
import { readOnnx } from './read-onnx.ts';

const mebibyte = 2 ** 20;
const valid = file(graph({ nodes: [node('Mul', ['x', 'w'], ['y'])], arrays: [floats('w', [2], [1, 2])] }));
const small = new Uint8Array(readFileSync('test/models/latent-encoder-external.onnx'));
const network = new Uint8Array(readFileSync('test/models/blind-cnn.onnx'));
/** Stands for the file beside the model: whatever is asked for, up to its size. */
const readExternal = async (_: string, offset: number, length: number): Promise<Uint8Array> =>
  new Uint8Array(offset + length <= 22_848 ? length : 0);

/** A field of the wire format with a length. */
function field(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [...varint(number * 8 + 2), ...varint(length)];
  const whole = new Uint8Array(head.length + length);
  whole.set(head);
  let at = head.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const repeated = (part: Uint8Array, times: number): Uint8Array => {
  const all = new Uint8Array(part.length * times);
  for (let i = 0; i < times; i++) all.set(part, i * part.length);
  return all;
};
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const opset = field(8, Uint8Array.of(16, 17));
const output = field(12, field(1, text('y')));

/** Reads and expects nothing but success or one of our errors, soon. */
async function survives(bytes: Uint8Array): Promise<string> {
  const start = process.cpuUsage(); // not the clock, which also counts what else the machine does
  const message = await refusal(readOnnx('model.onnx', bytes, { readExternal, maxWeightBytes: mebibyte }));
  const { user, system } = process.cpuUsage(start);
  expect(user + system, 'microseconds').toBeLessThan(2_000_000);
  return message;
}

describe('readOnnx() of damaged files', () => {
  it.each([
    ['an empty file', new Uint8Array(), 'got an empty file'],
    ['a pointer of Git LFS', text('version https://git-lfs.github.com/spec/v1\noid sha256:0'), 'git lfs pull'],
    ['a PyTorch checkpoint', text('PK\x03\x04archive/data.pkl'), 'a zip archive, such as a PyTorch checkpoint'],
    ['a web page', text('<!doctype html><p>Not found'), 'got a web page'],
    ['a safetensors file', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, ...text('{"a":{}}')), 'got a safetensors file'],
    ['text', text('hello, world, this is text'), 'expected an ONNX model'],
    ['zeros', new Uint8Array(100), 'truncated, damaged or no ONNX'],
    ['a file without graph', opset, 'it holds no graph'],
  ])('says in one line that %s is no model', async (_, bytes, message) => {
    expect(await survives(bytes)).toContain(message);
  });

  it('refuses a file that is cut off at any byte', async () => {
    for (const whole of [valid, small]) {
      expect(await survives(whole)).toBe('was read');
      for (let length = 0; length < whole.length; length++) {
        expect(await survives(whole.subarray(0, length)), `cut at ${length}`).toContain('model.onnx: ');
      }
    }
  });

  it('reads or refuses a file with any bytes changed', async () => {
    const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(valid, small, network),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        async (whole, changes) => {
          const bytes = whole.slice();
          for (const { at, to } of changes) bytes[at % bytes.length] = to;
          await survives(bytes);
        },
      ),
      { seed: 3, numRuns: 1500 },
    );
  });

  it('reads or refuses a file with any part moved, doubled or left out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(small.length), fc.nat(small.length), fc.nat(small.length), async (a, b, c) => {
        await survives(
          Uint8Array.from([...small.subarray(0, a), ...small.subarray(b, b + (c % 200)), ...small.subarray(a)]),
        );
        await survives(Uint8Array.from([...small.subarray(0, a), ...small.subarray(b)]));
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('reads or refuses any bytes at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await survives(bytes);
        await survives(field(7, bytes));
      }),
      { seed: 5, numRuns: 1000 },
    );
  });
});

describe('readOnnx() of files made to harm', () => {
  const tiny = field(1, field(4, text('A')), field(2, text('y')));
  const bombs: [string, () => Uint8Array, string][] = [
    ['millions of empty nodes', () => field(7, repeated(field(1), mebibyte)), 'names no operator'],
    ['millions of small nodes', () => field(7, repeated(tiny, mebibyte / 2)), 'more nodes than any real model'],
    ['millions of empty arrays', () => field(7, repeated(field(5), mebibyte)), 'more nodes than any real model'],
    ['millions of empty inputs', () => field(7, repeated(field(11), mebibyte)), 'more nodes than any real model'],
    [
      'millions of axes',
      () => field(7, field(5, field(1, new Uint8Array(9 * mebibyte)))),
      'more nodes than any real model',
    ],
    ['millions of names', () => field(7, field(1, repeated(field(1), 3 * mebibyte))), 'more nodes than any real model'],
    [
      'a list of millions',
      () => field(7, field(1, field(5, field(8, new Uint8Array(9 * mebibyte))))),
      'more nodes than any',
    ],
    [
      'an array in millions of pieces',
      () => field(7, field(5, repeated(Uint8Array.of(4 * 8 + 5, 0, 0, 0, 0), 3 * mebibyte))),
      'more nodes than any real model',
    ],
    ['operator sets by the million', () => repeated(field(8), mebibyte), 'more nodes than any real model'],
  ];
  it.each(bombs)('refuses %s within a bounded time and memory', async (_, make, message) => {
    const bytes = make();
    const before = process.memoryUsage().rss;
    expect(await survives(bytes)).toContain(message);
    // A quarter of a million messages at about 600 bytes each with their garbage, and margin; the generated decoder takes several GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * mebibyte);
  });

  it('refuses graphs within graphs without recursing on', async () => {
    let bytes: Uint8Array = new Uint8Array();
    for (let i = 0; i < 2000; i++) bytes = field(1, field(5, field(6, bytes)));
    expect(await survives(field(7, bytes))).toContain('nests more than 8 branches and loops');
  });

  it('allocates nothing for an array that declares more than there is', async () => {
    const dims = field(1, Uint8Array.from([...varint(2 ** 20), ...varint(2 ** 20)]));
    const stored = field(5, dims, Uint8Array.of(16, 1), field(8, text('w')), field(9, new Uint8Array(8)));
    const before = process.memoryUsage().arrayBuffers;
    expect(await survives(new Uint8Array([...field(7, stored, output), ...opset]))).toContain(
      `expected ${2 ** 42} bytes for float32 [1048576, 1048576], got 8`,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(mebibyte);
  });

  it('asks for no external data before all sizes are known to be allowed', async () => {
    const external = (size: number): Uint8Array =>
      field(
        5,
        field(1, Uint8Array.from(varint(size))),
        Uint8Array.of(16, 1),
        field(8, text(`w${size}`)),
        field(13, field(1, text('location')), field(2, text('w'))),
        Uint8Array.of(14 * 8, 1),
      );
    const bytes = new Uint8Array([...field(7, external(16), external(2 ** 30), output), ...opset]);
    let asked = 0;
    const read = async (): Promise<Uint8Array> => new Uint8Array(asked++);
    expect(await refusal(readOnnx('m', bytes, { readExternal: read }))).toContain('its weights take 4.0 GiB');
    expect(asked).toBe(0);
  });

  it('does not read outside the bytes it is given', async () => {
    const around = new Uint8Array(valid.length + 200).fill(0xff);
    around.set(valid, 100);
    expect(await survives(around.subarray(100, 100 + valid.length))).toBe('was read');
    for (let length = 0; length < valid.length; length++) {
      // What follows would complete the file.
      expect(await survives(around.subarray(100, 100 + length))).toContain('model.onnx: ');
    }
  });
});
