import { ModelError, NumericalError } from '../../errors/errors.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { allocate, castFloat, sameShape, showShape, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor, Tensor } from '../../tensor/tensor.ts';
import type { Network, ParameterSpec } from './network.ts';

/** Weight arrays by name. */
export type Weights = Readonly<Record<string, FloatTensor>>;

/** Fresh float32 weights of a network; one seed gives the same weights everywhere. */
export function initialWeights(network: Network, seed: number): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(network.parameters.map((spec) => [spec.name, initialWeight(spec, seed)]));
}

function initialWeight({ name, shape, init }: ParameterSpec, seed: number): Tensor<'float32'> {
  const data = allocate('float32', sizeOf(shape));
  if (init.kind === 'ones') data.fill(1);
  if (init.kind === 'orthonormal')
    fillOrthonormal(data, shape, normal(randomKey(seed, 'weights', name), [data.length]));
  if (init.kind === 'normal') {
    const draws = normal(randomKey(seed, 'weights', name), [data.length]).data;
    const scale = 1 / Math.sqrt(init.fanIn);
    for (let i = 0; i < data.length; i++) data[i] = scale * (draws[i] as number);
  }
  return tensor('float32', shape, data);
}

/** Random matrices [..., d, n] with orthonormal rows, d <= n. */
function fillOrthonormal(data: Float32Array, shape: readonly number[], draws: Tensor<'float64'>): void {
  const [d = 1, n = 1] = shape.slice(-2);
  for (let at = 0; at < data.length; at += d * n) {
    data.set(orthonormalRows(tensor('float64', [d, n], draws.data.slice(at, at + d * n))).q.data, at);
  }
}

/**
 * The weights in the order of the network's parameters, all of one dtype.
 * @throws ModelError for missing, surplus or misshapen arrays; NumericalError for a weight that is not finite
 */
export function orderedWeights<T extends FloatDType>(
  where: string,
  network: Network,
  weights: Weights,
  dtype: T,
): Tensor<T>[] {
  const wanted = new Set(network.parameters.map((p) => p.name));
  const surplus = Object.keys(weights).find((name) => !wanted.has(name));
  if (surplus !== undefined) {
    throw new ModelError(where, `has a weight '${surplus}' that its network does not. Check the side-car file.`);
  }
  return network.parameters.map(({ name, shape }) => {
    const weight = weights[name];
    if (weight === undefined) throw new ModelError(where, `lacks the weight '${name}'. Check the weights file.`);
    if (!sameShape(weight.shape, shape)) {
      throw new ModelError(where, `expected ${showShape(shape)} for weight '${name}', got ${showShape(weight.shape)}.`);
    }
    const bad = weight.data.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) {
      throw new NumericalError(
        where,
        `expected finite weights, got ${weight.data[bad]} at element ${bad} of '${name}'. Train it again.`,
      );
    }
    return castFloat(weight, dtype);
  });
}
