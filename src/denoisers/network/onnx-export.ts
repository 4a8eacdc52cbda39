import { onnxSideCarFormat } from '../../diffusion/side-car.ts';
import type { OnnxSideCar } from '../../diffusion/side-car.ts';
import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import { loadJax } from '../../engine/jax.ts';
import type { PortableModel } from '../../engine/lower/portable.ts';
import { lowerPortable } from '../../engine/lower/portable.ts';
import type { ArgumentSpec } from '../../engine/trace.ts';
import { trace } from '../../engine/trace.ts';
import { castFloat, tensor } from '../../tensor/tensor.ts';
import { featureFrequencies } from './features.ts';
import type { Network } from './network.ts';
import type { Weights } from './weights.ts';
import { orderedWeights } from './weights.ts';

/** A trained network that is to leave the house. */
export interface OnnxExportOptions {
  /** What messages and tables call it. */
  readonly name: string;
  readonly network: Network;
  readonly weights: Weights;
  /** Standard deviation of the training data, for the EDM factors. */
  readonly sigmaData: number;
}

/**
 * A trained network as one ONNX graph in float32 of ONNX's own operators: inputs x [batch, ...sampleShape] and sigma [batch], output
 * `denoised` = D(x; sigma), with preconditioning and noise features inside and the weights as constants.
 * @throws ModelError, NumericalError where the weights do not fit the network or are not finite
 * @precision a few float32 eps of |D|, and what the noise features lose: ln(sigma) is computed in float32 here, in float64 at home
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 7 and Table 1
 */
export async function exportOnnx({ name, network, weights, sigmaData }: OnnxExportOptions): Promise<PortableModel> {
  const jax = await loadJax();
  const np = jax.numpy;
  const arrays = orderedWeights(name, network, weights, 'float32');
  const frequencies = featureFrequencies(network.featureCount).map((f) => 2 * Math.PI * f);
  const turns = castFloat(tensor('float64', [1, frequencies.length], frequencies), 'float32');
  const constants = [...arrays, turns];
  const denoised = (...inputs: JaxArray[]): JaxArray => {
    const p = Object.fromEntries(network.parameters.map((spec, i) => [spec.name, inputs[i] as JaxArray]));
    const [turns, x, sigma] = inputs.slice(arrays.length) as [JaxArray, JaxArray, JaxArray];
    const features = tracedFeatures(jax, np.log(sigma.ref).mul(0.25), network.featureCount === 1 ? undefined : turns);
    return preconditioned(jax, network, p, sigmaData, features, x, sigma);
  };
  const specs = (batch: number): ArgumentSpec[] => [
    ...constants.map((value) => ({ shape: value.shape, value })),
    { shape: [batch, ...network.sampleShape] },
    { shape: [batch] },
  ];
  return lowerPortable((batch) => trace(denoised, specs(batch)), { inputs: ['x', 'sigma'], outputs: ['denoised'] });
}

/** D(x; sigma) with the factors of `edmPreconditioning` as traced arithmetic in the ratio t = sigma / sigmaData. */
function preconditioned(
  jax: JaxLibrary,
  network: Network,
  p: Readonly<Record<string, JaxArray>>,
  sigmaData: number,
  features: JaxArray,
  x: JaxArray,
  sigma: JaxArray,
): JaxArray {
  const np = jax.numpy;
  const [batch] = sigma.shape as [number];
  const column = sigma.reshape([batch, ...network.sampleShape.map(() => 1)]);
  const t = column.mul(1 / sigmaData);
  const square = t.ref.mul(t.ref).add(1);
  const root = np.sqrt(square.ref);
  const input = x.ref.mul(np.reciprocal(root.ref.mul(sigmaData)));
  const output = network.apply(jax, p, input, features);
  return x.mul(np.reciprocal(square)).add(output.mul(t.mul(np.reciprocal(root)).mul(sigmaData)));
}

/** `noiseFeatures` of cNoise [B] as traced arithmetic: of angles at `turns` [1, F / 2], or cNoise itself. */
function tracedFeatures({ numpy: np }: JaxLibrary, cNoise: JaxArray, turns: JaxArray | undefined): JaxArray {
  const column = cNoise.reshape([cNoise.shape[0] as number, 1]);
  if (turns === undefined) return column;
  const angles = column.mul(turns);
  return np.concatenate([np.cos(angles.ref), np.sin(angles)], 1);
}

/**
 * Noise levels at which an exported network may be asked: those of the samplers. The law of its training, whatever it was, has no ends.
 * @source Karras et al. 2022, Table 1
 */
const sigmaRange = { min: 0.002, max: 80 };

/**
 * What the side-car of an exported network says: nothing is left to guess.
 * @param data  data set of the training, as `--data` takes it
 */
export function exportedSideCar(name: string, data: string): OnnxSideCar {
  return {
    format: onnxSideCarFormat,
    name,
    parameterization: { kind: 'denoised', sigmaRange },
    inputs: { sample: 'x', time: 'sigma' },
    output: 'denoised',
    data,
  };
}
