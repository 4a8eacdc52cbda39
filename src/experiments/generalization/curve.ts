import { exactRate } from '../../analysis/copying/interval.ts';
import type { Interval, Rate } from '../../analysis/copying/interval.ts';
import { calibrateThreshold, isCopy } from '../../analysis/copying/rules.ts';
import { histograms } from '../../analysis/copying/histogram.ts';
import { measureReproducibility } from '../../analysis/copying/reproducibility.ts';
import { cosine } from '../../analysis/descriptors/descriptor.ts';
import type { Descriptor } from '../../analysis/descriptors/descriptor.ts';
import { meanSample, pixelDescriptor } from '../../analysis/descriptors/pixels.ts';
import { permutation, randomKey } from '../../tensor/random.ts';
import { slice } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { JobFiles, JobRow } from '../jobs/job.ts';

/** Where on the curve a model stands. */
export interface CurvePlace {
  /** Training samples, N. */
  readonly size: number;
  /** Channels of the network, such as `16-32`. */
  readonly width: string;
  /** Which of the disjoint parts of the data it is trained on. */
  readonly part: number;
}

/** A trained model on the curve. */
export interface CurveCell extends CurvePlace {
  readonly row: JobRow;
  /** [M, ...sampleShape] of the same latents in every cell. */
  readonly samples: Tensor<'float32'>;
  /** [M, ...sampleShape] */
  readonly nearest: Tensor<'float32'>;
  /** [M], cosine of each sample with its nearest training image, less the mean image. */
  readonly cosines: Float64Array;
}

/** What is said of models of one size and width, over the parts of the data. */
export interface CurvePoint {
  readonly size: number;
  readonly width: string;
  /** GL = 1 - memorized fraction by the ratio rule at 1/3. */
  readonly generalization: Rate;
  /** Models of two disjoint parts, from the same noise; undefined with one part. */
  readonly acrossParts?: Rate | undefined;
  /** Samples whose cosine with the nearest training image lies above 0.95. */
  readonly memorizationPeak: Rate;
  /** Means over parts by noise level: PSNR on training less held-out images, RMSE to the Gaussian and to the empirical denoiser. */
  readonly gap: Readonly<Record<string, number>>;
  readonly gaussian: Readonly<Record<string, number>>;
  readonly empirical: Readonly<Record<string, number>>;
  /** Counts of cosines in `GeneralizationCurve.edges`. */
  readonly counts: readonly number[];
  readonly seconds: number;
}

/** The curve from memorizing to generalizing. */
export interface GeneralizationCurve {
  readonly sizes: readonly number[];
  readonly widths: readonly string[];
  readonly points: readonly CurvePoint[];
  /** RP of models of two widths trained on the same samples, over parts and pairs of widths. */
  readonly acrossWidths: readonly { readonly size: number; readonly rate: Rate }[];
  /** Cosine above which two samples count as the same: 1 % of pairs of held-out images lie above it. */
  readonly threshold: number;
  /** Of the histograms of cosines. */
  readonly edges: readonly number[];
}

/** Of a cosine with the nearest training image that no eye tells from 1 at these sizes. */
export const PEAK = 0.95;
/** Pairs of held-out images that calibrate. */
const PAIRS = 20_000;
const FALSE_POSITIVES = 0.01;

/** Cells of job results. @param places  of the results, in order */
export function curveCells(places: readonly CurvePlace[], results: readonly JobFiles[]): CurveCell[] {
  return results.map(({ rows, arrays }, i) => ({
    ...(places[i] as CurvePlace),
    row: rows[0] as JobRow,
    samples: arrays?.['samples'] as Tensor<'float32'>,
    nearest: arrays?.['nearest'] as Tensor<'float32'>,
    cosines: (arrays?.['cosines'] as Tensor<'float64'>).data,
  }));
}

/**
 * Reads the curve off trained models: GL and RP with exact intervals, distances, and where samples lie from their training images.
 * RP pools pairs of models over the same latents as if these were fresh for each pair, so its intervals are somewhat too narrow.
 * @param heldout  [H, ...sampleShape] images that no model was trained on, H >= 3
 * @throws CancelledError; DomainError for too few samples
 * @source Zhang et al. 2023, arXiv 2310.05264, Figure 2 (RP and GL over N); Kadkhodaie et al. 2024, arXiv 2310.02557, Figure 2 (two parts)
 */
