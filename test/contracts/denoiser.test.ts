import { checkBatch, checkPoint, checkVectors, Lifetime } from '../../src/denoisers/checks.ts';
import type { Denoiser } from '../../src/denoisers/denoiser.ts';
import { normal, randomKey } from '../../src/tensor/random.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../src/tensor/tensor.ts';
import { describeDenoiserContract } from './denoiser.ts';

const n = 4;
const matrix = normal(randomKey(1, 'matrix'), [n, n]).data.map((a) => Math.fround(a / 2));

/** A float32 denoiser with a Jacobian that is not symmetric, like a network's: D = x / (1 + sigma^2) + sigma tanh(A x / sigma) / 8. */
function smallNetwork(): Denoiser {
  const lifetime = new Lifetime('small network');
  const shape = [2, 2];
  const hidden = (x: Float32Array, sigma: number, i: number): number => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += (matrix[i * n + j] as number) * (x[j] as number);
    return Math.tanh(Math.fround(sum / sigma));
  };
  return {
    name: 'small network',
    sampleShape: shape,
    dtype: 'float32',
    async denoise(x, sigma): Promise<Tensor<'float32'>> {
      lifetime.assertAlive();
      const batch = checkBatch('small network', x, sigma, shape, 'float32');
      const out = batch.x.data.map((value, i) => {
        const [b, level] = [Math.floor(i / n), batch.sigmas[Math.floor(i / n)] as number];
        const own = batch.x.data.subarray(b * n, (b + 1) * n);
        return value / (1 + level ** 2) + (level * hidden(own, level, i % n)) / 8;
      });
      return tensor('float32', x.shape, out);
    },
    linearize(x, sigma) {
      lifetime.assertAlive();
      const point = checkPoint('small network', x, sigma, shape, 'float32').data.slice();
      const slope = (i: number): number => (1 - hidden(point, sigma, i) ** 2) / 8;
      const product = async (v: FloatTensor, entry: (i: number, j: number) => number): Promise<Tensor<'float32'>> => {
        lifetime.assertAlive();
        const vectors = checkVectors('small network', v, n, 'float32');
        const out = vectors.data.map((value, at) => {
          const [k, i] = [Math.floor(at / n), at % n];
          let sum = value / (1 + sigma ** 2);
          for (let j = 0; j < n; j++) sum += entry(i, j) * (vectors.data[k * n + j] as number);
          return sum;
        });
        return tensor('float32', v.shape, out);
      };
      return {
        rows: n,
        columns: n,
        epsilon: 2 ** -23,
        apply: (v) => product(v, (i, j) => slope(i) * (matrix[i * n + j] as number)),
        applyTranspose: (u) => product(u, (i, j) => slope(j) * (matrix[j * n + i] as number)),
      };
    },
    async [Symbol.asyncDispose](): Promise<void> {
      lifetime.end();
    },
  };
}

describeDenoiserContract('a float32 denoiser without symmetry', { create: smallNetwork });
