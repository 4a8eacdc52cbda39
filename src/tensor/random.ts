import { DomainError, ShapeError } from '../errors/errors.ts';
import { showShape, sizeOf, tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/**
 * Name of one stream of random numbers: 128 bits, made by `randomKey` and passed by value.
 * The same key gives the same numbers for ever; a second draw of the same kind needs a second key.
 */
export interface RandomKey {
  readonly k0: number;
  readonly k1: number;
  readonly k2: number;
  readonly k3: number;
}

// Last counter word: what a block is used for. Kinds of draws and key derivation never share a block, so that a key handed to
// `uniform` and to `normal` gives unrelated numbers, and no derived key shows up among the numbers of its parent.
const UNIFORM = 0;
const NORMAL = 1;
const INTEGERS = 2;
const PERMUTATION = 3;
const PATH_NUMBER = 16;
const PATH_TEXT = 17;
const PATH_TEXT_END = 32; // + number of bytes in the block, 0 to 12

const TWO_26 = 2 ** 26;
const TWO_32 = 2 ** 32;
const TWO_MINUS_53 = 2 ** -53;

/**
 * One block of Threefry-4x32-20: encrypts the counter (c0, c1, c2, c3) under `key` into four 32-bit words.
 * @param c0,c1,c2,c3  words of the counter; fractions and bits beyond 32 are dropped
 * @param out  receives the words in out[0..3]
 * @source Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3; rotations of Random123 threefry.h, parity 0x1BD11BDA
 */
export function threefry(key: RandomKey, c0: number, c1: number, c2: number, c3: number, out: Uint32Array): void {
  let [a, b, c, d, e] = [key.k0 | 0, key.k1 | 0, key.k2 | 0, key.k3 | 0, 0];
  e = 0x1bd11bda ^ a ^ b ^ c ^ d;
  let x0 = ((c0 | 0) + a) | 0;
  let x1 = ((c1 | 0) + b) | 0;
  let x2 = ((c2 | 0) + c) | 0;
  let x3 = ((c3 | 0) + d) | 0;
  for (let step = 1; step <= 5; step++) {
    // Four rounds, then one key injection; the two halves of the rotation table alternate.
    const odd = (step & 1) === 1;
    x0 = (x0 + x1) | 0;
    x1 = (odd ? (x1 << 10) | (x1 >>> 22) : (x1 << 6) | (x1 >>> 26)) ^ x0;
    x2 = (x2 + x3) | 0;
    x3 = (odd ? (x3 << 26) | (x3 >>> 6) : (x3 << 20) | (x3 >>> 12)) ^ x2;
    x0 = (x0 + x3) | 0;
    x3 = (odd ? (x3 << 11) | (x3 >>> 21) : (x3 << 17) | (x3 >>> 15)) ^ x0;
    x2 = (x2 + x1) | 0;
    x1 = (odd ? (x1 << 21) | (x1 >>> 11) : (x1 << 11) | (x1 >>> 21)) ^ x2;
    x0 = (x0 + x1) | 0;
    x1 = (odd ? (x1 << 13) | (x1 >>> 19) : (x1 << 25) | (x1 >>> 7)) ^ x0;
    x2 = (x2 + x3) | 0;
    x3 = (odd ? (x3 << 27) | (x3 >>> 5) : (x3 << 10) | (x3 >>> 22)) ^ x2;
    x0 = (x0 + x3) | 0;
    x3 = (odd ? (x3 << 23) | (x3 >>> 9) : (x3 << 18) | (x3 >>> 14)) ^ x0;
    x2 = (x2 + x1) | 0;
    x1 = (odd ? (x1 << 5) | (x1 >>> 27) : (x1 << 20) | (x1 >>> 12)) ^ x2;
    const first = a;
    a = b;
    b = c;
    c = d;
    d = e;
    e = first;
    x0 = (x0 + a) | 0;
    x1 = (x1 + b) | 0;
    x2 = (x2 + c) | 0;
    x3 = (x3 + d + step) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/**
 * The key of one stream, derived from a seed and a path of names: `randomKey(7, 'train', epoch)`.
 * Different seeds and different paths give unrelated streams; `1` and `'1'`, `'ab'` and `'a', 'b'` are different paths.
 * @param seed  non-negative safe integer
 * @param path  strings and finite numbers
 * @throws DomainError if the seed is not a non-negative safe integer or a number of the path is not finite
 */
export function randomKey(seed: number, ...path: (number | string)[]): RandomKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new DomainError('randomKey', `expected a seed that is an integer from 0 to 2^53 - 1, got ${seed}.`);
  }
  const start: RandomKey = { k0: 0, k1: 0, k2: 0, k3: 0 };
  return [seed, ...path].reduce<RandomKey>(
    (key, part) => (typeof part === 'number' ? absorbNumber(key, part) : absorbText(key, part)),
    start,
  );
}

/** Uniform numbers in [0, 1), multiples of 2^-53; element i depends only on (key, i). */
export function uniform(key: RandomKey, shape: readonly number[]): Tensor<'float64'> {
  const n = checkedSize('uniform', shape);
  const data = new Float64Array(n);
  const words = new Uint32Array(4);
  for (let i = 0; i < n; i += 2) {
    threefry(key, i / 2, i / 2 / TWO_32, 0, UNIFORM, words);
    data[i] = unit(words, 0);
    if (i + 1 < n) data[i + 1] = unit(words, 2);
  }
  return tensor('float64', shape, data);
}

/**
 * Standard normal numbers by Box and Muller in float64; element i depends only on (key, i).
 * @precision tails reach sqrt(2 ln 2^53) = 8.57, as far as 53-bit uniforms go
 */
export function normal(key: RandomKey, shape: readonly number[]): Tensor<'float64'> {
  const n = checkedSize('normal', shape);
  const data = new Float64Array(n);
  const words = new Uint32Array(4);
  for (let i = 0; i < n; i += 2) {
    threefry(key, i / 2, i / 2 / TWO_32, 0, NORMAL, words);
    const radius = Math.sqrt(-2 * Math.log(1 - unit(words, 0))); // 1 - u lies in (0, 1]: never log 0
    const angle = 2 * Math.PI * unit(words, 2);
    data[i] = radius * Math.cos(angle);
    if (i + 1 < n) data[i + 1] = radius * Math.sin(angle);
  }
  return tensor('float64', shape, data);
}

/**
 * Integers drawn evenly from 0 to bound - 1, without modulo bias; element i depends only on (key, i).
 * @param bound  1 <= bound <= 2^31
 * @throws DomainError if the bound lies outside
 */
export function integers(key: RandomKey, shape: readonly number[], bound: number): Tensor<'int32'> {
  if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 31) {
    throw new DomainError('integers', `expected a bound that is an integer from 1 to 2^31, got ${bound}.`);
  }
  const data = new Int32Array(checkedSize('integers', shape));
  const words = new Uint32Array(4);
  for (let i = 0; i < data.length; i++) data[i] = below(key, INTEGERS, i, bound, words);
  return tensor('int32', shape, data);
}

