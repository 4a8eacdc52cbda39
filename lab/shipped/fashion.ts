import imagesUrl from '../../assets/fashion-mnist/t10k-images-idx3-ubyte.gz?url';
import labelsUrl from '../../assets/fashion-mnist/t10k-labels-idx1-ubyte.gz?url';
import type { Dataset } from '../../src/data/dataset.ts';
import { idxDataset, readIdx } from '../../src/data/idx.ts';
import { fetchBytes } from './fetch.ts';

/** By definition the first 9,000 of the shipped images train and the rest is held out, as in src/data/open.ts. */
export const FASHION_TRAIN = 9000;

let images: Promise<Dataset> | undefined;

/** The 10,000 shipped images [1, 28, 28] in [-1, 1]; read once. @throws DatasetError where they do not come */
export function openFashion(): Promise<Dataset> {
  images ??= read();
  images.catch(() => (images = undefined));
  return images;
}

async function read(): Promise<Dataset> {
  const [images, labels] = await Promise.all([imagesUrl, labelsUrl].map(async (url) => readIdx('fashion', await fetchBytes(url)))); // prettier-ignore
  return idxDataset('fashion', images as NonNullable<typeof images>, { labels });
}
