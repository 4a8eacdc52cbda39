import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNpy } from '../data/npy.ts';
import { loadJax } from '../engine/jax.ts';
import type { JaxArray, JaxLibrary } from '../engine/jax.ts';
import { lower } from '../engine/lower/lower.ts';
import { trace } from '../engine/trace.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Gaussian images 1x4x4 about grey 0.1, pixels independent with these variances: small enough to stay inside [-1, 1]. */
export const variances: readonly number[] = Array.from({ length: 16 }, (_, i) => 0.08 * 1.6 ** -i);
const mean = 0.1;

/** The network that an ideally trained model of these images would be, in one parameterization, as an ONNX graph. */
export interface IdealNetwork {
  /** What the network is told of sigma is turned back into sigma. */
  sigma(jax: JaxLibrary, time: JaxArray): JaxArray;
  /** Network input to x in VE coordinates. */
  x(input: JaxArray, sigma: JaxArray): JaxArray;
  /** F from D, x and sigma. */
  output(d: JaxArray, x: JaxArray, sigma: JaxArray): JaxArray;
}

const vpSigma = (jax: JaxLibrary, step: JaxArray): JaxArray => {
  // The continuous limit of DDPM's chain: ln(1 + sigma^2) = s^2 (20 - 0.1) / 2 + 0.1 s at s = (step + 1) / 1000.
  const s = step.add(1).div(1000);
  return jax.numpy.sqrt(jax.numpy.exp(s.ref.mul(s.ref).mul(9.95).add(s.mul(0.1))).sub(1));
};
const onVp = (input: JaxArray, sigma: JaxArray, jax: JaxLibrary): JaxArray =>
  input.mul(jax.numpy.sqrt(sigma.ref.mul(sigma).add(1)));

/** Ideal networks by parameterization. */
export const idealNetworks: Readonly<Record<'denoised' | 'flow' | 'epsilon' | 'v', (jax: JaxLibrary) => IdealNetwork>> =
  {
    denoised: () => ({ sigma: (_, t) => t, x: (input) => input, output: (d) => d }),
    flow: () => ({
      sigma: (_, t) => t.ref.div(t.mul(-1).add(1)),
      x: (input, sigma) => input.mul(sigma.add(1)),
      // The velocity n - x0 with n = (x - D) / sigma.
      output: (d, x, sigma) => x.sub(d.ref).div(sigma).sub(d),
    }),
    epsilon: (jax) => ({
      sigma: vpSigma,
      x: (input, sigma) => onVp(input, sigma, jax),
      output: (d, x, sigma) => x.sub(d).div(sigma),
    }),
    v: (jax) => ({
      sigma: vpSigma,
      x: (input, sigma) => onVp(input, sigma, jax),
      // v = sqrt(alphaBar) n - sqrt(1 - alphaBar) x0 with n = (x - D) / sigma.
      output: (d, x, sigma) =>
        x
          .sub(d.ref)
          .div(sigma.ref)
          .sub(sigma.ref.mul(d))
          .div(jax.numpy.sqrt(sigma.ref.mul(sigma).add(1))),
    }),
  };

/** Folder with `model.onnx`, the ideal network, and `images.npy`, draws of its data. */
export async function writeIdealModel(
  kind: keyof typeof idealNetworks,
): Promise<{ folder: string; model: string; data: string }> {
  const jax = await loadJax();
  const folder = await mkdtemp(join(tmpdir(), `eigenlens-${kind}-`));
  const [model, data] = [join(folder, 'model.onnx'), join(folder, 'images.npy')];
  const network = idealNetworks[kind](jax);
  const { numpy: np } = jax;
  const fn = (input: JaxArray, time: JaxArray): JaxArray => {
    const sigma = network.sigma(jax, time.reshape([1, 1, 1, 1]));
    const l = np.array(Float32Array.from(variances), { shape: [1, 1, 4, 4] });
    const x = network.x(input, sigma.ref);
    const gain = l.ref.div(l.add(sigma.ref.mul(sigma.ref)));
    const d = x.ref.sub(mean).mul(gain).add(mean);
    return network.output(d, x, sigma);
  };
  await writeFile(model, lower(await trace(fn, [{ shape: [1, 1, 4, 4] }, { shape: [1] }])).bytes);
  await writeFile(data, writeNpy(drawImages(400)));
  return { folder, model, data };
}

/** [count, 1, 4, 4] draws. */
export function drawImages(count: number): Tensor<'float32'> {
  const z = normal(randomKey(11, 'ideal images'), [count, 16]);
  const values = Float32Array.from(z.data, (v, i) =>
    Math.max(-1, Math.min(1, mean + v * Math.sqrt(variances[i % 16] ?? 0))),
  );
  return tensor('float32', [count, 1, 4, 4], values);
}