export async function readCurve(
  cells: readonly CurveCell[],
  heldout: Tensor<'float32'>,
  { seed, signal }: { readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<GeneralizationCurve> {
  const sizes = [...new Set(cells.map(({ size }) => size))].sort((a, b) => a - b);
  const widths = [...new Set(cells.map(({ width }) => width))];
  const descriptor = pixelDescriptor({ sampleShape: heldout.shape.slice(1), mean: meanSample(heldout) });
  const threshold = await sameThreshold(heldout, descriptor, seed);
  const alike = (pairs: readonly (readonly [CurveCell, CurveCell])[]): Promise<Rate | undefined> =>
    pooledReproducibility(pairs, descriptor, threshold, { seed, signal });
  const at = (size: number, width?: string): CurveCell[] =>
    cells.filter((cell) => cell.size === size && (width === undefined || cell.width === width));
  const points: CurvePoint[] = [];
  for (const size of sizes) {
    for (const width of widths) {
      const own = at(size, width);
      if (own.length > 0) points.push(pointOf(own, await alike(pairsOf(own, (a, b) => a.part !== b.part))));
    }
  }
  const acrossWidths = [];
  for (const size of sizes) {
    const rate = await alike(pairsOf(at(size), (a, b) => a.part === b.part && a.width !== b.width));
    if (rate !== undefined) acrossWidths.push({ size, rate });
  }
  return { sizes, widths, points, acrossWidths, threshold, edges: [...histograms({ none: [] }).edges] };
}

function pairsOf(
  cells: readonly CurveCell[],
  wanted: (a: CurveCell, b: CurveCell) => boolean,
): (readonly [CurveCell, CurveCell])[] {
  return cells.flatMap((a, i) => cells.slice(i + 1).flatMap((b) => (wanted(a, b) ? [[a, b] as const] : [])));
}

/** RP over several pairs of models; undefined for none. */
async function pooledReproducibility(
  pairs: readonly (readonly [CurveCell, CurveCell])[],
  descriptor: Descriptor,
  threshold: number,
  watch: { readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<Rate | undefined> {
  if (pairs.length === 0) return undefined;
  const rates: Rate[] = [];
  for (const [a, b] of pairs) {
    rates.push(await measureReproducibility(a.samples, b.samples, descriptor, { alike: { threshold }, ...watch }));
  }
  return pooled(rates);
}

function pooled(rates: readonly Rate[]): Rate {
  const sum = (pick: (rate: Rate) => number): number => rates.reduce((total, rate) => total + pick(rate), 0);
  return exactRate(sum(({ hits }) => hits), sum(({ count }) => count)); // prettier-ignore
}

/** Models that memorize draw few images over and over, so that their own pairs calibrate nothing: held-out images do. */
async function sameThreshold(heldout: Tensor<'float32'>, descriptor: Descriptor, seed: number): Promise<number> {
  const described = await descriptor.describe(heldout);
  const count = heldout.shape[0] as number;
  const [first, second] = ['first', 'second'].map((name) =>
    Array.from({ length: Math.ceil(PAIRS / count) }, (_, round) => permutation(randomKey(seed, 'pairs', name, round), count)).flatMap((order) => [...order]),
  ) as [number[], number[]]; // prettier-ignore
  const row = (i: number): Float32Array => slice(described, i, i + 1).data;
  const cosines = first.flatMap((i, at) => (i === second[at] ? [] : [cosine(row(i), row(second[at] as number))]));
  return calibrateThreshold('similarity', Float64Array.from(cosines), FALSE_POSITIVES) ?? 1;
}

function pointOf(cells: readonly CurveCell[], acrossParts: Rate | undefined): CurvePoint {
  const [first] = cells as [CurveCell];
  const rows = cells.map(({ row }) => row);
  const counts = Object.values(histograms(Object.fromEntries(cells.map(({ part, cosines }) => [`${part}`, cosines]))).counts); // prettier-ignore
  const copied = (cell: CurveCell): Rate => {
    const M = cell.cosines.length;
    return exactRate(M - Math.round(M * (cell.row['memorized'] as number)), M);
  };
  const peak = (cell: CurveCell): Rate =>
    exactRate(cell.cosines.filter((c) => isCopy('similarity', c, PEAK)).length, cell.cosines.length);
  const { psnrTrain, psnrHeldout, gaussian, empirical } = meansByLevel(rows);
  return {
    size: first.size,
    width: first.width,
    generalization: pooled(cells.map(copied)),
    acrossParts,
    memorizationPeak: pooled(cells.map(peak)),
    gap: Object.fromEntries(Object.entries(psnrTrain).map(([s, v]) => [s, v - (psnrHeldout[s] as number)])),
    gaussian,
    empirical,
    counts: (counts[0] as Int32Array).reduce<number[]>(
      (sums, _, bin) => [...sums, counts.reduce((sum, own) => sum + (own[bin] as number), 0)],
      [],
    ),
    seconds: rows.reduce((sum, row) => sum + (row['seconds'] as number), 0),
  };
}

/** Columns `name_sigma` of rows as means by name and noise level. */
function meansByLevel(
  rows: readonly JobRow[],
): Record<'psnrTrain' | 'psnrHeldout' | 'gaussian' | 'empirical', Record<string, number>> {
  const means = { psnrTrain: {}, psnrHeldout: {}, gaussian: {}, empirical: {} } as Record<
    'psnrTrain' | 'psnrHeldout' | 'gaussian' | 'empirical',
    Record<string, number>
  >;
  for (const row of rows) {
    for (const [column, value] of Object.entries(row)) {
      const [name = '', sigma] = column.split('_');
      const own = Object.hasOwn(means, name) ? means[name as keyof typeof means] : undefined;
      if (own !== undefined && sigma !== undefined) own[sigma] = (own[sigma] ?? 0) + (value as number) / rows.length;
    }
  }
  return means;
}

/** The size at which a rate first reaches one half, between sizes by their logarithms; undefined where it does not. */
export function halfwaySize(points: readonly { readonly size: number; readonly rate: Interval }[]): number | undefined {
  const at = points.findIndex(({ rate }) => rate.value >= 0.5);
  const [before, after] = [points[at - 1], points[at]];
  if (after === undefined || before === undefined) return after?.size;
  const share = (0.5 - before.rate.value) / (after.rate.value - before.rate.value);
  return before.size * (after.size / before.size) ** share;
}
