import type { DroppedFile } from '../../components/dropped-files.ts';

/** Models that ship with the lab. */
export type ShippedName = 'fashion' | 'fashion-memorized' | 'faces';

/** Which pictures belong to a model. */
export interface DataChoice {
  /** Undefined for a dropped network. */
  readonly model: ShippedName | undefined;
  /** Dropped pictures, which are cut to its shape; empty for those that ship with the lab. */
  readonly pictures: readonly DroppedFile[];
  /** [C, H, W] */
  readonly sampleShape: readonly number[];
}

/** Shapes of the pictures that ship with the lab. */
export const shippedShapes: Readonly<Record<ShippedName, readonly number[]>> = {
  fashion: [1, 28, 28],
  'fashion-memorized': [1, 28, 28],
  faces: [3, 32, 32],
};

/** Faces that stand for the training set, as `faces-train:500` in a terminal: drawing all of them takes long. */
export const FACES_PART = 500;
/** The part of the shipped pictures of clothes that the memorizing model was trained on, `fashion-train:100`. */
export const MEMORIZED_PART = 100;

const names: Readonly<Record<ShippedName, string>> = {
  fashion: 'fashion',
  'fashion-memorized': `fashion-train:${MEMORIZED_PART}`,
  faces: `faces-train:${FACES_PART}`,
};

/** The name of the training data in a terminal; dropped pictures by their folder, undefined where there are none. */
export function dataName({ model, pictures, sampleShape }: DataChoice): string | undefined {
  if (model === undefined && pictures.length > 0) return folderOf(pictures);
  const shipped = model ?? shippedDataOf(sampleShape);
  return shipped && names[shipped];
}

/** The shipped pictures of a shape. */
export function shippedDataOf(sampleShape: readonly number[]): ShippedName | undefined {
  const shape = sampleShape.join('x');
  return (['fashion', 'faces'] as const).find((name) => shippedShapes[name].join('x') === shape);
}

/** The folder of dropped pictures, or a word that stands for the folder of a single one. */
export function folderOf(pictures: readonly DroppedFile[]): string {
  const path = pictures[0]?.path ?? '';
  return path.includes('/') ? (path.split('/')[0] as string) : 'pictures';
}

/** A name for dropped files by which they are known again. */
export function nameOfFiles(files: readonly DroppedFile[]): string {
  return files.map(({ path, file }) => `${path} ${file.size} ${file.lastModified}`).join('\n');
}
