import { describe, expect, test } from 'vitest';

import { gaussianFromCovariance } from '../denoisers/gaussian.ts';
import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { normal, randomKey, uniform } from '../tensor/random.ts';
import { castFloat, sizeOf, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { findParts, partMask } from './parts.ts';

/** Letters of pixels as blocks 0 (a), 1 (b), ...; a dot is no block. */
const readBlocks = (lines: readonly string[]): number[] =>
  Array.from(lines.join(''), (c) => (c === '.' ? -1 : c.charCodeAt(0) - 97));

interface BlockModel {
  readonly op: LinearOperator;
  readonly sampleShape: number[];
  readonly blocks: number[];
  /** By block, the upper median of |J e_p| over its pixels. */
  readonly gains: number[];
}

const sigma = 0.7;

/**
 * The Gaussian denoiser's Jacobian for pixels in independent blocks, each moved by one value with positive and negative channels and
 * uneven weights. J = sum over blocks of l / (l + sigma^2) u u^T with l = |w|^2 and u = w / |w|.
 */
function blockModel(
  lines: readonly string[],
  channels: number,
  strengths: readonly number[],
  seed: number,
): BlockModel {
  const blocks = readBlocks(lines);
  const pixels = blocks.length;
  const sampleShape = [channels, lines.length, pixels / lines.length];
  const n = sizeOf(sampleShape);
  const uneven = uniform(randomKey(seed, 'weights'), [n]).data;
  const signs = normal(randomKey(seed, 'signs'), [channels, strengths.length]).data;
  const weights = strengths.map((strength, b) =>
    Float64Array.from({ length: n }, (_, j) => {
      if (blocks[j % pixels] !== b) return 0;
      const sign = Math.sign(signs[Math.floor(j / pixels) * strengths.length + b] as number);
      return sign * strength * (0.7 + 0.6 * (uneven[j] as number));
    }),
  );
  const covariance = zeros('float64', [n, n]);
  for (const w of weights) w.forEach((a, i) => w.forEach((b, j) => ((covariance.data[i * n + j] as number) += a * b)));
  const denoiser = gaussianFromCovariance({ name: 'blocks', sampleShape, mean: new Float64Array(n), covariance });
  const gains = weights.map((w, b) => {
    const l = w.reduce((sum, v) => sum + v * v, 0);
    const columns = blocks.flatMap((block, p) => {
      const square = Array.from({ length: channels }, (_, c) => (w[c * pixels + p] as number) ** 2).reduce(
        (x, y) => x + y,
        0,
      );
      return block === b ? [Math.sqrt(l * square) / (l + sigma ** 2)] : [];
    });
    return columns.sort((x, y) => x - y)[columns.length >> 1] as number;
  });
  const op = denoiser.linearize(tensor('float64', sampleShape, new Float64Array(n)), sigma);
  return { op, sampleShape, blocks, gains };
}

/** Labels renamed so that blocks are 0, 1, ... by falling gain, those without any last. */
function expected({ blocks, gains }: BlockModel): Int32Array {
  const order = gains.map((_, b) => b).sort((a, b) => (gains[b] as number) - (gains[a] as number));
  return Int32Array.from(blocks, (b) => (b < 0 ? order.length : order.indexOf(b)));
}

/** A matrix by its products. */
function matrixOperator(a: Tensor<'float64'>): LinearOperator {
  return {
    rows: a.shape[0] as number,
    columns: a.shape[1] as number,
    epsilon: Number.EPSILON,
    apply: async (v) => matmul(castFloat(v, 'float64'), a, { transposeB: true }),
    applyTranspose: async (u) => matmul(castFloat(u, 'float64'), a),
  };
}

const thirds = [
  'aaaabbbbbb',
  'aaaabbbbbb',
  'aaaabbbbbb',
  'aaaabbbbbb',
  'aaaacccccc',
  'aaaacccccc',
  'aaaacccccc',
  'aaaacccccc',
];
const sleeves = ['............', '.bbb.aaa.bbb', '.bbbaaaaabbb', '.bbbaaaaabbb', '.bbbaaaaabbb', '....aaaaa...', '....aaaaa...', '............']; // prettier-ignore

describe('findParts()', () => {
  test.each([
    ['two halves', ['aaabbbb', 'aaabbbb', 'aaabbbb', 'aaabbbb'], 1, [0.1, 0.2]],
    ['three blocks', thirds, 1, [0.12, 0.2, 0.16]],
    ['three blocks in colour', thirds, 3, [0.12, 0.1, 0.08]],
    ['a block in two pieces and a still background', sleeves, 1, [0.2, 0.15]],
  ] as const)('findParts() of a Gaussian whose pixels vary in independent blocks are the blocks: %s', async (_, lines, channels, strengths) => {
    for (const seed of [1, 2, 3]) {
      const model = blockModel(lines, channels, strengths, seed);
      const count = strengths.length + (model.blocks.includes(-1) ? 1 : 0);
      const parts = await findParts(model.op, model.sampleShape, { count, seed });
      expect(parts.labels).toEqual(expected(model));
      expect(parts.count).toBe(count);
    }
  }); // prettier-ignore

  test('findParts() gives the median length l / (l + sigma^2) |w_p| / |w| of the columns of each block, falling, and the pixels', async () => {
    const model = blockModel(sleeves, 1, [0.2, 0.15], 1);
    const { gains, sizes, status } = await findParts(model.op, model.sampleShape, { count: 3 });
    expect(status).toBe('converged');
    const sorted = [...model.gains.toSorted((a, b) => b - a), 0];
    gains.forEach((gain, i) => expect(gain).toBeCloseTo(sorted[i] as number, 6));
    const [a, b] = model.gains as [number, number];
    expect([...sizes]).toEqual(a > b ? [28, 24, 44] : [24, 28, 44]);
  });

  test('findParts() tells independent pixels apart by direction, however equal their gain is', async () => {
    const equal = blockModel(thirds, 1, [1, 1, 1], 4);
    const { labels } = await findParts(equal.op, equal.sampleShape, { count: 3 });
    expect(labels).toEqual(expected(equal));
  });

  test('findParts() keeps a background together that hardly moves, rather than cut it where its faint motion changes', async () => {
    const empty = 'c'.repeat(8) + 'd'.repeat(8);
    const spots = 'ccaaaaccddbbbbdd';
    const lines = [empty, empty, spots, spots, spots, spots, empty, empty, empty];
    const model = blockModel(lines, 1, [0.5, 0.5, 0.01, 0.01], 1);
    const { labels } = await findParts(model.op, model.sampleShape, { count: 3 });
    expect(labels).toEqual(expected(model).map((label) => Math.min(label, 2)));
  });

  test('findParts() tells apart parts that differ in one channel only, whichever', async () => {
    const [pixels, width] = [80, 10];
    const isLeft = (p: number): boolean => p % width < 4;
    for (const channel of [0, 1]) {
      const rows = zeros('float64', [3, 2 * pixels]);
      for (let p = 0; p < pixels; p++) {
        rows.data[(1 - channel) * pixels + p] = 1.1;
        rows.data[(isLeft(p) ? 2 : 4) * pixels + channel * pixels + p] = isLeft(p) ? 1.2 : 1;
      }
      const { labels } = await findParts(matrixOperator(rows), [2, 8, width], { count: 2 });
      expect(labels).toEqual(Int32Array.from({ length: pixels }, (_, p) => (isLeft(p) ? 0 : 1)));
    }
  });

  test('findParts() gives specks to the part around them, and then finds fewer parts', async () => {
    const [height, width] = [40, 50];
    const spot = 17 * width + 20;
    const rows = zeros('float64', [2, height * width]);
    for (let j = 0; j < height * width; j++) rows.data[j === spot ? height * width + j : j] = 1;
    for (const count of [2, 5]) {
      const parts = await findParts(matrixOperator(rows), [1, height, width], { count });
      expect(parts.count).toBe(1);
      expect(parts.labels).toEqual(new Int32Array(height * width));
    }
  });

  test('findParts() is the same for the same seed, and reports its progress up to the end', async () => {
    const op = matrixOperator(normal(randomKey(7, 'matrix'), [100, 144]));
    const done: number[] = [];
    const onProgress = (at: number, total: number): unknown => done.push(at / total);
    const first = await findParts(op, [1, 12, 12], { count: 4, rank: 6, seed: 3, onProgress });
    expect(await findParts(op, [1, 12, 12], { count: 4, rank: 6, seed: 3 })).toEqual(first);
    expect(first.status).toBe('maxIterations');
    expect(done).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test('findParts() refuses what is no image, wrong counts and a Jacobian of zeros, and stops on abort', async () => {
    const { op, sampleShape } = blockModel(['aabb', 'aabb'], 1, [1, 1], 1);
    await expect(findParts(op, [8])).rejects.toThrow('expected images [C, H, W], got samples [8].');
    await expect(findParts(op, [3, 2, 4])).rejects.toThrow('an operator of 24 columns for samples [3, 2, 4], got 8.');
    for (const count of [1, 2.5, 9]) {
      await expect(findParts(op, sampleShape, { count })).rejects.toThrow(`whole count from 2 to the 8 pixels, got ${count}.`);
    }
    const zero = blockModel(['....', '....'], 1, [], 1);
    await expect(findParts(zero.op, zero.sampleShape, { count: 2 })).rejects.toThrow('columns to cluster, got zero.');
    const signal = AbortSignal.abort();
    await expect(findParts(op, sampleShape, { count: 2, signal })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  }); // prettier-ignore
});

describe('partMask()', () => {
  test('partMask() holds the pixels of one label', () => {
    const labels = Int32Array.of(0, 1, 1, 2, 0, 1);
    const size = { height: 2, width: 3 };
    expect(partMask(labels, 1, size)).toEqual({ ...size, inside: Uint8Array.of(0, 1, 1, 0, 0, 1) });
    expect(() => partMask(labels, 3, size)).toThrow('expected a part from 0 to 2, got 3.');
    expect(() => partMask(labels, 0, { height: 2, width: 2 })).toThrow('expected 4 labels for 2 x 2 pixels, got 6.');
  });
});
