import { sizeOf } from '../../tensor/tensor.ts';
import { imagePicture, isImageShape } from '../png.ts';
import { showMeasured } from '../svg.ts';
import { tileSize } from './edit-tiles.ts';
import type { EditShown, EditTiles } from './edit-tiles.ts';
import { sampleName, signed } from './edit-words.ts';
import type { Figure } from './figure.ts';
import { label, sampleAt, sampleTile, tileSvg } from './tiles.ts';
import type { Box } from './tiles.ts';

const GAP = 20;
const CAPTION = 20;
const LARGEST = 112;
const LEAST = 48;

/** Each term of a composition alone, all at once, and the sum of their effects; none where nothing was composed. */
export function compositionFigure(shown: EditShown, tiles: EditTiles): Figure[] {
  const { composition: row, sampleShape } = shown.result;
  const images = shown.arrays.composition;
  if (row === undefined || images === undefined) return [];
  const pictures = [
    { sign: '', name: 'no edit', draw: (box: Box) => tiles.sample('reconstructions', 0, box) },
    ...row.terms.map(({ direction, strength }, t) => ({
      sign: t === 0 ? '' : '+',
      name: `${direction} at ${signed(strength)}`,
      draw: (box: Box) => tiles.sample('composition', t, box),
    })),
    { sign: '\u2192', name: 'together', draw: (box: Box) => tiles.sample('composition', row.terms.length, box) },
    { sign: '\u2248', name: 'sum', draw: (box: Box) => sumTile(shown, tiles, row.terms.length, box) },
  ];
  const title = 'Several directions at once';
  const svg = (width: number): string => {
    const columns = Math.min(pictures.length, Math.floor((width + GAP) / (LEAST + GAP)));
    const size = tileSize(Math.min(LARGEST, (width + GAP) / columns - GAP), sampleShape);
    const content = pictures.map(({ sign, name, draw }, i) => {
      const [x, y] = [(i % columns) * (size + GAP), Math.floor(i / columns) * (size + CAPTION + GAP / 2)];
      const before = i % columns === 0 ? '' : label(sign, x - GAP / 2, y + size / 2 + 6, 'middle', 17);
      return before + draw({ x, y, size }) + label(name, x + size / 2, y + size + 15);
    });
    const rows = Math.ceil(pictures.length / columns);
    return tileSvg(width, rows * (size + CAPTION + GAP / 2) - GAP / 2, title, content.join(''));
  };
  return [
    {
      name: 'composition',
      title,
      reading: `All steps are taken together from one noisy ${sampleName(shown.result)}; where effects add up, this is the sum of the single changes: cosine ${showMeasured(row.cosine, 3)} of the two changes, remainder ${showMeasured(row.remainder)}.`,
      svg,
    },
  ];
}

/** The image without an edit and all changes of the single terms. */
function sumTile({ result, arrays }: EditShown, tiles: EditTiles, terms: number, box: Box): string {
  const { sampleShape, valueRange } = result;
  const size = sizeOf(sampleShape);
  const base = sampleAt(arrays.reconstructions, 0, size);
  const sum = Float64Array.from({ length: size }, (_, i) => base[i] as number);
  for (let t = 0; t < terms; t++) {
    const one = arrays.composition?.data.subarray(t * size, (t + 1) * size);
    sum.forEach((v, i) => (sum[i] = v + (one?.[i] as number) - (base[i] as number)));
  }
  if (!isImageShape(sampleShape)) return sampleTile(sum, sampleShape, valueRange, box);
  return tiles.picture('composition-sum', () => imagePicture(sum, sampleShape, valueRange), box);
}
