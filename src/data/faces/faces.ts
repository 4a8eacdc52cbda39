import { DatasetError } from '../../errors/errors.ts';
import { byteLevels, datasetFrom } from '../dataset.ts';
import type { Dataset } from '../dataset.ts';
import { planFace } from './attributes.ts';
import type { FaceAttribute, FacePlan } from './attributes.ts';
import { FACE_SIZE, faceDrawer } from './draw.ts';

/** Which faces are drawn. */
export interface FacesSpec {
  /** Non-negative safe integer; default 0. */
  readonly seed: number;
  /** Number of faces, 1 to 1,000,000; default 10,000. */
  readonly count: number;
}

/** How a set of drawn faces is made. */
export interface FacesOptions extends Partial<FacesSpec> {
  /** The bytes of `index_bg.wasm` of `@resvg/resvg-wasm`. */
  readonly readWasm: () => Promise<Uint8Array>;
}

/** By definition the first 9,000 of `faces` train and the rest is held out. */
export const FACES_TRAIN = 9_000;

const FACES = 10_000;
const MOST = 1_000_000;
const PREFIX = 'faces:';
const SIZE = 3 * FACE_SIZE * FACE_SIZE;
/** Faces that are kept as drawn: 61 MB. */
const KEPT = 20_000;

/** Whether a data set's name asks for drawn faces: `faces:seed=7,count=500`. */
export function isFacesSpec(text: string): boolean {
  return text.startsWith(PREFIX) && text.includes('=') && !/:\d+(-\d+)?$/.test(text);
}

/** Reads `faces:seed=7,count=500`; either may be left out. @throws DatasetError saying what is wrong */
export function parseFacesSpec(text: string): Partial<FacesSpec> {
  const spec: { seed?: number; count?: number } = {};
  for (const item of text.slice(PREFIX.length).split(',')) {
    const [, key, digits] = /^(seed|count)=(\d+)$/.exec(item.trim()) ?? [];
    const value = Number(digits);
    const [least, most] = key === 'seed' ? [0, Number.MAX_SAFE_INTEGER] : [1, MOST];
    if ((key !== 'seed' && key !== 'count') || spec[key] !== undefined || !(value >= least && value <= most)) {
      throw new DatasetError(text, `expected faces:seed=S,count=N with N from 1 to ${MOST}, got '${item}'.`);
    }
    spec[key] = value;
  }
  return spec;
}

/**
 * Faces drawn in DiceBear's "Pixel Art" (CC0 1.0), [3, 32, 32] in [-1, 1], with the attributes that they were drawn by.
 * Faces are drawn when they are read, a few milliseconds each.
 */
export function facesDataset(name: string, { seed = 0, count = FACES, readWasm }: FacesOptions): Dataset {
  const plans = Array.from({ length: count }, (_, i) => planFace(seed, i));
  const names = Object.keys((plans[0] as FacePlan).attributes) as FaceAttribute[];
  const values = Float64Array.from(plans.flatMap(({ attributes }) => names.map((key) => attributes[key])));
  const kept = new Map<number, Uint8Array>();
  return datasetFrom({
    name,
    count,
    sampleShape: [3, FACE_SIZE, FACE_SIZE],
    range: { low: -1, high: 1 },
    attributes: { names, values },
    load: async (indices) => {
      const draw = await faceDrawer(readWasm);
      const out = new Float32Array(indices.length * SIZE);
      for (const [b, index] of indices.entries()) {
        const face = kept.get(index) ?? draw(plans[index] as FacePlan);
        if (kept.size < KEPT) kept.set(index, face);
        face.forEach((v, j) => (out[b * SIZE + j] = byteLevels[v] as number));
      }
      return out;
    },
  });
}
