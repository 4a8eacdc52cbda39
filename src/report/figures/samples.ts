import type { InspectArrays, InspectResult } from '../../experiments/inspect-result.ts';
import { showMeasured } from '../svg.ts';
import type { Figure } from './figure.ts';
import { label, sampleAt, sampleTile, tileSvg } from './tiles.ts';

const GAP = 4;
const LEAST_TILE = 52;
const CAPTION = 22;

/** Samples of the model in a grid; over their nearest training samples where those are known. */
export function samplesFigure(result: InspectResult, arrays: InspectArrays): Figure {
  const { nearest } = arrays;
  const [count = 0] = arrays.samples.shape;
  const svg = (width: number): string => {
    const most = Math.floor((width + GAP) / (LEAST_TILE + GAP));
    // Full rows where the count allows it: 64 samples stand 8 or 16 in a row, not 13.
    const columns =
      Array.from({ length: most }, (_, i) => most - i).find((c) => count % c === 0 && c > most / 2) ?? most;
    const size = (width + GAP) / columns - GAP;
    const cell = nearest === undefined ? size + GAP : 2 * size + GAP / 2 + CAPTION;
    const tiles = Array.from({ length: count }, (_, n) =>
      drawSample(result, arrays, n, { x: (n % columns) * (size + GAP), y: Math.floor(n / columns) * cell, size }),
    );
    return tileSvg(width, Math.ceil(count / columns) * cell - GAP, 'Samples', tiles.join(''));
  };
  return {
    name: 'samples',
    title: nearest === undefined ? 'Samples' : 'Samples over their nearest training samples',
    reading:
      nearest === undefined
        ? 'Drawn from the model, each from its own latent; they should look like the data, and each different.'
        : 'Above, a sample drawn from the model; below it, the training sample nearest to it with the root-mean-square distance: ' +
          'twins with a distance near 0 mean that the model recites its training set.',
    svg,
  };
}

function drawSample(
  { sampleShape, dimension, valueRange }: InspectResult,
  arrays: InspectArrays,
  n: number,
  { x, y, size }: { x: number; y: number; size: number },
): string {
  const tile = sampleTile(sampleAt(arrays.samples, n, dimension), sampleShape, valueRange, { x, y, size });
  if (arrays.nearest === undefined) return tile;
  const below = y + size + GAP / 2;
  const twin = sampleTile(sampleAt(arrays.nearest, n, dimension), sampleShape, valueRange, { x, y: below, size });
  const distance = arrays.nearest_distance?.data[n];
  const caption =
    distance === undefined ? '' : label(showMeasured(distance), x + size / 2, below + size + 12, 'middle', 10);
  return tile + twin + caption;
}