/**
 * A random order of 0 .. n - 1, every order equally likely (Fisher and Yates).
 * @throws DomainError if n is not an integer from 0 to 2^31
 */
export function permutation(key: RandomKey, n: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || n > 2 ** 31) {
    throw new DomainError('permutation', `expected a length that is an integer from 0 to 2^31, got ${n}.`);
  }
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const words = new Uint32Array(4);
  for (let i = n - 1; i > 0; i--) {
    const j = below(key, PERMUTATION, i, i + 1, words);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}

/**
 * The unit-variance starting noise that belongs to a seed; multiply by sigma to start a sampler.
 * One seed is one latent, whatever the batch, the backend or the order of drawing.
 */
export function latent(seed: number, shape: readonly number[]): Tensor<'float64'> {
  return normal(randomKey(seed, 'latent'), shape);
}

/** Latents of several seeds as a batch [seeds.length, ...shape]; row b equals `latent(seeds[b], shape)`. */
export function latents(seeds: readonly number[], shape: readonly number[]): Tensor<'float64'> {
  const size = checkedSize('latents', shape);
  const data = new Float64Array(seeds.length * size);
  seeds.forEach((seed, b) => data.set(latent(seed, shape).data, b * size));
  return tensor('float64', [seeds.length, ...shape], data);
}

function unit(words: Uint32Array, at: 0 | 2): number {
  return (((words[at] as number) >>> 5) * TWO_26 + ((words[at + 1] as number) >>> 6)) * TWO_MINUS_53;
}

/** Rejection: words at or above the largest multiple of `bound` are drawn again, from the block of the next attempt. */
function below(key: RandomKey, kind: number, i: number, bound: number, words: Uint32Array): number {
  const limit = TWO_32 - (TWO_32 % bound);
  for (let attempt = 0; ; attempt++) {
    threefry(key, i, i / TWO_32, attempt, kind, words);
    for (const word of words) if (word < limit) return word % bound;
  }
}

function absorbNumber(key: RandomKey, value: number): RandomKey {
  if (!Number.isFinite(value)) throw new DomainError('randomKey', `expected finite numbers in the path, got ${value}.`);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value + 0); // + 0 turns -0 into 0
  return derived(key, bits.getUint32(4), bits.getUint32(0), 0, PATH_NUMBER);
}

/** Twelve bytes a block; the last block carries its length, which keeps encodings free of prefixes. */
function absorbText(key: RandomKey, text: string): RandomKey {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(new ArrayBuffer(12));
  for (let at = 0; ; at += 12) {
    const left = bytes.length - at;
    const last = left <= 12;
    for (let i = 0; i < 12; i++) view.setUint8(i, bytes[at + i] ?? 0);
    const kind = last ? PATH_TEXT_END + left : PATH_TEXT;
    key = derived(key, view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true), kind);
    if (last) return key;
  }
}

function derived(key: RandomKey, c0: number, c1: number, c2: number, kind: number): RandomKey {
  const out = new Uint32Array(4);
  threefry(key, c0, c1, c2, kind, out);
  return { k0: out[0] as number, k1: out[1] as number, k2: out[2] as number, k3: out[3] as number };
}

function checkedSize(where: string, shape: readonly number[]): number {
  if (!shape.every((d) => Number.isInteger(d) && d >= 0)) {
    throw new ShapeError(where, `expected axes that are non-negative integers, got ${showShape(shape)}.`);
  }
  return sizeOf(shape);
}
