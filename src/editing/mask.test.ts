import { createHash } from 'node:crypto';

import { encode } from 'fast-png';
import { describe, expect, test } from 'vitest';

import { decodeImage } from '../data/images.ts';
import { integers, randomKey, uniform } from '../tensor/random.ts';
import { boxMask, checkMask, complementOf, expandMask, hashMask, pixelsMask } from './mask.ts';
import { polygonMask, strokeMask, unionOf } from './mask.ts';
import type { Mask, MaskSize, Point } from './mask.ts';

/** A mask as lines of # and dots. */
function show({ height, width, inside }: Mask): string[] {
  return Array.from({ length: height }, (_, i) =>
    Array.from(inside.subarray(i * width, (i + 1) * width), (flag) => (flag === 1 ? '#' : '.')).join(''),
  );
}

function read(...lines: string[]): Mask {
  const inside = Uint8Array.from(lines.join(''), (c) => (c === '#' ? 1 : 0));
  return { height: lines.length, width: inside.length / lines.length, inside };
}

const points = (...numbers: number[]): Point[] =>
  Array.from({ length: numbers.length / 2 }, (_, i) => ({
    x: numbers[2 * i] as number,
    y: numbers[2 * i + 1] as number,
  }));
const size: MaskSize = { height: 4, width: 6 };

describe('boxMask()', () => {
  test('boxMask() holds exactly the pixels of whole numbers, and is cut off at the image', () => {
    expect(show(boxMask(size, { x: 1, y: 2, width: 3, height: 1 }))).toEqual(['......', '......', '.###..', '......']);
    expect(show(boxMask(size, { x: 4, y: -5, width: 9, height: 6 }))).toEqual(['....##', '......', '......', '......']);
  });

  test('boxMask() goes by pixel centres: an edge at one half takes the pixel it begins in, not the one it ends in', () => {
    expect(show(boxMask({ height: 1, width: 6 }, { x: 1.5, y: 0.5, width: 3, height: 1 }))).toEqual(['.###..']);
    expect(show(boxMask({ height: 1, width: 6 }, { x: 1.6, y: 0.5, width: 3, height: 1 }))).toEqual(['..###.']);
  });

  test.each([
    [{ x: 0, y: 0, width: 0, height: 1 }, /width and height > 0, got x 0, y 0, width 0, height 1/],
    [{ x: NaN, y: 0, width: 1, height: 1 }, /finite numbers/],
  ])('boxMask() refuses %j', (box, message) => {
    expect(() => boxMask(size, box)).toThrow(message);
  });

  test('boxMask() refuses an image without pixels', () => {
    const box = { x: 0, y: 0, width: 1, height: 1 };
    expect(() => boxMask({ height: 0, width: 2.5 }, box)).toThrow(/whole height and width >= 1, got 0 x 2.5/);
  });
});

describe('polygonMask()', () => {
  test('polygonMask() fills a triangle up to its edge', () => {
    const triangle = points(0, 0, 4, 0, 0, 4);
    const expected = ['###...', '##....', '#.....', '......'];
    expect(show(polygonMask(size, [triangle]))).toEqual(expected);
    expect(show(polygonMask(size, [triangle.toReversed()]))).toEqual(expected);
  });

  test('polygonMask() keeps the middle of a pentagram, which its outline winds around twice', () => {
    const star = points(...[0, 2, 4, 1, 3].flatMap((k) => [
      20 + 19 * Math.sin((2 * Math.PI * k) / 5),
      20 - 19 * Math.cos((2 * Math.PI * k) / 5),
    ])); // prettier-ignore
    const { inside } = polygonMask({ height: 40, width: 40 }, [star]);
    expect(inside[20 * 40 + 20]).toBe(1);
    // Area of a pentagram of circumradius R: 10 sin(36) sin(18) / sin(126) / 2 R^2; the boundary costs less than a pixel a unit length.
    const rad = Math.PI / 180;
    const area = ((5 * Math.sin(36 * rad) * Math.sin(18 * rad)) / Math.sin(126 * rad)) * 19 ** 2;
    expect(Math.abs(inside.reduce((a, b) => a + b, 0) - area)).toBeLessThan(0.03 * area);
  });

  test('polygonMask() is the union of polygons, whichever way each runs', () => {
    const left = points(0, 0, 4, 0, 4, 3, 0, 3);
    const right = points(2, 1, 6, 1, 6, 4, 2, 4).toReversed();
    expect(show(polygonMask(size, [left, right]))).toEqual(['####..', '######', '######', '..####']);
  });

  test('polygonMask() gives every pixel to one of two polygons that share an edge, also through centres', () => {
    const key = randomKey(4, 'edge');
    const ends = uniform(key, [20, 2]).data.map((v) => Math.round(v * 12) / 2); // half of them at half pixels, where centres lie
    for (let i = 0; i < 20; i++) {
      const [top, bottom] = [ends[2 * i] as number, ends[2 * i + 1] as number];
      const left = polygonMask(size, [points(-1, 0, top, 0, bottom, 4, -1, 4)]);
      const right = polygonMask(size, [points(top, 0, 7, 0, 7, 4, bottom, 4)]);
      expect(complementOf(left)).toEqual(right);
    }
  });

  test('polygonMask() refuses none, a line, and points that are no numbers', () => {
    expect(() => polygonMask(size, [])).toThrow('expected one polygon or more, got none.');
    expect(() => polygonMask(size, [points(0, 0, 1, 1)])).toThrow('expected 3 points or more, got 2.');
    expect(() => polygonMask(size, [points(0, 0, 1, 1, Infinity, 0)])).toThrow(
      'expected finite points, got (Infinity, 0).',
    );
  });
});

