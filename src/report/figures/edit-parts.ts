import { sizeOf } from '../../tensor/tensor.ts';
import { percent } from '../copy-words.ts';
import { imagePicture, isImageShape } from '../png.ts';
import { showNumber } from '../svg.ts';
import { partColor } from './edit-palette.ts';
import { isWide, maskOf, tileSize } from './edit-tiles.ts';
import type { EditShown, EditTiles } from './edit-tiles.ts';
import { decibels, sampleName, shortened } from './edit-words.ts';
import type { Figure } from './figure.ts';
import { label, noisyRange, sampleAt, sampleTile, tileSvg } from './tiles.ts';
import type { Box } from './tiles.ts';

const GAP = 12;
const CAPTION = 22;
const LARGEST = 128;
const LEGEND = 212;
const ROW = 36;
/** Characters of a part's name in the legend. */
const NAME = 26;
/** Opacity of the colour of a part over the image. */
const TINT = 0.5;

/** One captioned picture. */
interface Captioned {
  readonly name: string;
  readonly draw: (box: Box) => string;
}

/** The image, at the noise level of the edit, back from there, and with its parts in colour beside their legend. */
export function partsFigure(shown: EditShown, tiles: EditTiles): Figure {
  const { images, sampleShape, sigma } = shown.result;
  const masked = shown.result.parts.flatMap((_, part) => (maskOf(shown, part) === undefined ? [] : [part]));
  const name = sampleName(shown.result);
  const pictures: Captioned[] = [
    { name: `the ${name}`, draw: (box) => tiles.sample('images', 0, box) },
    { name: `at \u03c3 ${showNumber(sigma)}`, draw: (box) => noisyTile(shown, tiles, box) },
    { name: 'and back', draw: (box) => tiles.sample('reconstructions', 0, box) },
    ...(masked.length === 0
      ? []
      : [
          {
            name: 'its parts',
            draw: (box: Box) =>
              tiles.sample('images', 0, box) + masked.map((part) => tiles.outline(part, box, TINT)).join(''),
          },
        ]),
  ];
  const title = masked.length === 0 ? `The ${name} and its way to noise and back` : 'The image and its parts';
  const svg = (width: number): string => {
    const wide = isWide(width);
    const room = wide ? width - LEGEND : width;
    const size = tileSize(Math.min(LARGEST, (room + GAP) / pictures.length - GAP), sampleShape);
    const drawn = pictures.map(({ name, draw }, i) => {
      const x = i * (size + GAP);
      return draw({ x, y: 0, size }) + label(name, x + size / 2, size + 16);
    });
    const end = pictures.length * (size + GAP) + GAP;
    const legend = wide ? drawLegend(shown, masked, end, 0) : drawLegend(shown, masked, 0, size + CAPTION + GAP);
    const below = masked.length * ROW;
    const height = wide ? Math.max(size + CAPTION, below) : size + CAPTION + (below > 0 ? below + GAP : 0);
    return tileSvg(width, height, title, drawn.join('') + legend);
  };
  return {
    name: 'parts',
    title,
    reading: `${images[0]?.name ?? name} at the noise level of the edit and back without one: ${decibels(images[0]?.roundTripPsnr)} of PSNR${masked.length === 0 ? '' : '; directions were sought in each coloured part by itself'}.`,
    svg,
  };
}

function noisyTile({ result, arrays }: EditShown, tiles: EditTiles, box: Box): string {
  const { sampleShape, valueRange, sigma } = result;
  const values = sampleAt(arrays.noisy, 0, sizeOf(sampleShape));
  const range = noisyRange(valueRange, sigma);
  if (!isImageShape(sampleShape)) return sampleTile(values, sampleShape, range, box);
  return tiles.picture('noisy', () => imagePicture(values, sampleShape, range), box);
}

function drawLegend(shown: EditShown, masked: readonly number[], x: number, y: number): string {
  const { parts, directions } = shown.result;
  const rows = masked.map((part, i) => {
    const top = y + i * ROW;
    const row = parts[part];
    const numbers = directions.filter((d) => d.part === part).map(({ number }) => number);
    return (
      `<rect x="${x}" y="${top + 3}" width="14" height="14" rx="3" fill="${partColor(part)}"/>` +
      label(shortened(row?.name ?? '', NAME), x + 22, top + 14, 'start', 12.5) +
      `<g fill-opacity="0.7">${label(`${percent(row?.share ?? 0)}, ${numbersText(numbers)}`, x + 22, top + 28, 'start')}</g>`
    );
  });
  return rows.join('');
}

function numbersText(numbers: readonly number[]): string {
  if (numbers.length === 0) return 'no directions';
  const [first, last] = [numbers[0], numbers.at(-1)];
  return first === last ? `direction ${first}` : `directions ${first} to ${last}`;
}
