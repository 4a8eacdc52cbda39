import type { ImagesFigure } from '../../experiments/plain-figure.ts';
import { label, sampleTile, tileSvg } from '../figures/tiles.ts';

const CAPTION = 132;
const HEAD = 18;
const LARGEST = 72;

/** Pictures in rows as SVG text. */
export function imagesSvg({ title, shape, range, columns = [], rows }: ImagesFigure, width: number): string {
  const count = Math.max(1, ...rows.map((row) => row.images.length));
  const size = Math.min(LARGEST, (width - CAPTION) / count - 3);
  const head = columns.length > 0 ? HEAD : 0;
  const x = (column: number): number => CAPTION + column * (size + 3);
  const names = columns.map((name, i) => label(name, x(i) + size / 2, 11, 'middle', 12));
  const content = rows.map(({ caption, images }, j) => {
    const y = head + j * (size + 6);
    const tiles = images.map(
      (values, i) => sampleTile(values, shape, range, { x: x(i), y, size }) + edge(x(i), y, size),
    );
    return label(caption, CAPTION - 10, y + size / 2 + 4, 'end', 12) + tiles.join('');
  });
  return tileSvg(width, head + rows.length * (size + 6), title, [...names, ...content].join(''));
}

/** A hair around a picture, without which one that is as white as the ground has no border. */
function edge(x: number, y: number, size: number): string {
  const [left, top, side] = [x, y, size].map((value) => Math.round(value * 100) / 100);
  return `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="currentColor" stroke-opacity="0.25" stroke-width="0.5"/>`;
}