describe('strokeMask()', () => {
  test('strokeMask() of one point is a disc, of two a capsule', () => {
    expect(show(strokeMask(size, points(1.5, 1.5), 1))).toEqual(['.#....', '###...', '.#....', '......']);
    expect(show(strokeMask(size, points(1.5, 1.5, 4.5, 1.5), 1))).toEqual(['.####.', '######', '.####.', '......']);
  });

  test('strokeMask() covers the area of a capsule, 2 r L + pi r^2, at a slant', () => {
    const { inside } = strokeMask({ height: 200, width: 200 }, points(60, 50, 140, 110), 30);
    const area = 2 * 30 * 100 + Math.PI * 30 ** 2;
    expect(Math.abs(inside.reduce((a, b) => a + b, 0) / area - 1)).toBeLessThan(0.005);
  });

  test('strokeMask() of a path is the union over its segments', () => {
    const path = points(1, 1, 5, 0.5, 3, 3.5);
    const segments = [path.slice(0, 2), path.slice(1)].map((segment) => strokeMask(size, segment, 0.8));
    expect(strokeMask(size, path, 0.8)).toEqual(unionOf(segments));
  });

  test('strokeMask() refuses an empty path and a radius that is not positive', () => {
    expect(() => strokeMask(size, [], 1)).toThrow('expected 1 points or more, got 0.');
    expect(() => strokeMask(size, points(1, 1), 0)).toThrow('expected a finite radius > 0 pixels, got 0.');
  });
});

describe('pixelsMask()', () => {
  test('pixelsMask() takes what is above half of white, of grey and of colour', () => {
    const grey = Float32Array.of(0, 127, 128, 255);
    expect([...pixelsMask('m.png', { height: 2, width: 2, channels: 1, max: 255, data: grey }, { height: 2, width: 2 }).inside]).toEqual([0, 0, 1, 1]); // prettier-ignore
    const rgb = Float32Array.of(255, 0, 0, 255, 255, 0);
    expect([...pixelsMask('m.png', { height: 1, width: 2, channels: 3, max: 255, data: rgb }, { height: 1, width: 2 }).inside]).toEqual([0, 1]); // prettier-ignore
  });

  test('pixelsMask() reads back a mask that was written as PNG', () => {
    const mask = read('.##.', '#..#', '####');
    const png = encode({ width: 4, height: 3, channels: 1, depth: 8, data: mask.inside.map((flag) => 255 * flag) });
    expect(pixelsMask('m.png', decodeImage('m.png', png), { height: 3, width: 4 })).toEqual(mask);
  });

  test('pixelsMask() says both sizes and how to resize', () => {
    const pixels = { height: 64, width: 48, channels: 1, max: 255, data: new Float32Array(64 * 48) } as const;
    expect(() => pixelsMask('m.png', pixels, { height: 28, width: 30 })).toThrow(
      "m.png: expected a mask of 28 x 30 pixels (height x width) as the image, got 64 x 48. Resize it, for instance with: magick mask.png -sample '30x28!' mask-30x28.png", // prettier-ignore
    );
  });
});

