import { z } from 'zod';

import { inMemoryBytes } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { environment, join, kindOf, readBytes } from '../data/files.ts';
import { gunzip } from '../data/gzip.ts';
import { openDataset } from '../data/open.ts';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';

/** Environment variable that names the folder of the Extended Yale B faces. */
export const YALE_B_VARIABLE = 'EIGENLENS_YALE_B';

const IMAGES = 'yaleb2414_32x32_gray.json';
const LABELS = 'yaleb2414_labels.json';

const imagesSchema = z.object({
  file: z.string().min(1),
  dtype: z.literal('uint8'),
  order: z.literal('C'),
  layout: z.literal('NHW'),
  shape: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
});
const labelsSchema = z.array(z.int());

/**
 * Opens a data set to cluster: `yale-b`, or whatever `openDataset` opens.
 * @throws DatasetError in one line that says what to do
 */
export function openClusterData(data: string): Promise<Dataset> {
  return data === 'yale-b' ? openYaleB() : openDataset(data);
}

/** Whether the Extended Yale B faces lie where the environment says. */
export async function hasYaleB(): Promise<boolean> {
  const folder = environment(YALE_B_VARIABLE);
  return folder !== undefined && (await kindOf(join(folder, IMAGES))) === 'file';
}

/**
 * The 2,414 cropped faces of 38 persons of Extended Yale B, 32 x 32 grey (Georghiades et al. 2001; Lee, Ho, Kriegman 2005; pixels as
 * distributed by Deng Cai), from the folder that EIGENLENS_YALE_B names; the licence allows no copy with this software.
 * The folder holds gzipped bytes, a JSON file that says their shape, and one with the person of every image.
 * @throws DatasetError where the folder is not stated or holds something else
 */
export async function openYaleB(): Promise<Dataset> {
  const folder = environment(YALE_B_VARIABLE);
  if (folder === undefined) {
    throw new DatasetError(
      'yale-b',
      `expected ${YALE_B_VARIABLE} to name the folder that holds ${IMAGES}, got nothing. Set it.`,
    );
  }
  const about = await readJson(join(folder, IMAGES), imagesSchema);
  const persons = await readJson(join(folder, LABELS), labelsSchema);
  const path = join(folder, about.file);
  const bytes = await gunzip(path, await readBytes(path));
  const size = about.shape.reduce((product, d) => product * d, 1);
  if (bytes.length !== size) {
    throw new DatasetError(path, `expected ${size} bytes as ${IMAGES} states, got ${bytes.length}. Fetch it again.`);
  }
  return inMemoryBytes('yale-b', tensor('uint8', [about.shape[0], 1, about.shape[1], about.shape[2]], bytes), {
    labels: Int32Array.from(persons),
  });
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await readBytes(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(path, 'expected JSON, got something else. Fetch it again.', { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DatasetError(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}. Fetch it again.`);
}
