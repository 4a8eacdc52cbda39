import { subset } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { computeMoments } from '../../../src/data/moments.ts';
import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { fitEmpirical } from '../../../src/denoisers/empirical.ts';
import { gaussianDenoiser } from '../../../src/denoisers/gaussian.ts';
import type { CovarianceEigen } from '../../../src/denoisers/gaussian.ts';
import { lowRankMixtureDenoiser } from '../../../src/denoisers/low-rank-mixture.ts';
import type { LowRankComponent } from '../../../src/denoisers/low-rank-mixture.ts';
import { eigh } from '../../../src/linalg/eigh.ts';
import { gramKernel } from '../../../src/linalg/gram.ts';
import { matmul } from '../../../src/linalg/matmul.ts';
import { leadingTriplets } from '../../../src/linalg/triplets.ts';
import { sizeOf, tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import type { ReferenceKind } from './reference-kinds.ts';

/** A denoiser in closed form of the data of a model; it may take its samples flat. */
export interface Reference {
  readonly denoiser: Denoiser;
  /** What it is, one phrase: `10 Gaussians of rank 20`. */
  readonly label: string;
  /** Variances of the Gaussian, descending: its singular values are l / (l + sigma^2). */
  readonly variances?: Float64Array;
}

/** Rank of each part of the low-rank denoiser. */
const LOW_RANK = 20;
/** Variances below this part of the largest are rounding. */
const ROUNDING = 1e-12;

/** Makes a closed form of training data. @throws CancelledError, and what the data throw */
export async function makeReference(kind: ReferenceKind, train: Dataset, signal?: AbortSignal): Promise<Reference> {
  const watch = signal === undefined ? {} : { signal };
  const pictures = train.count === 1 ? 'one picture' : `${train.count} pictures`;
  switch (kind) {
    case 'gaussian': {
      const { mean, eigen } = await gaussianOf(train, watch);
      const { sampleShape } = train;
      const denoiser = gaussianDenoiser({ name: `gaussian:${train.name}`, sampleShape, mean, eigen });
      return { denoiser, label: `one Gaussian, ${pictures}`, variances: eigen.values };
    }
    case 'empirical':
      return {
        denoiser: await fitEmpirical(train, watch),
        label: train.count === 1 ? pictures : `all ${pictures}, by weight`,
      };
    case 'low-rank': {
      // One picture alone has a mean and no directions.
      if (train.count === 1)
        return { ...(await makeReference('gaussian', train, signal)), label: 'rank 0: one picture' };
      const mixture = await mixtureOf(train, watch);
      const denoiser = lowRankMixtureDenoiser({ name: `low-rank:${train.name}`, mixture });
      const ranks = Math.max(...mixture.map(({ variances }) => variances.length));
      const label =
        mixture.length === 1 ? `one Gaussian of rank ${ranks}` : `${mixture.length} Gaussians of rank ${ranks}`;
      return { denoiser, label };
    }
  }
}

interface Watch {
  readonly signal?: AbortSignal;
}

/** Mean and covariance; with fewer samples than numbers in one, from the products of the samples. */
async function gaussianOf(train: Dataset, watch: Watch): Promise<{ mean: Float64Array; eigen: CovarianceEigen }> {
  const D = sizeOf(train.sampleShape);
  if (train.count >= D) {
    const { mean, covariance } = await computeMoments(train, { gram: gramKernel, ...watch });
    return { mean, eigen: eigh(covariance) };
  }
  const { mean, rows } = await centred(train, watch);
  const { values, vectors } = eigh(matmul(rows, rows, { transposeB: true }));
  const kept = Array.from(values.keys()).filter((i) => (values[i] as number) > ROUNDING * (values[0] as number));
  const scaled = tensor(
    'float64',
    [kept.length, train.count],
    Float64Array.from(
      kept.flatMap((i) => {
        const length = Math.sqrt(values[i] as number);
        return Array.from(vectors.data.subarray(i * train.count, (i + 1) * train.count), (v) => v / length);
      }),
    ),
  );
  const variances = Float64Array.from(kept, (i) => (values[i] as number) / train.count);
  return { mean, eigen: { values: variances, vectors: matmul(scaled, rows) } };
}

/** One low-rank Gaussian a class, or one where classes are not known: its leading principal components. */
async function mixtureOf(train: Dataset, watch: Watch): Promise<LowRankComponent[]> {
  const { labels } = train;
  const known = [...new Set(labels)].sort((a, b) => a - b);
  const classes = known.length < train.count && labels !== undefined ? known : [undefined];
  const components: LowRankComponent[] = [];
  for (const label of classes) {
    const indices = label === undefined ? undefined : [...(labels ?? []).keys()].filter((i) => labels?.[i] === label);
    const own = indices === undefined ? train : subset(train, { indices }, `${train.name} ${label}`);
    // A class of one sample has no directions.
    if (own.count < 2 && classes.length > 1) continue;
    components.push(await componentOf(own, own.count / train.count, watch));
  }
  const total = components.reduce((sum, { weight }) => sum + weight, 0);
  return components.map((component) => ({ ...component, weight: component.weight / total }));
}

async function componentOf(own: Dataset, weight: number, watch: Watch): Promise<LowRankComponent> {
  const { mean, rows } = await centred(own, watch);
  const D = mean.length;
  const rank = Math.min(LOW_RANK, own.count - 1, D);
  const { values, right } = await leadingTriplets(
    {
      rows: own.count,
      columns: D,
      epsilon: Number.EPSILON,
      apply: async (v) => matmul(v as Tensor<'float64'>, rows, { transposeB: true }),
      applyTranspose: async (u) => matmul(u as Tensor<'float64'>, rows),
    },
    { rank, ...watch },
  );
  return { weight, mean, basis: right, variances: values.map((s) => (s * s) / own.count) };
}

/** The samples about their mean, [N, D]. */
async function centred(data: Dataset, watch: Watch): Promise<{ mean: Float64Array; rows: Tensor<'float64'> }> {
  const D = sizeOf(data.sampleShape);
  const all = new Float64Array(data.count * D);
  let at = 0;
  for await (const { x } of data.batches({ size: 64, ...watch })) {
    all.set(x.data, at);
    at += x.data.length;
  }
  const mean = new Float64Array(D);
  for (let i = 0; i < all.length; i++) mean[i % D] = (mean[i % D] as number) + (all[i] as number) / data.count;
  for (let i = 0; i < all.length; i++) all[i] = (all[i] as number) - (mean[i % D] as number);
  return { mean, rows: tensor('float64', [data.count, D], all) };
}
