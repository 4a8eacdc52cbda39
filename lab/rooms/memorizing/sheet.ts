import sheetUrl from '../../../repro/memorization/samples.svg?url';
import { fetchBytes } from '../../shipped/fetch.ts';
import { sizes } from './curve.ts';

/** Samples of the wide network of one size over their nearest training images; every size from the same noises. */
export interface SheetRow {
  readonly size: number;
  /** Addresses of PNG images, `data:image/png;base64,...`. */
  readonly samples: readonly string[];
  readonly nearest: readonly string[];
}

/** The samples of the curve. @throws DatasetError where they do not come */
export async function readSheet(): Promise<SheetRow[]> {
  return rowsOf(new TextDecoder().decode(await fetchBytes(sheetUrl)));
}

/** @param svg  figure of `eigenlens reproduce memorization-curve`: a row of samples and one of training images for every size */
export function rowsOf(svg: string): SheetRow[] {
  const images = [...svg.matchAll(/href="(data:image\/png;base64,[^"]+)"/g)].map((match) => match[1] as string);
  const columns = images.length / (2 * sizes.length);
  const row = (i: number): string[] => images.slice(i * columns, (i + 1) * columns);
  return sizes.map((size, i) => ({ size, samples: row(2 * i), nearest: row(2 * i + 1) }));
}
