import type { Table } from '../../components/export.ts';

/** Sides in the file: of a tile, between tiles, and from line to line. */
const [SIDE, GAP, LINE] = [168, 14, 15];
/** Letters that fit under a tile. */
const LETTERS = 26;

/** The tiles of a group, each with its words below, as an SVG file in the colours of the page. */
export function sheetSvg(group: HTMLElement): string {
  const style = getComputedStyle(group);
  const tiles = Array.from(group.children).flatMap((tile) => {
    const canvas = tile.querySelector('canvas');
    const lines = tile instanceof HTMLElement ? tile.innerText.split('\n').flatMap(wrapped) : [];
    return canvas === null ? [] : [{ canvas, lines, height: (SIDE * canvas.height) / canvas.width }];
  });
  const most = Math.max(0, ...tiles.map(({ lines }) => lines.length));
  const high = Math.max(0, ...tiles.map(({ height }) => height));
  const [width, height] = [GAP + tiles.length * (SIDE + GAP), 2 * GAP + high + most * LINE];
  const parts = tiles.flatMap((tile, i) => {
    const x = GAP + i * (SIDE + GAP);
    const image = `<image x="${x}" y="${GAP}" width="${SIDE}" height="${tile.height}" style="image-rendering:pixelated" href="${tile.canvas.toDataURL()}"/>`;
    const words = tile.lines.map((line, j) => `<text x="${x}" y="${GAP + high + (j + 1) * LINE}">${escaped(line)}</text>`);
    return [image, ...words];
  }); // prettier-ignore
  const ground = style.getPropertyValue('--ground').trim();
  const look = `background:${ground};font:12px system-ui,sans-serif`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" style="${look}" fill="${style.color}">${parts.join('')}</svg>`;
}

/** Lines of whole words that fit under a tile. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.trim().split(/ +/)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (longer.length > LETTERS || lines.length === 0) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.filter((line) => line !== '');
}

/** One row a pixel, its place first. @param shape  [C, H, W] @param columns  flat pictures by name */
export function pixelTable(
  [, height = 1, width = 1]: readonly number[],
  columns: Readonly<Record<string, ArrayLike<number>>>,
): Table {
  const pictures = Object.values(columns);
  const rows = Array.from(pictures[0] ?? [], (_, i) => [
    Math.floor(i / (height * width)),
    Math.floor(i / width) % height,
    i % width,
    ...pictures.map((values) => values[i] as number),
  ]);
  return { columns: ['channel', 'row', 'column', ...Object.keys(columns)], rows };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
