import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Denoiser } from '../../src/denoisers/denoiser.ts';
import { DisposedError, DomainError, LabError, NumericalError, ShapeError } from '../../src/errors/errors.ts';
import { normal, randomKey } from '../../src/tensor/random.ts';
import { castFloat, reshape, row as rowOf, sizeOf, slice as sliceOf, tensor } from '../../src/tensor/tensor.ts';
import type { FloatDType, FloatTensor, Tensor } from '../../src/tensor/tensor.ts';

/** What a kind of denoiser says about itself when it runs the contract. */
export interface DenoiserContractOptions {
  /** Makes a fresh denoiser; called a few times, each disposed by the suite. */
  readonly create: () => Denoiser | Promise<Denoiser>;
  /** Noise levels at which products are checked, default 0.1, 1 and 10. */
  readonly sigmas?: readonly number[];
  /** Whether the Jacobian is symmetric, as for every exact posterior mean; default false. */
  readonly symmetric?: boolean;
  /** A clean sample of the data, flat, to which noise is added; default 0. */
  readonly clean?: Float64Array;
  /** Rounding errors allowed, in eps of the dtype relative to the norm at hand; default 256 = a few sqrt(784), or a deep network. */
  readonly roundings?: number;
}

const epsilons = { float32: 2 ** -23, float64: 2 ** -52 };

