import { ShapeError } from '../../errors/errors.ts';
import { showShape, tensor } from '../../tensor/tensor.ts';
import { assertSamples } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';

/** Orientations of unsigned gradients, as in the source. */
const bins = 9;
/** Fine cells along each side, whatever the size of the image, so that one length serves all; coarse cells are 2 x 2 of them. */
const cells = 8;
/** Blocks are 2 x 2 cells of a scale. */
const blockLength = 4 * bins;
/** Scales by cells along each side, and steps between blocks: fine ones lie side by side, coarse ones overlap by half. */
const scales = [
  { side: cells / 2, step: 1 },
  { side: cells, step: 2 },
] as const;
/** 9 coarse and 16 fine blocks. */
const length = 25 * blockLength;
/** No entry of a block of unit length may exceed this (L2-Hys in the source). */
const clip = 0.2;
/** Blocks whose gradients are below this part of the image's own root mean square fade out: their directions are noise. */
const faint = 0.25;

/**
 * Multi-scale histograms of oriented gradients: needs no training, sees edges and not brightness.
 * Gradients by central differences, of the channel where they are largest; 9 unsigned orientations in 8 x 8 cells with linear interpolation
 * in position and orientation, and in 4 x 4 cells of which each sums four; blocks of 2 x 2 cells at unit length, clipped at 0.2.
 * Unlike in the source, each block is taken from its mean, so that a block without direction is 0 and unrelated images have cosines near
 * 0; and a block far below the image's own average fades instead of being blown up to unit length. So x and a x + b (a > 0) have one
 * description.
 * @param sampleShape  [C, H, W] with H, W >= 8
 * @throws ShapeError for samples that are no images of that size
 * @source Dalal and Triggs 2005, Histograms of oriented gradients for human detection
 */
export function gradientDescriptor(sampleShape: readonly number[]): Descriptor {
  const [channels = 0, height = 0, width = 0] = sampleShape;
  if (sampleShape.length !== 3 || channels < 1 || height < cells || width < cells) {
    const got = showShape(sampleShape);
    throw new ShapeError(
      'gradients',
      `expected images [C, H >= ${cells}, W >= ${cells}], got ${got}. Choose another descriptor.`,
    );
  }
  const grid = { channels, rows: taps(height), columns: taps(width) };
  const size = channels * height * width;
  return {
    name: 'gradients',
    length,
    similarity: 'cosine',
    describe(x) {
      const count = assertSamples('gradients', x, sampleShape);
      const out = new Float32Array(count * length);
      for (let b = 0; b < count; b++) {
        const fine = histogramsOf(x.data.subarray(b * size, (b + 1) * size), grid);
        let at = b * length;
        for (const { side, step } of scales) {
          at = writeBlocks(side === cells ? fine : pooled(fine), side, step, out, at);
        }
      }
      return Promise.resolve(tensor('float32', [count, length], out));
    },
  };
}

/** The cell that a pixel votes for along one axis, the next one getting `share`, and the pixel's two neighbours. */
interface Tap {
  readonly cell: number;
  readonly share: number;
  readonly before: number;
  readonly after: number;
}

interface Grid {
  readonly channels: number;
  readonly rows: readonly Tap[];
  readonly columns: readonly Tap[];
}

function taps(pixels: number): Tap[] {
  return Array.from({ length: pixels }, (_, i) => {
    const place = ((i + 0.5) * cells) / pixels - 0.5;
    const cell = Math.floor(place);
    return { cell, share: place - cell, before: Math.max(0, i - 1), after: Math.min(pixels - 1, i + 1) };
  });
}

/** A margin of one cell around the grid takes the votes that fall outside, which nobody reads. */
const stride = cells + 2;

