import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { eigh } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Mask } from './mask.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Images [1, 4, 4] of a Gaussian, in closed form. */
export const shape = [1, 4, 4] as const;

/** Numbers in one image. */
export const N = 16;

/** The upper half of the image. */
export const upperHalf: Mask = {
  height: 4,
  width: 4,
  inside: Uint8Array.from({ length: N }, (_, i) => (i < 8 ? 1 : 0)),
};

/** A covariance A A^T / 16 whose entries all differ from 0, or, with `apart`, one whose halves are independent. */
export function covarianceOf(seed: number, apart = false): Tensor<'float64'> {
  const a = normal(randomKey(seed, 'covariance'), [N, N]);
  const full = matmul(a, a, { transposeB: true });
  const inSameHalf = (i: number): boolean => Math.floor(i / N) < 8 === i % N < 8;
  return tensor(
    'float64',
    [N, N],
    full.data.map((v, i) => (apart && !inSameHalf(i) ? 0 : v / N)),
  );
}

/** The denoiser of such images. */
export function gaussianImages(covariance: Tensor<'float64'>, mean: Float64Array = new Float64Array(N)): Denoiser {
  return gaussianDenoiser({ name: 'gaussian images', sampleShape: [...shape], mean, eigen: eigh(covariance) });
}

/** Its Jacobian C (C + sigma^2 I)^-1, from products with unit vectors. */
export async function jacobianOf(denoiser: Denoiser, sigma: number): Promise<Tensor<'float64'>> {
  const identity = tensor('float64', [N, N], new Float64Array(N * N));
  for (let i = 0; i < N; i++) identity.data[i * (N + 1)] = 1;
  const x = tensor('float64', [...shape], new Float64Array(N));
  const columns = await denoiser.linearize(x, sigma).apply(identity);
  // Row k of the product is column k; the Jacobian is symmetric.
  return tensor('float64', [N, N], Float64Array.from(columns.data));
}