/** The contract of src/denoisers/denoiser.ts as tests; a kind passes all of them. */
export function describeDenoiserContract(kind: string, options: DenoiserContractOptions): void {
  const { create, sigmas = [0.1, 1, 10], symmetric = false, roundings = 256 } = options;
  describe(`${kind} keeps the denoiser contract`, () => {
    let denoiser: Denoiser;
    let eps: number;
    let dimension: number;
    beforeAll(async () => {
      denoiser = await create();
      eps = epsilons[denoiser.dtype];
      dimension = sizeOf(denoiser.sampleShape);
    });
    afterAll(() => denoiser[Symbol.asyncDispose]());

    const draw = (path: string, shape: readonly number[]): Tensor<'float64'> => normal(randomKey(1, kind, path), shape);
    /** Noisy samples, of values that float32 holds exactly. */
    const noisy = (batch: number, sigma: number | Float64Array): Tensor<'float64'> => {
      const noise = draw(`noise ${String(sigma)}`, [batch, ...denoiser.sampleShape]);
      const data = noise.data.map((z, i) => {
        const level = typeof sigma === 'number' ? sigma : (sigma[Math.floor(i / dimension)] as number);
        return Math.fround((options.clean?.[i % dimension] ?? 0) + level * z);
      });
      return { ...noise, data };
    };
    const vectors = (path: string, count: number): FloatTensor =>
      castFloat(castFloat(draw(path, [count, dimension]), 'float32'), denoiser.dtype) as FloatTensor;

    it('denoise() returns the shape of x in the dtype of the denoiser', async () => {
      const x = noisy(3, 1);
      const mean = await denoiser.denoise(x, 1);
      expect(mean.shape).toEqual(x.shape);
      expect(mean.dtype).toBe(denoiser.dtype);
      expect(mean.data).toHaveLength(3 * dimension);
    });

    it('denoise() of a batch equals its samples one by one, each at its own sigma', async () => {
      const levels = Float64Array.from([0.1, 1, 10, 0.5]);
      const x = noisy(4, levels);
      const batch = await denoiser.denoise(x, levels);
      for (let b = 0; b < 4; b++) {
        const single = await denoiser.denoise(slice(x, b, b + 1), levels[b] as number);
        const scale = norm(single) + norm(row(x, b)) * 1e-3; // D near 0 at high noise still carries rounding of x
        expect(distance(slice(batch, b, b + 1), single)).toBeLessThan(roundings * eps * scale);
      }
    });

    it('denoise() gives the same for one sigma and for as many equal ones', async () => {
      const x = noisy(2, 1);
      const [one, many] = [await denoiser.denoise(x, 1), await denoiser.denoise(x, Float64Array.of(1, 1))];
      expect(distance(one, many)).toBeLessThanOrEqual(roundings * eps * norm(one));
    });

    it('denoise() and linearize() take float32 as well as float64', async () => {
      const x = noisy(2, 1);
      const [wide, narrow] = [await denoiser.denoise(x, 1), await denoiser.denoise(castFloat(x, 'float32'), 1)];
      expect(narrow.dtype).toBe(denoiser.dtype);
      expect([...narrow.data]).toEqual([...wide.data]);
      const v = vectors('v', 1);
      const points: FloatTensor[] = [row(x, 0), castFloat(row(x, 0), 'float32')];
      const products = points.map((point) => denoiser.linearize(point, 1).apply(v));
      const [a, b] = await Promise.all(products);
      expect([...(a as FloatTensor).data]).toEqual([...(b as FloatTensor).data]);
      const narrowV = await denoiser.linearize(row(x, 0), 1).apply(castFloat(v, 'float32'));
      expect([...narrowV.data]).toEqual([...(a as FloatTensor).data]);
    });

    it('denoise(), apply() and applyTranspose() modify none of their arguments', async () => {
      const x = castFloat(noisy(2, 1), denoiser.dtype) as FloatTensor;
      const levels = Float64Array.of(0.5, 2);
      const v = vectors('v', 2);
      const copies = [x.data.slice(), levels.slice(), v.data.slice()];
      await denoiser.denoise(x, levels);
      const op = denoiser.linearize(slice(x, 0, 1), 1);
      await op.apply(v);
      await op.applyTranspose(v);
      expect([x.data, levels, v.data]).toEqual(copies);
    });

    it('linearize() keeps its point when the caller reuses the memory of x', async () => {
      const x = castFloat(noisy(1, 1), denoiser.dtype) as FloatTensor;
      const v = vectors('v', 1);
      const wanted = await denoiser.linearize(x, 1).apply(v);
      const op = denoiser.linearize(x, 1);
      x.data.fill(3);
      expect([...(await op.apply(v)).data]).toEqual([...wanted.data]);
    });

    it('linearize() states a square operator and takes a sample with or without batch axis', async () => {
      const x = noisy(1, 1);
      const ops = [denoiser.linearize(x, 1), denoiser.linearize(row(x, 0), 1)];
      for (const op of ops) expect([op.rows, op.columns]).toEqual([dimension, dimension]);
      expect(ops[0]?.epsilon).toBeLessThanOrEqual(1e-3);
      const v = vectors('v', 2);
      const [a, b] = await Promise.all(ops.map((op) => op.apply(v)));
      expect((a as FloatTensor).shape).toEqual([2, dimension]);
      expect([...(a as FloatTensor).data]).toEqual([...(b as FloatTensor).data]);
    });

    it.each(sigmas)('linearize() at sigma %d has adjoint products: <u, J v> = <J^T u, v>', async (sigma) => {
      const op = denoiser.linearize(noisy(1, sigma), sigma);
      const [u, v] = [vectors('u', 3), vectors('v', 3)];
      const [Jv, Ju] = [await op.apply(v), await op.applyTranspose(u)];
      for (let k = 0; k < 3; k++) {
        const [uk, vk, Jvk, Juk] = [row(u, k), row(v, k), row(Jv, k), row(Ju, k)];
        const scale = Math.max(norm(uk) * norm(Jvk), norm(Juk) * norm(vk));
        expect(Math.abs(dot(uk, Jvk) - dot(Juk, vk))).toBeLessThanOrEqual(roundings * op.epsilon * scale);
      }
    });

    it.each(sigmas)('linearize() at sigma %d has linear products, a block of 3 equal to 3 singles', async (sigma) => {
      const op = denoiser.linearize(noisy(1, sigma), sigma);
      const v = vectors('v', 3);
      const [a, b] = [row(v, 0), row(v, 1)];
      const data = v.data.slice();
      for (let j = 0; j < dimension; j++) {
        data[2 * dimension + j] = 2 * (a.data[j] as number) - 0.5 * (b.data[j] as number);
      }
      const block = { ...v, data } as FloatTensor;
      for (const product of [(w: FloatTensor) => op.apply(w), (w: FloatTensor) => op.applyTranspose(w)]) {
        const out = await product(block);
        const [outA, outB, outC] = [row(out, 0), row(out, 1), row(out, 2)];
        const tolerance = roundings * op.epsilon * (norm(outA) + norm(outB) + norm(outC));
        const combined = outA.data.map((value, j) => 2 * value - 0.5 * (outB.data[j] as number));
        expect(distance({ ...outA, data: combined } as FloatTensor, outC)).toBeLessThanOrEqual(tolerance);
        for (let k = 0; k < 3; k++) {
          const single = await product(slice(block, k, k + 1));
          expect(distance(row(out, k), row(single, 0))).toBeLessThanOrEqual(tolerance);
        }
      }
    });

    it.each(sigmas)('linearize() at sigma %d agrees with central differences of denoise()', async (sigma) => {
      const x = noisy(1, sigma);
      const v = castFloat(vectors('v', 1), 'float64');
      const Jv = row(await denoiser.linearize(x, sigma).apply(v), 0);
      const scale = Math.max(norm(Jv), 1e-2 * norm(v)); // where J is nearly 0, D still carries its rounding
      let best = Infinity;
      for (let h = sigma / 8; h > sigma * 1e-5; h /= 2)
        best = Math.min(best, await differenceError(x, v, Jv, sigma, h));
      // Truncation h^2 against rounding eps / h: the best step leaves about eps^(2/3) of the scale, 4e-11 or 2e-5.
      expect(best).toBeLessThan(1.5 * roundings * eps ** (2 / 3) * scale);
    });

    async function differenceError(
      x: FloatTensor,
      v: FloatTensor,
      Jv: FloatTensor,
      sigma: number,
      h: number,
    ): Promise<number> {
      const moved = (sign: number): FloatTensor => ({
        shape: x.shape,
        dtype: 'float64',
        data: Float64Array.from(x.data, (value, j) => value + sign * h * (v.data[j] as number)),
      });
      const [up, down] = [await denoiser.denoise(moved(1), sigma), await denoiser.denoise(moved(-1), sigma)];
      const slope = Float64Array.from(up.data, (value, j) => (value - (down.data[j] as number)) / (2 * h));
      return distance(tensor('float64', [dimension], slope), Jv);
    }

    if (symmetric) {
      it.each(sigmas)('linearize() at sigma %d is symmetric: J v = J^T v', async (sigma) => {
        const op = denoiser.linearize(noisy(1, sigma), sigma);
        const v = vectors('v', 2);
        const [Jv, JTv] = [await op.apply(v), await op.applyTranspose(v)];
        expect(distance(Jv, JTv)).toBeLessThanOrEqual(roundings * op.epsilon * norm(Jv));
      });
    }

    it.each([0, -1, NaN, Infinity])('sigma %d is refused with DomainError', async (sigma) => {
      const x = noisy(2, 1);
      await expect(denoiser.denoise(x, sigma)).rejects.toThrow(DomainError);
      await expect(denoiser.denoise(x, Float64Array.of(1, sigma))).rejects.toThrow(DomainError);
      expect(() => denoiser.linearize(row(x, 0), sigma)).toThrow(DomainError);
    });

    it('wrong shapes are refused with ShapeError', async () => {
      const x = noisy(2, 1);
      await expect(denoiser.denoise(reshape(x, [x.data.length]), 1)).rejects.toThrow(ShapeError);
      await expect(denoiser.denoise(row(x, 0), 1)).rejects.toThrow(ShapeError);
      await expect(denoiser.denoise(slice(x, 0, 0), 1)).rejects.toThrow(ShapeError);
      await expect(denoiser.denoise(x, Float64Array.of(1, 1, 1))).rejects.toThrow(ShapeError);
      expect(() => denoiser.linearize(x, 1)).toThrow(ShapeError);
      const op = denoiser.linearize(row(x, 0), 1);
      for (const shape of [[dimension], [1, dimension + 1]]) {
        await expect(op.apply(draw('v', shape))).rejects.toThrow(ShapeError);
        await expect(op.applyTranspose(draw('v', shape))).rejects.toThrow(ShapeError);
      }
    });

    it.each([NaN, Infinity])('%d in x is refused with NumericalError', async (bad) => {
      const x = noisy(2, 1);
      x.data[dimension - 1] = bad;
      await expect(denoiser.denoise(x, 1)).rejects.toThrow(NumericalError);
      expect(() => denoiser.linearize(row(x, 0), 1)).toThrow(NumericalError);
    });

    it('every use after dispose is refused with DisposedError, a second dispose is not', async () => {
      const short = await create();
      const x = noisy(1, 1);
      const op = short.linearize(x, 1);
      await short[Symbol.asyncDispose]();
      await expect(short.denoise(x, 1)).rejects.toThrow(DisposedError);
      expect(() => short.linearize(x, 1)).toThrow(DisposedError);
      await expect(op.apply(vectors('v', 1))).rejects.toThrow(DisposedError);
      await expect(op.applyTranspose(vectors('u', 1))).rejects.toThrow(DisposedError);
      await short[Symbol.asyncDispose]();
    });

    it('errors name the denoiser or its operation in one line', async () => {
      const failure = await denoiser.denoise(noisy(1, 1), -1).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(LabError);
      expect((failure as LabError).message).toContain('-1');
      expect((failure as LabError).message).not.toContain('\n');
    });
  });
}

/** `row` and `slice` of tensor.ts, for a tensor that is float32 or float64. */
function row(x: FloatTensor, i: number): FloatTensor {
  return rowOf<FloatDType>(x, i) as FloatTensor;
}

function slice(x: FloatTensor, start: number, end: number): FloatTensor {
  return sliceOf<FloatDType>(x, start, end) as FloatTensor;
}

function dot(a: FloatTensor, b: FloatTensor): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] as number) * (b.data[i] as number);
  return sum;
}

function norm(a: FloatTensor): number {
  return Math.sqrt(dot(a, a));
}

function distance(a: FloatTensor, b: FloatTensor): number {
  return Math.hypot(...Array.from(a.data, (value, i) => value - (b.data[i] as number)));
}
