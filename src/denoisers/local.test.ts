import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../test/contracts/denoiser.ts';
import { DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { row, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { empiricalDenoiser } from './empirical.ts';
import { localDenoiser } from './local.ts';
import type { LocalMachine } from './local.ts';
import { patchClasses } from './patches.ts';
import type { Boundary } from './patches.ts';

const images = normal(randomKey(21, 'images'), [5, 2, 4, 3]);

for (const machine of ['LS', 'ELS'] as const) {
  for (const boundary of ['circular', 'zero'] as const) {
    describeDenoiserContract(`local ${machine} ${boundary}`, {
      create: () => localDenoiser({ name: `${machine} ${boundary}`, images, machine, patch: 3, boundary }),
      sigmas: [0.05, 0.5, 1, 10],
      clean: row(images, 2).data,
    });
  }
}

describe('localDenoiser()', () => {
  it.each<[LocalMachine, Boundary]>([
    ['LS', 'circular'],
    ['LS', 'zero'],
    ['ELS', 'circular'],
    ['ELS', 'zero'],
  ])('localDenoiser() %s %s equals its formula written out', async (machine, boundary) => {
    await using denoiser = localDenoiser({ name: 'local', images, machine, patch: 3, boundary });
    const x = normal(randomKey(22, 'x'), [1, 2, 4, 3]);
    for (const sigma of [0.3, 1, 4]) {
      const out = await denoiser.denoise(x, sigma);
      const wanted = writtenOut(x, sigma, machine, boundary);
      // exp of logits up to 100 in float64: 100 eps each
      wanted.forEach((value, j) => expect(Math.abs((out.data[j] as number) - value)).toBeLessThan(1e-12));
    }
  });

  it('localDenoiser() LS with a patch that covers the image equals the ideal denoiser of the set', async () => {
    await using ideal = empiricalDenoiser({ name: 'ideal', points: images });
    const x = normal(randomKey(23, 'x'), [3, 2, 4, 3]);
    const v = normal(randomKey(23, 'v'), [2, 24]);
    for (const [boundary, patch] of [
      ['circular', 4],
      ['zero', 7],
    ] as const) {
      await using local = localDenoiser({ name: 'local', images, machine: 'LS', patch, boundary });
      for (const sigma of [0.02, 0.5, 3]) {
        const [a, b] = [await local.denoise(x, sigma), await ideal.denoise(x, sigma)];
        a.data.forEach((value, j) => expect(Math.abs(value - (b.data[j] as number))).toBeLessThan(1e-10));
        const at = row(x, 0);
        const [Jv, wanted] = [await local.linearize(at, sigma).apply(v), await ideal.linearize(at, sigma).apply(v)];
        Jv.data.forEach((value, j) =>
          expect(Math.abs(value - (wanted.data[j] as number))).toBeLessThan(1e-10 * Math.max(1, 1 / sigma ** 2)),
        );
      }
    }
  });

  it('localDenoiser() ELS circular moves its output as its input is moved, LS does not', async () => {
    const x = normal(randomKey(24, 'x'), [1, 2, 4, 3]);
    const moved = shift(x, 1, 2);
    for (const [machine, low, high] of [
      ['ELS', 0, 1e-12],
      ['LS', 1e-2, Infinity],
    ] as const) {
      await using denoiser = localDenoiser({ name: machine, images, machine, patch: 3 });
      const [a, b] = [
        shift((await denoiser.denoise(x, 0.7)) as Tensor<'float64'>, 1, 2),
        await denoiser.denoise(moved, 0.7),
      ];
      const error = Math.max(...a.data.map((value, j) => Math.abs(value - (b.data[j] as number))));
      expect(error).toBeGreaterThanOrEqual(low);
      expect(error).toBeLessThan(high);
    }
  });

  it('localDenoiser() refuses images that are none, patches that are none and values not finite', () => {
    const options = { name: 'local', images, machine: 'ELS', patch: 3 } as const;
    const vectors = normal(randomKey(1, 'v'), [4, 9]);
    expect(() => localDenoiser({ ...options, images: vectors })).toThrow(ShapeError);
    expect(() => localDenoiser({ ...options, images: tensor('float64', [0, 1, 2, 2], new Float64Array()) })).toThrow(
      ShapeError,
    );
    for (const patch of [0, -3, 2.5, NaN]) expect(() => localDenoiser({ ...options, patch })).toThrow(DomainError);
    const bad = { ...images, data: images.data.map((v, i) => (i === 7 ? NaN : v)) };
    expect(() => localDenoiser({ ...options, images: bad })).toThrow(NumericalError);
  });
});

describe('patchClasses()', () => {
  it('patchClasses() with zeros beyond the border has nine classes for 3 x 3 patches, one if circular', () => {
    const options = { shape: [1, 5, 6], patch: 3 } as const;
    const broken = patchClasses({ ...options, boundary: 'zero' });
    expect(broken.map((c) => [c.places.length, c.size]).sort()).toEqual(
      [
        [1, 4],
        [1, 4],
        [1, 4],
        [1, 4],
        [3, 6],
        [3, 6],
        [4, 6],
        [4, 6],
        [12, 9],
      ].sort(),
    );
    const [whole, ...others] = patchClasses({ ...options, boundary: 'circular' });
    expect(others).toEqual([]);
    expect([whole?.places.length, whole?.size]).toEqual([30, 9]);
  });

  it('patchClasses() names the centre of every patch and no element twice', () => {
    for (const boundary of ['circular', 'zero'] as const) {
      for (const patch of [1, 2, 3, 4, 9]) {
        for (const { places, elements, size, centres } of patchClasses({ shape: [2, 4, 3], patch, boundary })) {
          places.forEach((place, a) => {
            const own = elements.slice(a * size, (a + 1) * size);
            expect(new Set(own).size).toBe(size);
            expect(Array.from(centres, (k) => own[k])).toEqual([place, 12 + place]);
          });
        }
      }
    }
  });
});

/** The definition, pixel by pixel: patches are compared where both lie inside, or around the border. */
function writtenOut(x: FloatTensor, sigma: number, machine: LocalMachine, boundary: Boundary): number[] {
  const [C, H, W] = [2, 4, 3];
  const value = (data: ArrayLike<number>, c: number, y: number, z: number): number | undefined => {
    const inside = y >= 0 && y < H && z >= 0 && z < W;
    if (!inside && boundary === 'zero') return undefined;
    return data[(c * H + ((y + H) % H)) * W + ((z + W) % W)];
  };
  const patch = (data: ArrayLike<number>, y: number, z: number): (number | undefined)[] =>
    [0, 1].flatMap((c) => [-1, 0, 1].flatMap((i) => [-1, 0, 1].map((j) => value(data, c, y + i, z + j))));
  const out: number[] = [];
  for (let at = 0; at < C * H * W; at++) {
    const [c, y, z] = [Math.floor(at / (H * W)), Math.floor(at / W) % H, at % W];
    const mine = patch(x.data, y, z);
    let [sum, total] = [0, 0];
    for (let i = 0; i < 5; i++) {
      const image = row(images, i).data;
      for (let place = 0; place < H * W; place++) {
        const [py, pz] = [Math.floor(place / W), place % W];
        if (machine === 'LS' && (py !== y || pz !== z)) continue;
        const theirs = patch(image, py, pz);
        if (theirs.some((v, k) => (v === undefined) !== (mine[k] === undefined))) continue;
        const squares = theirs.reduce<number>((s, v, k) => s + ((v ?? 0) - (mine[k] ?? 0)) ** 2, 0);
        const w = Math.exp(-squares / (2 * sigma * sigma));
        [sum, total] = [sum + w * (value(image, c, py, pz) as number), total + w];
      }
    }
    out.push(sum / total);
  }
  return out;
}

/** The image moved down and right, around the border. */
function shift(x: Tensor<'float64'>, down: number, right: number): Tensor<'float64'> {
  const [, , H, W] = x.shape as [number, number, number, number];
  const data = x.data.map((_, at) => {
    const [plane, y, z] = [Math.floor(at / (H * W)), Math.floor(at / W) % H, at % W];
    return x.data[(plane * H + ((y - down + H) % H)) * W + ((z - right + W) % W)] as number;
  });
  return { ...x, data };
}
