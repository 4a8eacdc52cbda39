import type { EditDirection } from '../../experiments/edit-result.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { viridis } from '../colors.ts';
import { isImageShape, peakOf } from '../png.ts';
import type { Picture } from '../png.ts';
import { showMeasured } from '../svg.ts';
import { evenColumns, tileSize } from './edit-tiles.ts';
import type { EditShown, EditTiles } from './edit-tiles.ts';
import { sampleName } from './edit-words.ts';
import type { Figure } from './figure.ts';
import { withLegend } from './legend.ts';
import { directionTile, label, sampleAt, tileSvg } from './tiles.ts';
import type { Box } from './tiles.ts';

const GAP = 10;
const HEAD = 22;
const LARGEST = 112;
const LEAST = 80;
const SHADES = 11;

/** Every direction as a picture, over the size of the change that it makes. */
export function directionsFigure(shown: EditShown, tiles: EditTiles): Figure {
  const { directions, sampleShape } = shown.result;
  const masked = shown.result.parts.some(({ share }) => share < 1);
  const title = `The directions, and where each changes the ${sampleName(shown.result)}`;
  const svg = (width: number): string => {
    const columns = evenColumns(directions.length, Math.floor((width + GAP) / (LEAST + GAP)));
    const size = tileSize(Math.min(LARGEST, (width + GAP) / columns - GAP), sampleShape);
    const cell = HEAD + 2 * size + 4 + 2 * GAP;
    const content = directions.map((direction, i) => {
      const [x, y] = [(i % columns) * (size + GAP), Math.floor(i / columns) * cell];
      return drawDirection(shown, tiles, direction, { x, y, size });
    });
    const height = Math.ceil(directions.length / columns) * cell - 2 * GAP;
    const plot = tileSvg(width, height, title, content.join(''));
    if (!isImageShape(sampleShape)) return plot;
    const ramp = Array.from({ length: SHADES }, (_, i) => css(i / (SHADES - 1)));
    return withLegend(plot, width, [{ label: 'change of the image, 0 to its largest', color: css(1), ramp }]);
  };
  return {
    name: 'directions',
    title,
    reading: `Each with its number and its gain. Above, the direction, scaled to its own largest value; below, half the difference of what it makes at the two ends of the strengths${isImageShape(sampleShape) ? ', root mean square over colours' : ''}${masked ? ', which should keep within the outline' : ''}.`,
    svg,
  };
}

function drawDirection(shown: EditShown, tiles: EditTiles, direction: EditDirection, { x, y, size }: Box): string {
  const { number, part, gain } = direction;
  const above = { x, y: y + HEAD, size };
  const below = { x, y: above.y + size + 4, size };
  return (
    `<g font-weight="650">${label(String(number), x, y + 14, 'start', 14)}</g>` +
    label(showMeasured(gain), x + size, y + 14, 'end', 11) +
    tiles.direction(number - 1, above) +
    tiles.outline(part, above) +
    changeTile(shown, tiles, number - 1, below) +
    tiles.outline(part, below)
  );
}

function changeTile({ result, arrays }: EditShown, tiles: EditTiles, index: number, box: Box): string {
  const { sampleShape } = result;
  const size = sizeOf(sampleShape);
  const strengths = arrays.strengths.data.length;
  const [low, high] = [0, strengths - 1].map((s) => sampleAt(arrays.edits, index * strengths + s, size));
  const change = Float64Array.from({ length: size }, (_, i) => ((high?.[i] as number) - (low?.[i] as number)) / 2);
  if (!isImageShape(sampleShape)) return directionTile(change, sampleShape, box);
  return tiles.picture(`change-${index}`, () => sizePicture(change, sampleShape), box);
}

/** Root mean square over channels, 0 dark to its largest light. */
function sizePicture(change: Float64Array, sampleShape: readonly number[]): Picture {
  const [height = 1, width = 1] = sampleShape.slice(-2);
  const pixels = height * width;
  const squares = new Float64Array(pixels);
  change.forEach((v, i) => (squares[i % pixels] = (squares[i % pixels] as number) + v * v));
  const peak = peakOf(squares);
  const data = new Uint8Array(3 * pixels);
  squares.forEach((square, p) => data.set(viridis(Math.sqrt(square / peak)), 3 * p));
  return { width, height, data };
}

function css(t: number): string {
  return `rgb(${viridis(t).join(',')})`;
}
