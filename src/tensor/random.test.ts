import { describe, expect, it } from 'vitest';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { integers, latent, latents, normal, permutation, randomKey, threefry, uniform } from './random.ts';
import { row } from './tensor.ts';

function block(key: readonly [number, number, number, number], counter: readonly [number, number, number, number]) {
  const out = new Uint32Array(4);
  threefry({ k0: key[0], k1: key[1], k2: key[2], k3: key[3] }, ...counter, out);
  return [...out];
}

function mean(x: ArrayLike<number>, f: (v: number) => number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += f(x[i] as number);
  return sum / x.length;
}

/** Normal distribution function, by the series of erf near 0 and its continued fraction in the tails. */
function normalCdf(z: number): number {
  const t = Math.abs(z);
  if (t < 3) {
    let term = t;
    let sum = t;
    for (let k = 1; Math.abs(term) > 1e-17; k++) sum += term *= (t * t) / (2 * k + 1);
    const half = (sum * Math.exp((-t * t) / 2)) / Math.sqrt(2 * Math.PI);
    return z < 0 ? 0.5 - half : 0.5 + half;
  }
  let fraction = t;
  for (let k = 60; k > 0; k--) fraction = t + k / fraction;
  const tail = Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI) / fraction;
  return z < 0 ? tail : 1 - tail;
}

/** Kolmogorov's distance of a sample from a distribution function. */
function kolmogorov(sample: Float64Array, cdf: (x: number) => number): number {
  const sorted = sample.slice().sort();
  let distance = 0;
  sorted.forEach((x, i) => {
    const f = cdf(x);
    distance = Math.max(distance, f - i / sorted.length, (i + 1) / sorted.length - f);
  });
  return distance;
}

const N = 200_000;
// P(sqrt(N) KS > 2.23) = 2 exp(-2 * 2.23^2) = 1e-4; five standard errors leave 6e-7.
const KS_BOUND = 2.23 / Math.sqrt(N);

describe('threefry()', () => {
  it('threefry() gives the known answers of Random123 for threefry4x32-20', () => {
    const f = 0xffffffff;
    expect(block([0, 0, 0, 0], [0, 0, 0, 0])).toEqual([0x9c6ca96a, 0xe17eae66, 0xfc10ecd4, 0x5256a7d8]);
    expect(block([f, f, f, f], [f, f, f, f])).toEqual([0x2a881696, 0x57012287, 0xf6c7446e, 0xa16a6732]);
    expect(
      block([0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]),
    ).toEqual([0x59cd1dbb, 0xb8879579, 0x86b5d00c, 0xac8b6d84]);
  });

  it('threefry() drops fractions of a counter word, also where the key word is negative as int32', () => {
    expect(block([1, 0xfffffff0, 3, 4], [5, 0.75, 6, 7])).toEqual(block([1, 0xfffffff0, 3, 4], [5, 0, 6, 7]));
  });
});

describe('randomKey()', () => {
  it('randomKey() gives a different key to every different seed and path', () => {
    const long = 'a path part longer than twelve bytes';
    const keys = [
      randomKey(0),
      randomKey(1),
      randomKey(2 ** 32),
      randomKey(2 ** 32 + 1),
      randomKey(0, 0),
      randomKey(0, '0'),
      randomKey(0, ''),
      randomKey(0, '\0'),
      randomKey(0, 'ab'),
      randomKey(0, 'a', 'b'),
      randomKey(0, 'b', 'a'),
      randomKey(0, 0.5),
      randomKey(0, -0.5),
      randomKey(0, long),
      randomKey(0, `${long}!`),
      randomKey(0, 'twelve bytes'),
      randomKey(0, 'twelve bytes\0'),
    ];
    expect(new Set(keys.map((k) => JSON.stringify(k))).size).toBe(keys.length);
    expect(randomKey(3, 'x', 4)).toEqual(randomKey(3, 'x', 4));
    expect(randomKey(3, -0)).toEqual(randomKey(3, 0));
  });

  it('randomKey() does not appear among the numbers of its parent', () => {
    const parent = randomKey(5);
    const child = randomKey(5, 0);
    const seen = new Set<number>();
    for (let i = 0; i < 64; i++)
      block([parent.k0, parent.k1, parent.k2, parent.k3], [i, 0, 0, 0]).forEach((w) => seen.add(w));
    expect([child.k0, child.k1, child.k2, child.k3].some((w) => seen.has(w))).toBe(false);
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53])('randomKey(%s) is refused', (seed) => {
    expect(() => randomKey(seed)).toThrow(DomainError);
  });

  it('randomKey() refuses a number in the path that is not finite', () => {
    expect(() => randomKey(1, NaN)).toThrow('randomKey: expected finite numbers in the path, got NaN.');
  });
});

