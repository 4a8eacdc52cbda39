import type { EditDirection } from '../../experiments/edit-result.ts';
import { showMeasured } from '../svg.ts';
import { partColor } from './edit-palette.ts';
import { isWide, TILE_GAP, tileSize } from './edit-tiles.ts';
import type { EditShown, EditTiles } from './edit-tiles.ts';
import { partText, sampleName, shiftText, signed } from './edit-words.ts';
import type { Figure } from './figure.ts';
import { label, tileSvg } from './tiles.ts';
import type { Box } from './tiles.ts';

const CAPTION = 130;
const GUTTER = 14;
const HEAD = 46;
/** Head of a part, and room above it. */
const PART = 24;
const PART_GAP = 12;
const LARGEST = 96;
const LEAST = 34;
/** Pictures above a strip on a narrow page. */
const LEAD = 44;

/** Where things stand in the figure. */
interface Layout {
  readonly wide: boolean;
  /** Edge of a tile of the strip. */
  readonly size: number;
  /** Upper left corners of the outlined image and of the direction, from the top of a row. */
  readonly image: number;
  readonly direction: number;
  /** Indices of the strengths that are shown, with their places. */
  readonly columns: readonly { readonly index: number; readonly x: number }[];
  readonly rowHeight: number;
}

/** The image along every direction at every strength, one row a direction, grouped by part. */
export function stripsFigure(shown: EditShown, tiles: EditTiles): Figure {
  const { result, arrays } = shown;
  const strengths = [...arrays.strengths.data];
  const groups = [...Map.groupBy(result.directions, ({ part }) => part)];
  const title = `The ${sampleName(result)} along each direction`;
  const where = result.parts.some(({ share }) => share < 1) ? ', and nothing outside the outline' : '';
  const svg = (width: number): string => {
    const layout = layoutFor(width, strengths, result.sampleShape);
    let y = layout.wide ? HEAD : 0;
    const content = groups.map(([part, directions]) => {
      const top = y;
      y += PART + directions.length * layout.rowHeight;
      const rows = directions.map((d, i) => drawRow(shown, tiles, layout, d, top + PART + i * layout.rowHeight));
      const bar = `<rect x="0" y="${top + 2}" width="4" height="${y - top - TILE_GAP - 2}" rx="2" fill="${partColor(part)}"/>`;
      y += PART_GAP;
      return bar + partHead(shown, part, top) + rows.join('');
    });
    const height = y - PART_GAP;
    const head = layout.wide
      ? zeroBand(layout, strengths, height) + drawHead(layout, strengths, sampleName(result))
      : '';
    return tileSvg(width, height, title, head + content.join(''));
  };
  return {
    name: 'strips',
    title,
    reading:
      `The noisy ${sampleName(result)} is moved along a direction and taken back to a clean one; at 0 it only goes both ways. ` +
      `A good direction changes one thing, more of it with more strength, the other way on the other side${where}.`,
    svg,
  };
}

function layoutFor(width: number, strengths: readonly number[], sampleShape: readonly number[]): Layout {
  const wide = isWide(width);
  const begin = wide ? CAPTION : 12;
  const count = strengths.length;
  const room = wide ? width - begin - GUTTER : width - begin;
  const fit = Math.floor((room + TILE_GAP) / (LEAST + TILE_GAP)) - (wide ? 2 : 0);
  const indices = evenly(strengths, Math.min(count, fit));
  const tilesInRow = indices.length + (wide ? 2 : 0);
  const size = tileSize(Math.min(LARGEST, (room + TILE_GAP) / tilesInRow - TILE_GAP), sampleShape);
  const pitch = size + TILE_GAP;
  // What whole pixels leave over goes to the captions, so that the strip ends with the page.
  const strip = wide ? width - indices.length * pitch + TILE_GAP : begin;
  const image = wide ? strip - GUTTER - 2 * pitch + TILE_GAP : begin;
  return {
    wide,
    size,
    image,
    direction: image + (wide ? pitch : LEAD + TILE_GAP),
    columns: indices.map((index, i) => ({ index, x: strip + i * pitch })),
    rowHeight: wide ? pitch + 2 : LEAD + 22 + pitch + 10,
  };
}

/** Indices of `count` strengths or one fewer: both ends, 0, and evenly between. */
function evenly(strengths: readonly number[], count: number): number[] {
  const zero = strengths.indexOf(0);
  const last = strengths.length - 1;
  if (count > last) return strengths.map((_, i) => i);
  const each = Math.max(1, Math.floor((count - 1) / 2));
  const between = (from: number, to: number): number[] =>
    Array.from({ length: each + 1 }, (_, i) => Math.round(from + (i * (to - from)) / each));
  return [...new Set([...between(0, zero), ...between(zero, last)])];
}

/** A quiet band behind the column of strength 0. */
function zeroBand({ columns, size }: Layout, strengths: readonly number[], height: number): string {
  const zero = columns.find(({ index }) => strengths[index] === 0);
  if (zero === undefined) return '';
  return `<rect x="${zero.x - 4}" y="20" width="${size + 8}" height="${height - 20 + 2}" rx="3" fill="currentColor" fill-opacity="0.1"/>`;
}

function drawHead({ image, direction, columns, size }: Layout, strengths: readonly number[], name: string): string {
  const [first, last] = [columns[0]?.x ?? 0, (columns.at(-1)?.x ?? 0) + size];
  const middle = size / 2;
  return (
    label(name, image + middle, 38) +
    label('direction', direction + middle, 38) +
    label('strength of the edit', (first + last) / 2, 11) +
    columns.map(({ index, x }) => label(signed(strengths[index] as number), x + middle, 38, 'middle', 12)).join('')
  );
}

function partHead({ result: { parts } }: EditShown, part: number, y: number): string {
  const row = parts[part];
  return `<g font-weight="600">${label(row ? partText(row) : '', 12, y + 15, 'start', 13)}</g>`;
}

function drawRow(shown: EditShown, tiles: EditTiles, layout: Layout, direction: EditDirection, y: number): string {
  const { wide, size, columns } = layout;
  const strengths = shown.arrays.strengths.data;
  const at = direction.number - 1;
  const lead = (x: number): Box => ({ x, y, size: wide ? size : LEAD });
  const top = wide ? y : y + LEAD + 22;
  const axis = wide
    ? []
    : columns.map(({ index, x }) => label(signed(strengths[index] as number), x + size / 2, top - 6));
  const strip = columns.map(({ index, x }) =>
    tiles.sample('edits', at * strengths.length + index, { x, y: top, size }),
  );
  return (
    caption(direction, wide ? 12 : layout.direction + LEAD + 10, wide ? y + size / 2 : y + LEAD / 2) +
    tiles.sample('images', 0, lead(layout.image)) +
    tiles.outline(direction.part, lead(layout.image)) +
    tiles.direction(at, lead(layout.direction)) +
    axis.join('') +
    strip.join('')
  );
}

/** Number, singular value and the attribute that changes most, about the height `y`. */
function caption({ number, value, method, attributes }: EditDirection, x: number, y: number): string {
  const [most] = attributes ?? [];
  const lines = [
    value === null ? method : `s ${showMeasured(value, 3)}`,
    ...(most === undefined ? [] : [most.name, shiftText(most)]),
  ];
  const first = y - (lines.length - 1) * 7 + 4;
  return (
    `<g font-weight="650">${label(String(number), x, first + 1, 'start', 15)}</g>` +
    lines.map((line, i) => label(line, x + 24, first + i * 14, 'start', 11)).join('')
  );
}
