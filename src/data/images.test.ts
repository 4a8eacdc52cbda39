import { encode as encodePng } from 'fast-png';
import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { decodeImage } from './images.ts';

function png(channels: number, depth: 8 | 16, data: number[], width = 2, height = 1): Uint8Array {
  return encodePng({
    width,
    height,
    channels,
    depth,
    data: depth === 16 ? Uint16Array.from(data) : Uint8Array.from(data),
  });
}

/** A PNG put together from chunks, for the kinds that the encoder does not write. */
async function rawPng(header: number[], chunks: [string, number[]][], lines: number[]): Promise<Uint8Array> {
  const { crc32, deflateSync } = await import('node:zlib');
  const chunk = (type: string, data: ArrayLike<number>): number[] => {
    const body = [...new TextEncoder().encode(type), ...Array.from(data)];
    const words = new DataView(new ArrayBuffer(8));
    words.setUint32(0, data.length);
    words.setUint32(4, crc32(Uint8Array.from(body)));
    const bytes = new Uint8Array(words.buffer);
    return [...bytes.slice(0, 4), ...body, ...bytes.slice(4)];
  };
  const parts = [['IHDR', header], ...chunks, ['IDAT', [...deflateSync(Uint8Array.from(lines))]], ['IEND', []]] as [
    string,
    number[],
  ][];
  return Uint8Array.from([
    0x89,
    0x50,
    0x4e,
    0x47,
    13,
    10,
    26,
    10,
    ...parts.flatMap(([type, data]) => chunk(type, data)),
  ]);
}

