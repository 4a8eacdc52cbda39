import wasmUrl from '@resvg/resvg-wasm/index_bg.wasm?url';

import type { Dataset } from '../../src/data/dataset.ts';
import { facesDataset } from '../../src/data/faces/faces.ts';
import { fetchBytes } from './fetch.ts';

let faces: Dataset | undefined;

/** The 10,000 drawn faces [3, 32, 32] in [-1, 1], each drawn when it is first read; the first `FACES_TRAIN` train. */
export function openFaces(): Dataset {
  faces ??= facesDataset('faces', { readWasm: () => fetchBytes(wasmUrl) });
  return faces;
}