describe('complementOf() and unionOf()', () => {
  test('complementOf() and unionOf() obey the laws of sets', () => {
    const [a, b] = [1, 2].map((seed) => ({
      ...size,
      inside: Uint8Array.from(integers(randomKey(seed, 'mask'), [24], 2).data),
    })) as [Mask, Mask];
    expect(complementOf(complementOf(a))).toEqual(a);
    expect(unionOf([a, complementOf(a)]).inside).toEqual(new Uint8Array(24).fill(1));
    expect(unionOf([a, b])).toEqual(unionOf([b, a, a]));
    const both = a.inside.map((flag, p) => flag & (b.inside[p] as number));
    expect(complementOf(unionOf([complementOf(a), complementOf(b)])).inside).toEqual(both);
  });

  test('unionOf() refuses none and two sizes', () => {
    expect(() => unionOf([])).toThrow('expected one mask or more, got none.');
    expect(() => unionOf([read('#.'), read('#', '.')])).toThrow(
      'expected masks of one size, got 1 x 2 and 2 x 1 pixels.',
    );
  });
});

describe('checkMask()', () => {
  const mask = boxMask({ height: 28, width: 20 }, { x: 0, y: 0, width: 5, height: 5 });

  test('checkMask() takes a mask of the image, whatever the channels', () => {
    for (const channels of [1, 3, 4]) expect(() => checkMask('edit', mask, [channels, 28, 20])).not.toThrow();
  });

  test.each<[string, Mask, number[], string, RegExp]>([
    [
      'another size',
      mask,
      [3, 32, 32],
      'E_SHAPE',
      /a mask of 32 x 32 pixels.* for samples \[3, 32, 32\], got 28 x 20\. /,
    ],
    ['height and width exchanged', mask, [1, 20, 28], 'E_SHAPE', /20 x 28 pixels.*got 28 x 20\. /],
    ['a vector', mask, [560], 'E_SHAPE', /expected samples \[C, H, W\] for a mask, got \[560\]\. /],
    ['flags missing', { ...mask, inside: new Uint8Array(9) }, [1, 28, 20], 'E_SHAPE', /560 flags.*got 9/],
    ['other flags', { height: 1, width: 2, inside: Uint8Array.of(0, 255) }, [1, 1, 2], 'E_DOMAIN', /got 255/],
    [
      'an empty mask',
      read('..', '..'),
      [1, 2, 2],
      'E_DOMAIN',
      /with pixels inside, got an empty one\. Mark at least one/,
    ],
    [
      'a full mask',
      read('##', '##'),
      [1, 2, 2],
      'E_DOMAIN',
      /leaves pixels out, got a full one\. Mark fewer than 2 x 2/,
    ],
  ])('checkMask() refuses %s', (_, wrong, shape, code, message) => {
    const check = (): void => checkMask('edit', wrong, shape);
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code, where: 'edit' }));
  });
});

describe('expandMask()', () => {
  test('expandMask() repeats the flags in every channel', () => {
    expect([...expandMask(read('#.', '.#'), [3, 2, 2])]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
    expect(() => expandMask(read('#.'), [3, 2, 2])).toThrow('expected a mask of 2 x 2 pixels, got 1 x 2 with 2 flags.');
  });
});

describe('hashMask()', () => {
  test('hashMask() is the SHA-256 of size and flags', async () => {
    const mask = read('#..', '.#.');
    const text = Buffer.concat([Buffer.from('{"height":2,"width":3}'), mask.inside]);
    expect(await hashMask(mask)).toBe(createHash('sha256').update(text).digest('hex'));
  });

  test('hashMask() tells flags and sizes apart, and not how a mask was made', async () => {
    const masks = [read('#..', '...'), read('#.....'), read('.#.', '...'), boxMask({ height: 2, width: 3 }, { x: 0, y: 0, width: 1, height: 1 })]; // prettier-ignore
    const hashes = await Promise.all(masks.map((mask) => hashMask(mask)));
    expect(hashes[3]).toBe(hashes[0]);
    expect(new Set(hashes).size).toBe(3);
  });
});
