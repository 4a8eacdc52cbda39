import { edmPreconditioning } from '../../diffusion/edm.ts';
import { castFloat } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import type { Denoiser } from '../denoiser.ts';
import { noiseColumn, TracedDenoiser } from '../traced/traced-denoiser.ts';
import type { TracedDenoiserOptions } from '../traced/traced-denoiser.ts';
import type { JaxArray } from '../../engine/jax.ts';
import type { TracedModel } from '../traced/traced-model.ts';
import { noiseFeatures } from './features.ts';
import type { Network } from './network.ts';
import type { Weights } from './weights.ts';
import { orderedWeights } from './weights.ts';

/** What makes a denoiser of a network. */
export interface NetworkDenoiserOptions extends TracedDenoiserOptions {
  readonly name: string;
  readonly network: Network;
  readonly weights: Weights;
  /** Standard deviation of the training data, for the EDM factors. */
  readonly sigmaData: number;
  /** Arithmetic of the graph; float64 is slow and for checks. Default float32. */
  readonly dtype?: FloatDType;
}

/**
 * A trained network as a denoiser D(x; sigma) = cSkip x + cOut F(cIn x; cNoise), its weights built into the graphs as constants.
 * The preconditioning factors and noise features are computed in float64 on the host and enter as arrays.
 * @throws ModelError, NumericalError where the weights do not fit the network or are not finite
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 7 and Table 1
 */
export function networkDenoiser(options: NetworkDenoiserOptions): Denoiser {
  return new TracedDenoiser(preconditioned(options), options);
}

function preconditioned({ name, network, weights, sigmaData, dtype = 'float32' }: NetworkDenoiserOptions): TracedModel {
  const { sampleShape, featureCount, parameters } = network;
  const ones = sampleShape.map(() => 1);
  return {
    name,
    sampleShape,
    dtype,
    weights: orderedWeights(name, network, weights, dtype) as FloatTensor[],
    noiseShapes: (batch) => [...[0, 1, 2].map(() => [batch, ...ones]), [batch, featureCount]],
    noise(sigmas) {
      const factors = Array.from(sigmas, (s) => edmPreconditioning(s, sigmaData));
      const column = (values: number[]): FloatTensor => noiseColumn(dtype, values, sampleShape);
      const features = noiseFeatures(
        Float64Array.from(factors, (f) => f.cNoise),
        featureCount,
      );
      return [
        column(factors.map((f) => f.cSkip)),
        column(factors.map((f) => f.cOut)),
        column(factors.map((f) => f.cIn)),
        castFloat(features, dtype) as FloatTensor,
      ];
    },
    denoised(jax, arrays, x, noise) {
      const p = Object.fromEntries(parameters.map((parameter, i) => [parameter.name, arrays[i] as JaxArray]));
      const [cSkip, cOut, cIn, features] = noise.map((v) => v.ref) as [JaxArray, JaxArray, JaxArray, JaxArray];
      return cSkip.mul(x.ref).add(cOut.mul(network.apply(jax, p, cIn.mul(x.ref), features)));
    },
  };
}
