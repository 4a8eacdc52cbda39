import { fitAttributeJudge } from '../../src/analysis/attribute-judge.ts';
import { datasetFrom } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import type { Judge } from '../../src/experiments/editing-benchmark.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import type { FloatTensor } from '../../src/tensor/tensor.ts';
import { attributeNames, cropped, eyes } from './data.ts';
import type { Faces } from './data.ts';
import { networkNames } from './face-api.ts';
import type { FaceNetworks } from './face-api.ts';

/** How well one judge tells one attribute of unedited held-out faces. */
export interface Credibility {
  readonly attribute: string;
  readonly judge: 'face-api' | 'regression';
  /** With the truth, Pearson's. */
  readonly correlation: number;
  /** Probability that a face with the attribute is read higher than one without; undefined for ages. */
  readonly auc: number | undefined;
  /** Share of the variance of the truth that a regression explains. */
  readonly r2: number | undefined;
  /** Whether edits are rated by it. */
  readonly counts: boolean;
}

/** Least area under the curve, or correlation for ages, of a judge that rates edits. */
export const least = { auc: 0.8, correlation: 0.5 } as const;

/** Readings [N, names.length] of whoever reads them. */
interface Readings {
  readonly judge: Credibility['judge'];
  readonly names: readonly string[];
  readonly r2?: ArrayLike<number>;
  read(images: FloatTensor): Float64Array;
}

/** Of ridges from 0.003 to 0.3 the best on training images that it had not seen. */
const fit = { images: 2000, ridge: 0.3 } as const;

/**
 * The judge of edited faces: smile, age and gender by face-api's networks and glasses by a regression on the pixels about the eyes, those that
 * are credible on held-out faces. A deviation is that of its own readings of these faces.
 */
export async function openJudge(
  { train, heldout }: Faces,
  networks: FaceNetworks,
): Promise<{ judge: Judge; credibility: readonly Credibility[] }> {
  const regression = await fitAttributeJudge(eyesOf(train), eyesOf(heldout), fit);
  const sources: Readings[] = [
    { judge: 'face-api', names: networkNames, read: (images) => networks.read(images) },
    {
      judge: 'regression',
      names: regression.names,
      r2: regression.r2,
      read: (images) => regression.judge(cropped(images, eyes)),
    },
  ];
  const images = await heldout.read(Array.from({ length: heldout.count }, (_, i) => i));
  const rated = sources.flatMap((source) => {
    const values = source.read(images);
    return source.names.map((name, column) => {
      const own = columnOf(values, source.names.length, column);
      const row = { ...credibilityOf(name, own, heldout), judge: source.judge, r2: source.r2?.[column] };
      return { source, column, row, deviation: deviationOf(own) };
    });
  });
  const chosen = rated.filter(({ row }) => row.counts);
  return {
    credibility: rated.map(({ row }) => row),
    judge: {
      names: chosen.map(({ row }) => row.attribute),
      deviations: chosen.map(({ deviation }) => deviation),
      judge: (edits) => {
        const shown = clipped(edits, heldout);
        const bySource = new Map(sources.map((source) => [source, source.read(shown)]));
        const [count = 0] = edits.shape;
        return Float64Array.from({ length: count * chosen.length }, (_, i) => {
          const { source, column } = chosen[i % chosen.length] as (typeof chosen)[number];
          const b = Math.floor(i / chosen.length);
          return bySource.get(source)?.[b * source.names.length + column] as number;
        });
      },
    },
  };
}

/** The pixels about the eyes, with glasses or without. */
function eyesOf(faces: Dataset): Dataset {
  const column = attributeNames.indexOf('glasses');
  return datasetFrom({
    ...faces,
    sampleShape: [3, eyes.height, eyes.width],
    attributes: { names: ['glasses'], values: valuesOf(faces, column) },
    load: async (indices) => cropped(await faces.read(indices), eyes).data,
  });
}

function valuesOf({ attributes }: Dataset, column: number): Float64Array {
  return columnOf(attributes?.values ?? new Float64Array(), attributeNames.length, column);
}

/** Values beyond black and white count as these, as in a picture. */
function clipped(x: FloatTensor, { range }: Dataset): FloatTensor {
  return tensor(
    'float32',
    x.shape,
    Float32Array.from(x.data, (v) => Math.min(range.high, Math.max(range.low, v))),
  );
}

function credibilityOf(
  attribute: string,
  read: Float64Array,
  faces: Dataset,
): Pick<Credibility, 'attribute' | 'correlation' | 'auc' | 'counts'> {
  const truth = valuesOf(faces, (attributeNames as readonly string[]).indexOf(attribute));
  const correlation = correlationOf(read, truth);
  const auc = attribute === 'age' ? undefined : areaUnderCurve(read, truth);
  return {
    attribute,
    correlation,
    auc,
    counts: auc === undefined ? correlation >= least.correlation : auc >= least.auc,
  };
}

function columnOf(values: Float64Array, width: number, column: number): Float64Array {
  return values.filter((_, i) => i % width === column);
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v / values.length, 0);
}

function deviationOf(values: Float64Array): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((v) => (v - mean) ** 2)));
}

function correlationOf(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  const covariance = meanOf(a.map((v, i) => (v - meanA) * ((b[i] as number) - meanB)));
  return covariance / (deviationOf(a) * deviationOf(b));
}

/** Truth above 1/2 is with the attribute. */
function areaUnderCurve(read: Float64Array, truth: Float64Array): number {
  const having = read.filter((_, i) => (truth[i] as number) > 0.5);
  const lacking = read.filter((_, i) => (truth[i] as number) <= 0.5);
  let wins = 0;
  for (const a of having) for (const b of lacking) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (having.length * lacking.length);
}
