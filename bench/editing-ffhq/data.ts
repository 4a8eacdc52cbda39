import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { arrayDataset } from '../../src/data/arrays.ts';
import { datasetFrom, subset } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { kindOf } from '../../src/data/files.ts';
import { gunzip } from '../../src/data/gzip.ts';
import { shuffledOrder } from '../../src/data/part.ts';
import type { Box } from '../../src/editing/mask.ts';
import { DatasetError } from '../../src/errors/errors.ts';
import { sizeOf, tensor } from '../../src/tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../src/tensor/tensor.ts';

/** Environment variable that names another folder of the faces. */
export const FFHQ_VARIABLE = 'EIGENLENS_FFHQ';
const FOLDER = fileURLToPath(new URL('../../../shared/data/ffhq5k', import.meta.url));
const IMAGES = 'ffhq5k_32x32_rgb.json';
const TABLE = 'attributes.csv';

/** What is known of every face: 0 to 1, 0 or 1, years, 0 or 1. */
export const attributeNames = ['smile', 'glasses', 'age', 'male'] as const;

/** Where FFHQ's frame at 32 x 32 has the eyes, and glasses: rows 12 to 19. */
export const eyes: Box = { x: 6, y: 12, width: 20, height: 8 };

/** Faces with known attributes; no denoiser trained on the pack has seen those held out. */
export interface Faces {
  readonly train: Dataset;
  readonly heldout: Dataset;
}

/** The folder of the faces; undefined where they are not there. */
export async function findFaces(): Promise<string | undefined> {
  const folder = process.env[FFHQ_VARIABLE] ?? FOLDER;
  const present = await Promise.all([IMAGES, TABLE].map((name) => kindOf(join(folder, name))));
  return present.every((kind) => kind === 'file') ? folder : undefined;
}

/**
 * All faces, [N, 32, 32, 3].
 * @throws DatasetError where the pack holds fewer or more bytes than its side-car says
 */
export async function readImages(folder: string): Promise<Tensor<'uint8'>> {
  const { file, shape } = JSON.parse(await readFile(join(folder, IMAGES), 'utf8')) as { file: string; shape: number[] };
  const path = join(folder, file);
  const bytes = await gunzip(path, await readFile(path));
  const size = sizeOf(shape);
  if (bytes.length !== size) {
    throw new DatasetError(path, `expected ${size} bytes as ${IMAGES} states, got ${bytes.length}. Fetch it again.`);
  }
  return tensor('uint8', shape, bytes);
}

/**
 * The faces that the table describes, cut as `eigenlens train` cuts the whole pack.
 * @throws DatasetError as `readImages`, or where the table lacks a column or a row
 */
export async function openFaces(folder: string): Promise<Faces> {
  const images = arrayDataset('ffhq', await readImages(folder));
  const table = parseTable(join(folder, TABLE), await readFile(join(folder, TABLE), 'utf8'), images.count);
  const values = new Float64Array(images.count * attributeNames.length);
  table.forEach((row, i) => values.set(row ?? [], i * attributeNames.length));
  const described = datasetFrom({
    ...images,
    attributes: { names: attributeNames, values },
    load: async (indices) => (await images.read(indices)).data,
  });
  const order = shuffledOrder(images.count);
  const cut = images.count - Math.floor(images.count / 10);
  const known = (part: Int32Array): Int32Array => part.filter((i) => table[i] !== undefined);
  return {
    train: subset(described, { indices: known(order.slice(0, cut)) }, 'ffhq-train'),
    heldout: subset(described, { indices: known(order.slice(cut)) }, 'ffhq-heldout'),
  };
}

/** One row of attributes an image; undefined where the table has none. */
function parseTable(where: string, text: string, count: number): (number[] | undefined)[] {
  const [head = [], ...rows] = text.trim().split('\n').map((line) => line.trim().split(',')); // prettier-ignore
  const columns = ['smile', 'glasses', 'age', 'gender'].map((name) => head.indexOf(name));
  if (columns.includes(-1) || rows.length !== count) {
    throw new DatasetError(where, `expected ${count} rows with smile, glasses, age and gender, got ${rows.length} of ${head.join(', ')}.`); // prettier-ignore
  }
  return rows.map((row) => {
    const [smile = '', glasses = '', age = '', gender = ''] = columns.map((c) => row[c] ?? '');
    if ([smile, glasses, age, gender].includes('')) return undefined;
    return [Number(smile), Number(glasses !== 'NoGlasses'), Number(age), Number(gender === 'male')];
  });
}

/** A part of images [B, C, H, W] that lies inside them: [B, C, height, width]. */
export function cropped({ shape, data }: FloatTensor, { x, y, width, height }: Box): Tensor<'float32'> {
  const [B = 0, C = 0, H = 0, W = 0] = shape;
  const out = new Float32Array(B * C * height * width);
  for (let line = 0; line < B * C * height; line++) {
    const from = (Math.floor(line / height) * H + y + (line % height)) * W + x;
    for (let j = 0; j < width; j++) out[line * width + j] = data[from + j] as number;
  }
  return tensor('float32', [B, C, height, width], out);
}