describe('uniform()', () => {
  it('uniform() passes Kolmogorov-Smirnov, fills 53 bits and stays in [0, 1)', () => {
    const u = uniform(randomKey(11), [N]).data;
    expect(kolmogorov(u, (x) => x)).toBeLessThan(KS_BOUND);
    expect(u.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 53))).toBe(true);
    expect(mean(u, (x) => (x * 2 ** 53) % 2)).toBeCloseTo(0.5, 1); // the last bit is a fair coin; one standard error is 0.001
  });

  it('uniform() element i depends only on key and i, for odd and even sizes', () => {
    const key = randomKey(12);
    const big = uniform(key, [100]).data;
    for (const n of [1, 2, 7, 50]) expect(uniform(key, [n]).data).toEqual(big.slice(0, n));
    expect(uniform(key, [4, 25]).data).toEqual(big);
    expect(uniform(key, [0, 3]).data.length).toBe(0);
  });
});

describe('normal()', () => {
  it('normal() passes Kolmogorov-Smirnov against the normal distribution', () => {
    expect(kolmogorov(normal(randomKey(21), [N]).data, normalCdf)).toBeLessThan(KS_BOUND);
  });

  it('normal() has moments 0, 1, 0, 3 within five standard errors', () => {
    const z = normal(randomKey(22), [N]).data;
    const bounds = [Math.sqrt(1 / N), Math.sqrt(2 / N), Math.sqrt(15 / N), Math.sqrt(96 / N)]; // Var z^k: 1, 2, 15, 96
    [0, 1, 0, 3].forEach((moment, k) => {
      expect(Math.abs(mean(z, (v) => v ** (k + 1)) - moment)).toBeLessThan(5 * (bounds[k] as number));
    });
  });

  it('normal() has no correlation between neighbours, between keys, or with uniform() of the same key', () => {
    const z = normal(randomKey(23, 'a'), [N]).data;
    const others = [
      normal(randomKey(23, 'b'), [N]).data,
      normal(randomKey(24, 'a'), [N]).data,
      uniform(randomKey(23, 'a'), [N]).data.map((u) => Math.sqrt(12) * (u - 0.5)),
      z.map((_, i) => z[(i + 1) % N] as number),
      z.map((_, i) => z[(i + 2) % N] as number),
    ];
    for (const y of others) {
      const correlation = mean(
        y.map((v, i) => v * (z[i] as number)),
        (v) => v,
      );
      expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(N));
    }
  });

  it('normal() refuses an axis that is not a size', () => {
    expect(() => normal(randomKey(1), [2, -1])).toThrow(ShapeError);
    expect(() => normal(randomKey(1), [1.5])).toThrow(ShapeError);
  });
});

describe('integers()', () => {
  it('integers() hits every value equally often (chi-squared within five standard deviations)', () => {
    const bound = 7;
    const counts = new Float64Array(bound);
    for (const v of integers(randomKey(31), [N], bound).data) counts[v] = (counts[v] as number) + 1;
    const chi2 = counts.reduce((sum, c) => sum + (c - N / bound) ** 2 / (N / bound), 0);
    expect(chi2).toBeLessThan(bound - 1 + 5 * Math.sqrt(2 * (bound - 1)));
  });

  it('integers() has no modulo bias where a plain remainder would favour the lower two thirds', () => {
    const bound = 3 * 2 ** 29; // 2^32 mod bound = 2^30: a remainder would hit the lower 2/3 in 3/4 of the draws
    const n = 20_000;
    const low = mean(integers(randomKey(32), [n], bound).data, (v) => (v < 2 ** 30 ? 1 : 0));
    expect(Math.abs(low - 2 / 3)).toBeLessThan((5 * Math.sqrt(2 / 9)) / Math.sqrt(n));
  });

  it('integers() covers bounds 1 and 2^31 and refuses others', () => {
    expect([...integers(randomKey(33), [5], 1).data]).toEqual([0, 0, 0, 0, 0]);
    expect(integers(randomKey(33), [1000], 2 ** 31).data.every((v) => v >= 0)).toBe(true);
    for (const bound of [0, -3, 1.5, 2 ** 31 + 1, NaN]) {
      expect(() => integers(randomKey(1), [1], bound)).toThrow(DomainError);
    }
  });
});

describe('permutation()', () => {
  it('permutation() holds every index once', () => {
    for (const n of [0, 1, 2, 1000]) {
      expect([...permutation(randomKey(41), n)].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  });

  it('permutation() of 3 gives each of the 6 orders equally often', () => {
    const n = 6000;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < n; seed++) {
      const order = permutation(randomKey(seed, 'orders'), 3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chi2 = [...counts.values()].reduce((sum, c) => sum + (c - n / 6) ** 2 / (n / 6), 0);
    expect(chi2).toBeLessThan(5 + 5 * Math.sqrt(10));
  });

  it('permutation() refuses a negative length', () => {
    expect(() => permutation(randomKey(1), -1)).toThrow(DomainError);
  });
});

describe('latent()', () => {
  it('latent() of a seed equals its row in any batch of latents()', () => {
    const shape = [1, 5, 3];
    const seeds = [9, 0, 2 ** 40, 9];
    const batch = latents(seeds, shape);
    expect(batch.shape).toEqual([4, 1, 5, 3]);
    seeds.forEach((seed, b) => expect(row(batch, b)).toEqual(latent(seed, shape)));
  });
});
