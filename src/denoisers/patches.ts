import { DomainError } from '../errors/errors.ts';

/** What lies beyond the border of an image: the opposite side, or nothing (a network's zero padding). */
export type Boundary = 'circular' | 'zero';

/** Places of an image whose patches cover it in the same way, so that they can be compared element by element. */
export interface PatchClass {
  /** Pixels y W + x that the patches are centred on, [Q]. */
  readonly places: Int32Array;
  /** Elements of a flat sample [C, H, W] under each patch, [Q, size]; the order of elements is that of the offsets. */
  readonly elements: Int32Array;
  /** Elements of one patch. */
  readonly size: number;
  /** Where in a patch the centre pixel stands, one a channel. */
  readonly centres: Int32Array;
}

/** How images are cut into patches. */
export interface PatchOptions {
  /** [C, H, W] */
  readonly shape: readonly [number, number, number];
  /** Side P of the square patch about each pixel; an even P reaches one pixel further down and right. */
  readonly patch: number;
  readonly boundary: Boundary;
}

/**
 * The patches of an image by how much of them the image covers.
 * With a circular boundary all places are of one class; otherwise places near the border share one only with places cut off alike.
 * A patch wider than the image holds every pixel once.
 * @throws DomainError unless P is an integer >= 1
 */
export function patchClasses({ shape, patch, boundary }: PatchOptions): PatchClass[] {
  if (!Number.isInteger(patch) || patch < 1) {
    throw new DomainError('patchClasses', `expected a patch side that is an integer >= 1, got ${patch}.`);
  }
  const [channels, height, width] = shape;
  const rows = extents(height, patch, boundary);
  const columns = extents(width, patch, boundary);
  const byCover = new Map<string, number[]>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const key = `${String(rows[y])} ${String(columns[x])}`;
      const places = byCover.get(key);
      if (places === undefined) byCover.set(key, [y * width + x]);
      else places.push(y * width + x);
    }
  }
  return [...byCover.values()].map((places) => {
    const first = places[0] as number;
    const [top, bottom] = rows[Math.floor(first / width)] as Extent;
    const [left, right] = columns[first % width] as Extent;
    const area = (bottom - top + 1) * (right - left + 1);
    const elements = new Int32Array(places.length * channels * area);
    let at = 0;
    for (const place of places) {
      const [y, x] = [Math.floor(place / width), place % width];
      for (let c = 0; c < channels; c++) {
        for (let i = top; i <= bottom; i++) {
          const row = (y + i + height) % height;
          for (let j = left; j <= right; j++) {
            elements[at++] = (c * height + row) * width + ((x + j + width) % width);
          }
        }
      }
    }
    const centre = -top * (right - left + 1) - left;
    return {
      places: Int32Array.from(places),
      elements,
      size: channels * area,
      centres: Int32Array.from({ length: channels }, (_, c) => c * area + centre),
    };
  });
}

/** First and last offset of the window about a pixel along one axis. */
type Extent = readonly [number, number];

function extents(length: number, patch: number, boundary: Boundary): Extent[] {
  const side = boundary === 'circular' ? Math.min(patch, length) : patch;
  const before = Math.floor((side - 1) / 2);
  const after = side - 1 - before;
  return Array.from({ length }, (_, at) =>
    boundary === 'circular' ? [-before, after] : [Math.max(-before, -at), Math.min(after, length - 1 - at)],
  );
}

/** The class of a single place, for machines that compare patches only where they stand. */
export function singlePlace({ places, elements, size, centres }: PatchClass, at: number): PatchClass {
  return {
    places: places.slice(at, at + 1),
    elements: elements.slice(at * size, (at + 1) * size),
    size,
    centres,
  };
}
