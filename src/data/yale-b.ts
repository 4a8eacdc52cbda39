import { z } from 'zod';

import { inMemoryBytes } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { environment, join, kindOf, readBytes } from './files.ts';
import { gunzip } from './gzip.ts';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';

/** Environment variable that names the folder of the Extended Yale B faces. */
export const YALE_B_VARIABLE = 'EIGENLENS_YALE_B';

/** The two croppings of the faces, by the name of the data set: files of pixels and of persons. */
const croppings = {
  'yale-b': { images: 'yaleb2414_32x32_gray.json', persons: 'yaleb2414_labels.json' },
  'yale-b-48x42': { images: 'yaleb_48x42_gray.json', persons: 'labels.json' },
} as const;

/** A cropping of the Extended Yale B faces. */
export type YaleB = keyof typeof croppings;

const imagesSchema = z.object({
  file: z.string().min(1),
  dtype: z.literal('uint8'),
  order: z.literal('C'),
  layout: z.literal('NHW'),
  shape: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
});
const personsSchema = z.array(z.union([z.int(), z.object({ subject: z.int() }).transform(({ subject }) => subject)]));

/** Whether a cropping of the Extended Yale B faces lies where the environment says. */
export async function hasYaleB(name: YaleB): Promise<boolean> {
  const folder = environment(YALE_B_VARIABLE);
  return folder !== undefined && (await kindOf(join(folder, croppings[name].images))) === 'file';
}

/**
 * The cropped faces of the 38 persons of Extended Yale B (Georghiades et al. 2001; Lee, Ho, Kriegman 2005), grey: 2,414 of 32 x 32 as
 * distributed by Deng Cai, or all 2,432 of 192 x 168 averaged to 48 x 42, with those 18 that the camera spoilt.
 * They lie in the folder that EIGENLENS_YALE_B names, as no licence allows a copy with this software: gzipped bytes, a JSON file that
 * says their shape, and one with the person of every image.
 * @throws DatasetError where the folder is not stated or holds something else
 */
export async function openYaleB(name: YaleB): Promise<Dataset> {
  const folder = environment(YALE_B_VARIABLE);
  const { images, persons: labels } = croppings[name];
  if (folder === undefined) {
    const wanted = `expected ${YALE_B_VARIABLE} to name the folder that holds ${images}`;
    throw new DatasetError(name, `${wanted}, got nothing. Set it.`);
  }
  const about = await readJson(join(folder, images), imagesSchema);
  const persons = await readJson(join(folder, labels), personsSchema);
  const path = join(folder, about.file);
  const bytes = await gunzip(path, await readBytes(path));
  const size = about.shape.reduce((product, d) => product * d, 1);
  if (bytes.length !== size) {
    throw new DatasetError(path, `expected ${size} bytes as ${images} states, got ${bytes.length}. Fetch it again.`);
  }
  return inMemoryBytes(name, tensor('uint8', [about.shape[0], 1, about.shape[1], about.shape[2]], bytes), {
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
