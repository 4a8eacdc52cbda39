import type { InspectArrays, InspectResult } from '../../experiments/inspect-result.ts';
import { showMeasured, showNumber } from '../svg.ts';
import type { Figure } from './figure.ts';
import { directionTile, label, noisyRange, sampleAt, sampleTile, tileSvg } from './tiles.ts';

const LABEL_WIDTH = 46;
const GAP = 6;
/** Space between the two pictures and the vectors. */
const GUTTER = 16;
const VALUE_HEIGHT = 18;
const HEAD = 20;
const LEAST_TILE = 40;
const LARGEST_TILE = 72;

/** Leading left singular vectors at held-out image 0, one row a noise level, beside the noisy and the denoised image. */
export function singularVectorsFigure(result: InspectResult, arrays: InspectArrays): Figure {
  const svg = (width: number): string => {
    const [, , vectors = 0] = arrays.left_heldout.shape;
    const room = width - LABEL_WIDTH - GUTTER;
    const shown = Math.max(1, Math.min(vectors, Math.floor(room / (LEAST_TILE + GAP)) - 2));
    const size = Math.min(LARGEST_TILE, room / (shown + 2) - GAP);
    const columns = columnsOf(shown, size);
    const rows = result.sigmas.map((_, level) => drawRow(result, arrays, level, columns, size));
    return tileSvg(
      width,
      HEAD + result.sigmas.length * (size + VALUE_HEIGHT),
      'Leading singular vectors by noise level',
      drawHead(columns, size) + rows.join(''),
    );
  };
  return {
    name: 'singular-vectors',
    title: 'Leading singular vectors',
    reading:
      'Each row is a noise level: the noisy sample, what the denoiser makes of it, and the directions in which that answer moves most, ' +
      'with their singular values; shapes of the object are what the model has learnt, grain is noise.',
    svg,
  };
}

interface Columns {
  readonly noisy: number;
  readonly denoised: number;
  readonly vectors: readonly number[];
}

function columnsOf(shown: number, size: number): Columns {
  const at = (i: number): number => LABEL_WIDTH + i * (size + GAP);
  return { noisy: at(0), denoised: at(1), vectors: Array.from({ length: shown }, (_, k) => at(k + 2) + GUTTER) };
}

function drawHead({ noisy, denoised, vectors }: Columns, size: number): string {
  const middle = size / 2;
  const names = vectors.map((x, k) => label(`u${subscript(k + 1)}`, x + middle, 12));
  return (
    label('\u03c3', LABEL_WIDTH - 10, 12, 'end') +
    label('x', noisy + middle, 12) +
    label('D(x)', denoised + middle, 12) +
    names.join('')
  );
}

function drawRow(result: InspectResult, arrays: InspectArrays, level: number, columns: Columns, size: number): string {
  const { sampleShape, dimension, valueRange } = result;
  const [, images = 1, kept = 0] = arrays.left_heldout.shape;
  const sigma = result.sigmas[level] as number;
  const values = result.triplets.find((t) => t.sigma === sigma && t.site === 'heldout' && t.image === 0)?.values ?? [];
  const y = HEAD + level * (size + VALUE_HEIGHT);
  const noisy = sampleAt(arrays.noisy, level * images, dimension);
  const denoised = sampleAt(arrays.denoised, level * images, dimension);
  const vectors = columns.vectors.map((x, k) => {
    const vector = sampleAt(arrays.left_heldout, level * images * kept + k, dimension);
    const value = values[k];
    const caption = value === undefined ? '' : label(showMeasured(value), x + size / 2, y + size + 12, 'middle', 10);
    return directionTile(vector, sampleShape, { x, y, size }) + caption;
  });
  return (
    label(showNumber(sigma, 2), LABEL_WIDTH - 10, y + size / 2 + 4, 'end') +
    sampleTile(noisy, sampleShape, noisyRange(valueRange, sigma), { x: columns.noisy, y, size }) +
    sampleTile(denoised, sampleShape, valueRange, { x: columns.denoised, y, size }) +
    vectors.join('')
  );
}

function subscript(k: number): string {
  return [...String(k)].map((digit) => String.fromCharCode(0x2080 + Number(digit))).join('');
}
