import { sizeOf } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { Figure } from './figure.ts';
import { label, sampleAt, sampleTile, tileSvg } from './tiles.ts';

/** Samples above their partners. */
export interface PairsFigure extends Pick<Figure, 'name' | 'title' | 'reading'> {
  /** [N, ...sampleShape], and `below` the same. */
  readonly above: FloatTensor;
  readonly below: FloatTensor;
  /** One a pair, under it. */
  readonly captions: readonly string[];
  /** Values of black and white. */
  readonly range: readonly [number, number];
}

const GAP = 6;
const LEAST_TILE = 56;
const CAPTION = 20;

/** Pairs of pictures in rows, as many in a row as the width holds; all captions are shown, so choose which pairs to pass. */
export function pairsFigure({ name, title, reading, above, below, captions, range }: PairsFigure): Figure {
  const sampleShape = above.shape.slice(1);
  const dimension = sizeOf(sampleShape);
  const svg = (width: number): string => {
    const most = Math.floor((width + GAP) / (LEAST_TILE + GAP));
    const columns = Math.min(captions.length, most);
    // A single pair does not fill the page.
    const size = Math.min(96, (width + GAP) / columns - GAP);
    const cell = 2 * size + CAPTION + GAP;
    const tiles = captions.map((caption, n) => {
      const [x, y] = [(n % columns) * (size + GAP), Math.floor(n / columns) * cell];
      const tile = (pictures: FloatTensor, top: number): string =>
        sampleTile(sampleAt(pictures, n, dimension), sampleShape, range, { x, y: top, size });
      return tile(above, y) + tile(below, y + size) + label(caption, x + size / 2, y + 2 * size + 13, 'middle', 10);
    });
    return tileSvg(width, Math.ceil(captions.length / columns) * cell - GAP, title, tiles.join(''));
  };
  return { name, title, reading, svg };
}
