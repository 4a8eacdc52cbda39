import { parseNpz, writeNpz } from '../data/npz.ts';
import { parseSafetensors, writeSafetensors } from '../data/safetensors.ts';
import { sha256Hex } from '../data/sha256.ts';
import { LabError, ModelError } from '../errors/errors.ts';
import { assertShape, reshape, sameShape, showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { DirectionSet } from './direction-set.ts';
import {
  directionNoise,
  directionsFormat,
  parseDirectionSideCar,
  writeDirectionSideCar,
} from './direction-side-car.ts';
import type { DirectionProvenance, DirectionSideCar } from './direction-side-car.ts';
import { checkMask, hashMask } from './mask.ts';

/** How a set is written. */
export interface DirectionFileOptions {
  /** Of the file of arrays, whose name ends like this; default NPZ. */
  readonly format?: 'npz' | 'safetensors' | undefined;
  /** Name of both files without ending, default `directions`. */
  readonly stem?: string | undefined;
}

/** The two files of a set, which lie in one folder. */
export interface DirectionFiles {
  readonly arrays: { readonly name: string; readonly bytes: Uint8Array };
  readonly sideCar: { readonly name: string; readonly text: string };
}

/** Arrays of one number a direction. */
const lists = ['values', 'residuals', 'kept', 'gains', 'leaks'] as const;

/** Vectors that went through float32 still are unit vectors. */
const UNIT_TOLERANCE = 1e-6;

/**
 * A set as a file of arrays and a side-car (docs/directions.md).
 * @precision float64 as found: a set that is read back is the same to the last bit, and so are its edits; float32 would halve files of a
 *   few megabytes and lose the orthogonality to the outside, which holds to 1e-12
 * @throws ShapeError for arrays that do not fit each other; ModelError for what `readDirections` would refuse
 */
export async function directionFiles(
  set: DirectionSet,
  provenance: DirectionProvenance,
  { format = 'npz', stem = 'directions' }: DirectionFileOptions = {},
): Promise<DirectionFiles> {
  const { method, sampleShape, sigma, nullRank, orthogonality, mask } = set;
  const { model, image, version, search } = provenance;
  const arrays = arraysOf(set);
  checkSet(stem, set);
  // Directions are as hard to deflate as noise.
  const bytes = format === 'npz' ? writeNpz(arrays, { compress: false }) : writeSafetensors(arrays);
  const [file, sideCarName] = [`${stem}.${format}`, `${stem}.json`];
  const text = writeDirectionSideCar(sideCarName, {
    format: directionsFormat,
    method,
    count: set.values.length,
    sampleShape,
    noise: directionNoise(sigma),
    nullRank,
    orthogonality,
    model,
    image,
    maskHash: mask && (await hashMask(mask)),
    arrays: { file, bytes: bytes.length, sha256: await sha256Hex(bytes) },
    version,
    search,
  });
  return { arrays: { name: file, bytes }, sideCar: { name: sideCarName, text } };
}

/**
 * Reads a set from its two files.
 * @param where       path of the side-car, for messages
 * @param text        of the side-car
 * @param readArrays  gives the bytes of the file of this name, which lies beside the side-car
 * @throws ModelError in one line for a file that is truncated, changed or of another format, for arrays that are missing or of another
 *   shape, and for numbers that no direction has; whatever `readArrays` throws
 */
export async function readDirections(
  where: string,
  text: string,
  readArrays: (file: string) => Promise<Uint8Array>,
): Promise<{ set: DirectionSet; provenance: DirectionProvenance }> {
  const sideCar = parseDirectionSideCar(where, text);
  const path = where.replace(/[^/\\]*$/, () => sideCar.arrays.file);
  const bytes = await readArrays(sideCar.arrays.file);
  await checkBytes(path, sideCar, bytes);
  const set = setOf(path, sideCar, parseArrays(path, bytes));
  checkSet(path, set);
  if (set.mask) checkHash(path, 'mask: ', sideCar.maskHash, await hashMask(set.mask));
  const { model, image, version, search } = sideCar;
  return { set, provenance: { model, image, version, search } };
}

async function checkBytes(path: string, { arrays }: DirectionSideCar, bytes: Uint8Array): Promise<void> {
  if (bytes.length !== arrays.bytes) {
    const remedy = bytes.length < arrays.bytes ? 'It is truncated: copy it again.' : 'Copy it and its side-car again.';
    throw new ModelError(path, `expected the ${arrays.bytes} bytes of its side-car, got ${bytes.length}. ${remedy}`);
  }
  checkHash(path, '', arrays.sha256, await sha256Hex(bytes));
}

function checkHash(path: string, what: string, wanted: string | undefined, got: string): void {
  if (wanted === got) return;
  const [said, found] = [wanted, got].map((hash) => `${hash?.slice(0, 12)}...`);
  throw new ModelError(
    path,
    `${what}expected the SHA-256 ${said} of its side-car, got ${found}: it was changed, or belongs to another. Copy both again.`,
  );
}

function arraysOf(set: DirectionSet): Map<string, Tensor> {
  const K = set.values.length;
  assertShape('directionFiles', set.vectors, `${K} ${sizeOf(set.sampleShape)}`);
  const arrays = new Map<string, Tensor>([['vectors', reshape(set.vectors, [K, ...set.sampleShape])]]);
  for (const name of lists) arrays.set(name, tensor('float64', [K], set[name]));
  if (set.mask) arrays.set('mask', tensor('uint8', [set.mask.height, set.mask.width], set.mask.inside));
  return arrays;
}

function parseArrays(path: string, bytes: Uint8Array): ReadonlyMap<string, Tensor> {
  return inModelError(() => (path.endsWith('.npz') ? parseNpz(path, bytes) : parseSafetensors(path, bytes).tensors));
}

function setOf(path: string, sideCar: DirectionSideCar, arrays: ReadonlyMap<string, Tensor>): DirectionSet {
  const { method, count: K, sampleShape, noise, nullRank, orthogonality, maskHash } = sideCar;
  const take = <T extends DType>(name: string, dtype: T, shape: readonly number[]): Tensor<T> => {
    const x = arrays.get(name);
    if (x?.dtype === dtype && sameShape(x.shape, shape)) return x as Tensor<T>;
    const got = x ? `${x.dtype} ${showShape(x.shape)}` : 'no such array';
    throw new ModelError(
      path,
      `${name}: expected ${dtype} ${showShape(shape)}, got ${got}. Save the directions again.`,
    );
  };
  if (maskHash === undefined && arrays.has('mask')) {
    throw new ModelError(
      path,
      'expected no mask, as its side-car has no maskHash, got one. Save the directions again.',
    );
  }
  const list = (name: (typeof lists)[number]): Float64Array => take(name, 'float64', [K]).data;
  const [height = 1, width = 1] = sampleShape.slice(-2);
  return {
    method,
    sampleShape,
    sigma: noise.sigma,
    vectors: reshape(take('vectors', 'float64', [K, ...sampleShape]), [K, sizeOf(sampleShape)]),
    values: list('values'),
    residuals: list('residuals'),
    kept: list('kept'),
    gains: list('gains'),
    leaks: list('leaks'),
    nullRank,
    orthogonality,
    ...(maskHash !== undefined && { mask: { height, width, inside: take('mask', 'uint8', [height, width]).data } }),
  };
}

/** @throws ModelError naming the first number that no set of directions has, or what is wrong with its mask */
function checkSet(where: string, set: DirectionSet): void {
  const fail = (problem: string): never => {
    throw new ModelError(where, `${problem}. Find the directions again.`);
  };
  const n = sizeOf(set.sampleShape);
  for (let k = 0; k < set.values.length; k++) {
    const v = set.vectors.data.subarray(k * n, (k + 1) * n);
    const bad = v.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) fail(`vectors: expected finite values, got ${v[bad]} at element ${bad} of direction ${k + 1}`);
    const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    if (!(Math.abs(length - 1) <= UNIT_TOLERANCE)) {
      fail(`vectors: expected length 1, got ${length.toPrecision(4)} of direction ${k + 1}`);
    }
  }
  for (const name of lists) {
    const list = set[name];
    // A method has values for all of its directions or for none.
    if ((name === 'values' || name === 'residuals') && list.every(Number.isNaN)) continue;
    const bad = list.findIndex((x) => !(x >= 0 && x < Infinity));
    if (bad >= 0) fail(`${name}: expected finite numbers >= 0, got ${list[bad]} of direction ${bad + 1}`);
  }
  const { mask, sampleShape } = set;
  if (mask) inModelError(() => checkMask(where, mask, sampleShape));
}

/** Errors of arrays and masks are errors of the file that holds them. */
function inModelError<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof LabError)) throw cause;
    throw new ModelError(cause.where, cause.message.slice(`${cause.where}: `.length), { cause });
  }
}
