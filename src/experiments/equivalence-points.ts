import { drawMixturePoints } from '../analysis/clustering/subspace-problem.ts';
import { openDataset } from '../data/open.ts';
import { randomMixture } from '../denoisers/mixture-draw.ts';
import { parseMixtureSpec } from '../denoisers/mixture-spec.ts';
import { DomainError, SpecError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { castFloat, reshape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { EquivalenceSpec } from './equivalence-spec.ts';

/** Points through which subspaces are laid. */
export interface EquivalencePoints {
  readonly name: string;
  /** [N, n], as the network takes them: subspaces through the origin, variance inside them about 1. */
  readonly x: Tensor<'float64'>;
  /** Rank of each subspace. */
  readonly ranks: readonly number[];
  /** Length n: what was subtracted, then divided by `scale`. */
  readonly mean: Float64Array;
  readonly scale: number;
  /** Subspaces that the points were drawn from, where known. */
  readonly truth?: readonly Tensor<'float64'>[];
}

const MIXTURE = 'molrg:';

/**
 * Draws a mixture's points, or reads a data set's and brings them to mean zero and to a mean square of the rank.
 * @throws SpecError for what names neither, a mixture with means, or a data set with noise of its own; DomainError for samples without variance; DatasetError
 */
export async function equivalencePoints(spec: EquivalenceSpec): Promise<EquivalencePoints> {
  return spec.data.startsWith(MIXTURE) ? drawnPoints(spec) : readPoints(spec);
}

function drawnPoints({ data, points, pointNoise, seed }: EquivalenceSpec): EquivalencePoints {
  const mixture = randomMixture(parseMixtureSpec(data.slice(MIXTURE.length)));
  if (mixture.some(({ mean }) => mean.some((v) => v !== 0))) {
    throw new SpecError('equivalence', `takes subspaces through the origin, got means in '${data}'. Leave them out.`);
  }
  const { points: x, truth } = drawMixturePoints(mixture, points, { noise: pointNoise, seed });
  const n = x.shape[1] as number;
  const ranks = truth.map((basis) => basis.shape[0] as number);
  return { name: data, x, ranks, mean: new Float64Array(n), scale: 1, truth };
}

async function readPoints(spec: EquivalenceSpec): Promise<EquivalencePoints> {
  const { data, points, pointNoise, clusters, rank, seed } = spec;
  if (pointNoise > 0) {
    throw new SpecError('equivalence', `puts noise on the points of mixtures only, got ${pointNoise} for '${data}'. Leave it out.`); // prettier-ignore
  }
  const dataset = await openDataset(data);
  const order = permutation(randomKey(seed, 'equivalence', 'points'), dataset.count);
  const read = castFloat(await dataset.read(order.subarray(0, points)), 'float64');
  const [N, n] = [read.shape[0] as number, sizeOf(dataset.sampleShape)];
  const x = reshape(read, [N, n]);
  // Beforehand: rounding of the mean would leave something to scale.
  if (x.data.every((value, i) => value === x.data[i % n])) {
    throw new DomainError('equivalence', `expected samples of ${dataset.name} that differ, got all equal. They have no directions.`); // prettier-ignore
  }
  const mean = new Float64Array(n);
  x.data.forEach((value, i) => (mean[i % n] = (mean[i % n] as number) + value / N));
  const centred = x.data.map((value, i) => value - (mean[i % n] as number));
  const scale = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0) / (N * rank)) || 1;
  const scaled = centred.map((value) => value / scale);
  const ranks = new Array<number>(clusters).fill(rank);
  return { name: dataset.name, x: tensor('float64', [N, n], scaled), ranks, mean, scale };
}