/** [cells + 2, cells + 2, bins]: every pixel shares the length of its gradient between four cells and two orientations. */
function histogramsOf(image: Float32Array, { channels, rows, columns }: Grid): Float64Array {
  const histograms = new Float64Array(stride * stride * bins);
  const width = columns.length;
  const plane = rows.length * width;
  rows.forEach((row, y) => {
    columns.forEach((column, x) => {
      let [largest, gx, gy] = [0, 0, 0];
      for (let from = 0; from < channels * plane; from += plane) {
        const line = from + y * width;
        const dx = (image[line + column.after] as number) - (image[line + column.before] as number);
        const dy = (image[from + row.after * width + x] as number) - (image[from + row.before * width + x] as number);
        const squares = dx * dx + dy * dy;
        if (squares > largest) [largest, gx, gy] = [squares, dx, dy];
      }
      if (largest === 0) return;
      const angle = Math.atan2(gy, gx);
      const place = ((angle < 0 ? angle + Math.PI : angle) * bins) / Math.PI + 0.5; // bin b lies about b + 1
      const above = Math.floor(place);
      const second = (place - above) * Math.sqrt(largest);
      const first = Math.sqrt(largest) - second;
      const at = ((row.cell + 1) * stride + column.cell + 1) * bins;
      const [lower, higher] = [(above + bins - 1) % bins, above % bins];
      vote(histograms, at, lower, higher, first * (1 - row.share), second * (1 - row.share), column.share);
      vote(histograms, at + stride * bins, lower, higher, first * row.share, second * row.share, column.share);
    });
  });
  return histograms;
}

/** Adds to two orientations of a cell and of the one to its right. */
function vote(
  histograms: Float64Array,
  at: number,
  lower: number,
  higher: number,
  first: number,
  second: number,
  share: number,
): void {
  const left = 1 - share;
  const next = at + bins;
  histograms[at + lower] = (histograms[at + lower] as number) + first * left;
  histograms[at + higher] = (histograms[at + higher] as number) + second * left;
  histograms[next + lower] = (histograms[next + lower] as number) + first * share;
  histograms[next + higher] = (histograms[next + higher] as number) + second * share;
}

/** Sums of 2 x 2 cells, in the same layout. */
function pooled(fine: Float64Array): Float64Array {
  const coarse = new Float64Array(fine.length);
  for (let y = 0; y < cells; y++) {
    for (let x = 0; x < cells; x++) {
      const from = ((y + 1) * stride + x + 1) * bins;
      const to = (((y >> 1) + 1) * stride + (x >> 1) + 1) * bins;
      for (let bin = 0; bin < bins; bin++) {
        coarse[to + bin] = (coarse[to + bin] as number) + (fine[from + bin] as number);
      }
    }
  }
  return coarse;
}

/** Writes the blocks of one scale, which together count as much as those of the other. @returns where the next scale begins */
function writeBlocks(histograms: Float64Array, side: number, step: number, out: Float32Array, start: number): number {
  const blocks: Float64Array[] = [];
  const energies: number[] = [];
  for (let y = 0; y + 2 <= side; y += step) {
    for (let x = 0; x + 2 <= side; x += step) {
      const block = new Float64Array(blockLength);
      for (let row = 0; row < 2; row++) {
        const from = ((y + row + 1) * stride + x + 1) * bins;
        block.set(histograms.subarray(from, from + 2 * bins), row * 2 * bins);
      }
      blocks.push(block);
      energies.push(squaredNorm(block));
    }
  }
  const usual = energies.reduce((sum, energy) => sum + energy, 0) / blocks.length;
  blocks.forEach((block, i) => {
    const energy = energies[i] as number;
    if (energy > 0) writeBlock(block, energy, usual, blocks.length, out, start + i * blockLength);
  });
  return start + blocks.length * blockLength;
}

function writeBlock(
  block: Float64Array,
  energy: number,
  usual: number,
  count: number,
  out: Float32Array,
  at: number,
): void {
  const scale = 1 / Math.sqrt(energy);
  let sum = 0;
  for (let k = 0; k < blockLength; k++) sum += block[k] = Math.min(clip, scale * (block[k] as number));
  const weight = Math.sqrt(energy / ((energy + faint * faint * usual) * count * squaredNorm(block)));
  for (let k = 0; k < blockLength; k++) out[at + k] = weight * ((block[k] as number) - sum / blockLength);
}

function squaredNorm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
