import type { FloatTensor } from '../../tensor/tensor.ts';
import type { CheckedModel } from '../copying-lead.ts';
import type { Figure } from './figure.ts';
import { label, sampleAt, sampleTile, tileSvg } from './tiles.ts';

const CAPTION = 128;
const GAP = 4;
const LEAST_TILE = 50;
const CHARACTERS = 20;
/** Latents in a row. */
const MOST = 10;

/** Samples of two models from the same latents, one latent a column, each over its nearest training sample. */
export function sameLatentsFigure([first, second]: readonly [CheckedModel, CheckedModel]): Figure {
  const { sampleShape, dimension, valueRange } = first.result;
  const rows = [first, second].flatMap(rowsOf);
  const count = Math.min(...rows.map(({ pictures }) => pictures.shape[0] ?? 0));
  const title = 'The same latents, two models';
  const svg = (width: number): string => {
    const columns = Math.min(count, MOST, Math.floor((width - CAPTION + GAP) / (LEAST_TILE + GAP)));
    const size = Math.min(72, (width - CAPTION + GAP) / columns - GAP);
    const tops = rows.map((_, j) => j * (size + GAP) + Math.floor(j / 2) * 3 * GAP);
    const content = rows.map(({ caption, pictures }, j) => {
      const y = tops[j] as number;
      const tiles = Array.from({ length: columns }, (_, n) => {
        const x = CAPTION + n * (size + GAP);
        return sampleTile(sampleAt(pictures, n, dimension), sampleShape, valueRange, { x, y, size });
      });
      return label(caption, CAPTION - 10, y + size / 2 + 4, 'end', 12) + tiles.join('');
    });
    return tileSvg(width, (tops.at(-1) ?? 0) + size, title, content.join(''));
  };
  return {
    name: 'same-latents',
    title,
    reading:
      'Each column starts from the same noise. A model that generalizes makes something new of it; one that memorizes lands on a training image, which stands below.',
    svg,
  };
}

function rowsOf({ result, arrays }: CheckedModel): { caption: string; pictures: FloatTensor }[] {
  const { model, copying } = result;
  const name = model.length > CHARACTERS ? `${model.slice(0, CHARACTERS - 1)}\u2026` : model;
  const nearest = arrays.nearest && {
    caption: `nearest of ${copying?.train.count ?? ''}`,
    pictures: arrays.nearest,
  };
  return [{ caption: name, pictures: arrays.samples }, ...(nearest ? [nearest] : [])];
}