describe('decodeImage()', () => {
  it.each<[string, number, 8 | 16, number[], object]>([
    ['grey', 1, 8, [0, 200], { channels: 1, max: 255, data: Float32Array.of(0, 200) }],
    ['RGB', 3, 8, [1, 2, 3, 4, 5, 6], { channels: 3, max: 255, data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['16-bit grey', 1, 16, [258, 65535], { channels: 1, max: 65535, data: Float32Array.of(258, 65535) }],
    // Alpha on white: 0 gives white, 1 gives the colour, 51/255 = 1/5 gives c/5 + 4/5 white.
    ['grey with alpha', 2, 8, [100, 0, 100, 51], { channels: 1, max: 255, data: Float32Array.of(255, 224) }],
    [
      'RGB with alpha',
      4,
      8,
      [1, 2, 3, 255, 0, 5, 10, 51],
      { channels: 3, max: 255, data: Float32Array.of(1, 2, 3, 204, 205, 206) },
    ],
  ])('decodeImage() reads PNG of %s', (_, channels, depth, data, expected) => {
    expect(decodeImage('a.png', png(channels, depth, data))).toEqual({ width: 2, height: 1, ...expected });
  });

  it('decodeImage() reads PNG palettes as RGB and 1-bit grey as 0 and 1 of 1', async () => {
    const palette = await rawPng([0, 0, 0, 2, 0, 0, 0, 1, 8, 3, 0, 0, 0], [['PLTE', [9, 8, 7, 30, 20, 10]]], [0, 1, 0]);
    expect(decodeImage('p.png', palette)).toMatchObject({ channels: 3, data: Float32Array.of(30, 20, 10, 9, 8, 7) });
    const bits = await rawPng([0, 0, 0, 3, 0, 0, 0, 2, 1, 0, 0, 0, 0], [], [0, 0b10100000, 0, 0b01000000]);
    expect(decodeImage('b.png', bits)).toEqual({
      width: 3,
      height: 2,
      channels: 1,
      max: 1,
      data: Float32Array.of(1, 0, 1, 0, 1, 0),
    });
  });

  it('decodeImage() lays the transparent palette entry and the transparent colour of PNG on white', async () => {
    const palette = [
      ['PLTE', [9, 8, 7, 30, 20, 10]],
      ['tRNS', [0]],
    ] as [string, number[]][];
    const indexed = await rawPng([0, 0, 0, 2, 0, 0, 0, 1, 8, 3, 0, 0, 0], palette, [0, 1, 0]);
    expect([...decodeImage('p.png', indexed).data]).toEqual([30, 20, 10, 255, 255, 255]);
    const keyed = await rawPng([0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0], [['tRNS', [0, 5]]], [0, 5, 6]);
    expect([...decodeImage('k.png', keyed).data]).toEqual([255, 6]);
  });

  it('decodeImage() reads JPEG, within its loss, and sees which are grey', () => {
    const data = new Uint8Array(8 * 8 * 4).map((_, i) => [200, 100, 50, 255][i % 4] as number);
    const colour = decodeImage('a.jpg', jpeg.encode({ width: 8, height: 8, data }, 95).data);
    expect(colour).toMatchObject({ width: 8, height: 8, channels: 3, max: 255 });
    [200, 100, 50].forEach((v, c) => expect(Math.abs((colour.data[c] as number) - v)).toBeLessThan(6));
    const grey = decodeImage('g.jpg', greyJpeg());
    expect(grey).toMatchObject({ width: 8, height: 8, channels: 1 });
    expect(grey.data).toEqual(new Float32Array(64).fill(128)); // no coefficient but zero: middle grey
  });

  it('decodeImage() names the file that is cut, damaged or something else', () => {
    const whole = png(3, 8, [1, 2, 3, 4, 5, 6]);
    const flipped = whole.slice();
    flipped[whole.length - 20] = ~(whole[whole.length - 20] as number);
    expect(() => decodeImage('cat.png', whole.slice(0, 30))).toThrow(
      /^cat\.png: expected a whole PNG image, got a corrupt one/,
    );
    expect(() => decodeImage('cat.png', whole.slice(0, -10))).toThrow(DatasetError);
    expect(() => decodeImage('cat.png', flipped)).toThrow(DatasetError);
    expect(() => decodeImage('cat.jpg', greyJpeg().slice(0, 40))).toThrow(/^cat\.jpg: expected a whole JPEG image/);
    expect(() => decodeImage('cat.gif', new TextEncoder().encode('GIF89a'))).toThrow(
      'cat.gif: expected a PNG or JPEG image',
    );
  });

  it('decodeImage() refuses a size that the bytes of the file cannot hold', async () => {
    const huge = await rawPng([0x7f, 255, 255, 255, 0x7f, 255, 255, 255, 8, 6, 0, 0, 0], [], [0]);
    expect(() => decodeImage('huge.png', huge)).toThrow('huge.png: expected a PNG image, got an impossible size');
  });

  it('decodeImage() fails on damaged bytes with DatasetError only', () => {
    const files = [png(3, 8, [1, 2, 3, 4, 5, 6]), greyJpeg()];
    const damaged = fc
      .tuple(fc.constantFrom(...files), fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 }))
      .map(([file, hits]) => {
        const copy = file.slice();
        for (const [at, value] of hits) copy[2 + (at % (copy.length - 2))] = value;
        return copy;
      });
    fc.assert(
      fc.property(damaged, (bytes) => {
        // A changed SOF may honestly claim a large JPEG; the decoder's own limit (100 megapixels) holds there, too slow for here.
        const frame = bytes.findIndex((v, i) => v === 0xff && bytes[i + 1] === 0xc0);
        fc.pre(bytes[0] !== 0xff || frame < 0 || ((bytes[frame + 5] ?? 0) === 0 && (bytes[frame + 7] ?? 0) === 0));
        try {
          decodeImage('fuzz', bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});

/** The smallest grey baseline JPEG: 8 x 8, one quantizer of ones, one code for zero DC and one for end of block. */
function greyJpeg(): Uint8Array {
  const table = (kind: number): number[] => [0xff, 0xc4, 0, 20, kind, 1, ...new Array<number>(15).fill(0), 0];
  return Uint8Array.from([
    ...[0xff, 0xd8],
    ...[0xff, 0xdb, 0, 67, 0, ...new Array<number>(64).fill(1)],
    ...[0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0],
    ...table(0x00),
    ...table(0x10),
    ...[0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 63, 0],
    ...[0x3f, 0xff, 0xd9],
  ]);
}
