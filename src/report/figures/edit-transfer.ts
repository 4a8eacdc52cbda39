import type { EditDirection } from '../../experiments/edit-result.ts';
import { showMeasured } from '../svg.ts';
import { partColor } from './edit-palette.ts';
import { TILE_GAP, tileSize } from './edit-tiles.ts';
import type { EditShown, EditTiles } from './edit-tiles.ts';
import { sampleName, shortened, signed } from './edit-words.ts';
import type { Figure } from './figure.ts';
import { label, tileSvg } from './tiles.ts';
import type { Box } from './tiles.ts';

const CAPTION = 62;
const NAME = 18;
const AXIS = 24;
const GROUP_GAP = 12;
/** Between the two tiles of a pair, of pictures and of bars. */
const PAIR_GAP = { image: 2, sample: 10 } as const;
const LEAST = 44;
/** Mean advance at 11 px. */
const CHARACTER = 6.4;
const LARGEST = 80;

/** The same directions in other images, each without an edit above a pair at the lowest and the highest strength; none without others. */
export function transferFigure(shown: EditShown, tiles: EditTiles): Figure[] {
  const { result, arrays } = shown;
  if (arrays.transfers === undefined) return [];
  const title = `The same directions in other ${sampleName(result)}s`;
  const gap = PAIR_GAP[sampleName(result)];
  const svg = (width: number): string => {
    const room = width - CAPTION + GROUP_GAP;
    const groups = Math.min(result.images.length, Math.floor(room / (2 * LEAST + gap + GROUP_GAP)));
    const size = tileSize(Math.min(LARGEST, (room / groups - GROUP_GAP - gap) / 2), result.sampleShape);
    const head = NAME + size + AXIS;
    const columns = Array.from({ length: groups }, (_, group) => {
      const x = CAPTION + group * (2 * size + gap + GROUP_GAP);
      const pairs = result.directions.map(({ number }, i) => {
        return drawPair(shown, tiles, { group, number }, { x, y: head + i * (size + TILE_GAP), size });
      });
      return drawHead(shown, tiles, group, { x, y: 0, size }) + pairs.join('');
    });
    const captions = result.directions.map((d, i) => caption(d, head + i * (size + TILE_GAP), size));
    const noEdit = label('no edit', 12, NAME + size / 2 + 4, 'start');
    const height = head + captions.length * (size + TILE_GAP) - TILE_GAP;
    return tileSvg(width, height, title, noEdit + captions.join('') + columns.join(''));
  };
  return [
    {
      name: 'transfer',
      title,
      reading:
        `Each direction was found in the first ${sampleName(result)} and is added to the others at the same noise level, without another search: what it does here it should do there. ` +
        'Beside its number stands the median cosine between their changes and that of the first.',
      svg,
    },
  ];
}

/** The name of an image over itself without an edit, and the two strengths. */
function drawHead({ result, arrays }: EditShown, tiles: EditTiles, group: number, { x, size }: Box): string {
  const [low, high] = [arrays.strengths.data[0] ?? 0, arrays.strengths.data.at(-1) ?? 0];
  const width = 2 * size + PAIR_GAP[sampleName(result)];
  const name =
    group === 0 ? `this ${sampleName(result)}` : shortened(result.images[group]?.name ?? '', width / CHARACTER);
  const under = NAME + size + AXIS - 7;
  return (
    label(name, x + width / 2, 11) +
    tiles.sample('reconstructions', group, { x: x + (width - size) / 2, y: NAME, size }) +
    label(signed(low), x + size / 2, under) +
    label(signed(high), x + width - size / 2, under)
  );
}

function drawPair(
  { result, arrays }: EditShown,
  tiles: EditTiles,
  { group, number }: { readonly group: number; readonly number: number },
  { x, y, size }: Box,
): string {
  const [index, others, strengths] = [number - 1, result.images.length - 1, arrays.strengths.data.length];
  const end = (i: 0 | 1): string => {
    const box = { x: x + i * (size + PAIR_GAP[sampleName(result)]), y, size };
    return group === 0
      ? tiles.sample('edits', index * strengths + i * (strengths - 1), box)
      : tiles.sample('transfers', (index * others + group - 1) * 2 + i, box);
  };
  return end(0) + end(1);
}

function caption({ number, part, transfer }: EditDirection, y: number, size: number): string {
  const middle = y + size / 2;
  return (
    `<rect x="0" y="${y}" width="4" height="${size}" rx="2" fill="${partColor(part)}"/>` +
    `<g font-weight="650">${label(String(number), 12, middle + 5, 'start', 15)}</g>` +
    (transfer === null ? '' : label(showMeasured(transfer), CAPTION - 8, middle + 4, 'end'))
  );
}
