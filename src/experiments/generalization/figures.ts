import type { Rate } from '../../analysis/copying/interval.ts';
import { slice } from '../../tensor/tensor.ts';
import type { Curve, CurveFigure, HeatmapFigure, ImagesFigure, PlainFigure } from '../plain-figure.ts';
import type { CurveCell, CurvePoint, GeneralizationCurve } from './curve.ts';

/** A number of training samples that some theory names, for a mark on the axis. */
export interface PredictedSize {
  readonly name: string;
  readonly samples: number;
}

const sizeAxis = { kind: 'curves', xLabel: 'training samples N', xScale: 'log' } as const;
/** Samples of each size on the sheet. */
const COLUMNS = 10;

/** Every figure of a curve. @param cells  of the widest network and the first part, by size, for the sheet */
export function curveFigures(
  curve: GeneralizationCurve,
  cells: readonly CurveCell[],
  predicted: readonly PredictedSize[],
  range: readonly [number, number],
): Record<string, PlainFigure> {
  return {
    scores: scores(curve, predicted),
    distances: distances(curve),
    gap: gap(curve),
    peak: peak(curve),
    samples: sheet(cells, range),
  };
}

function ofWidth({ points }: GeneralizationCurve, width: string): CurvePoint[] {
  return points.filter((point) => point.width === width);
}

/** Noise levels of a record by level, ascending. */
function sigmasOf(levels: Readonly<Record<string, number>> = {}, low: number, high: number): string[] {
  return Object.keys(levels)
    .filter((s) => Number(s) >= low && Number(s) <= high)
    .sort((a, b) => Number(a) - Number(b));
}

function withIntervals(name: string, at: readonly { readonly size: number; readonly rate: Rate }[]): Curve {
  return {
    name,
    x: at.map(({ size }) => size),
    y: at.map(({ rate }) => rate.value),
    low: at.map(({ rate }) => rate.low),
    high: at.map(({ rate }) => rate.high),
    style: 'joined',
  };
}

/** GL and RP on one axis, as the papers draw them. */
function scores(curve: GeneralizationCurve, predicted: readonly PredictedSize[]): CurveFigure {
  const { widths, acrossWidths, sizes } = curve;
  const parts = curve.points.flatMap(({ size, width, acrossParts: rate }) =>
    rate !== undefined && width === widths.at(-1) ? [{ size, rate }] : [],
  );
  const largest = sizes.at(-1) as number;
  return {
    ...sizeAxis,
    title: 'From memorizing to generalizing',
    yLabel: 'score',
    curves: [
      ...widths.map((width) =>
        withIntervals(`GL of channels ${width}`, ofWidth(curve, width).map(({ size, generalization: rate }) => ({ size, rate }))),
      ),
      ...(acrossWidths.length > 0 ? [withIntervals('RP of two widths on the same samples', acrossWidths)] : []),
      ...(parts.length > 0 ? [withIntervals('RP of one width on disjoint samples', parts)] : []),
      ...predicted
        .filter(({ samples }) => samples <= 4 * largest)
        .map(({ name, samples }): Curve => ({ name, x: [samples, samples], y: [0, 1], style: 'dashed' })),
    ],
  }; // prettier-ignore
}

function distances(curve: GeneralizationCurve): CurveFigure {
  const width = curve.widths.at(-1) as string;
  const points = ofWidth(curve, width);
  const sigmas = sigmasOf(points[0]?.gaussian, 0.3, 3);
  const line = (reference: 'gaussian' | 'empirical', sigma: string, style: Curve['style']): Curve => ({
    name: `sigma ${sigma}, ${reference}`,
    x: points.map(({ size }) => size),
    y: points.map((point) => point[reference][sigma] as number),
    style,
  });
  return {
    ...sizeAxis,
    title: `Distance of the denoiser (channels ${width}) to the Gaussian and the empirical one of its training samples`,
    yLabel: 'RMSE on held-out images, data units',
    curves: sigmas.flatMap((s) => [line('gaussian', s, 'line'), line('empirical', s, 'dashed')]),
  };
}

function gap(curve: GeneralizationCurve): CurveFigure {
  const sigmas = sigmasOf(curve.points[0]?.gap, 0.1, 1);
  return {
    ...sizeAxis,
    title: 'What the denoiser knows of its training images',
    yLabel: 'PSNR on training less held-out images, dB',
    curves: curve.widths.flatMap((width, i) =>
      sigmas.map((sigma): Curve => ({
        name: `sigma ${sigma}, channels ${width}`,
        x: ofWidth(curve, width).map(({ size }) => size),
        y: ofWidth(curve, width).map((point) => point.gap[sigma] as number),
        style: i === 0 ? 'dashed' : 'line',
      })),
    ),
  };
}

/** Where cosines with the nearest training image lie: the peak at 1 goes as N grows. */
function peak(curve: GeneralizationCurve): HeatmapFigure {
  const width = curve.widths.at(-1) as string;
  const points = ofWidth(curve, width);
  const first = curve.edges.findIndex((edge) => edge >= 0.3);
  const centres = curve.edges.slice(first, -1).map((edge, i) => (edge + (curve.edges[first + i + 1] as number)) / 2);
  const shares = points.map(({ counts }) => {
    const all = counts.reduce((sum, n) => sum + n, 0);
    return counts.slice(first).map((n) => n / all);
  });
  return {
    kind: 'heatmap',
    title: `Cosine of samples with their nearest training image (channels ${width})`,
    xLabel: 'training samples N, log\u2082',
    yLabel: 'cosine',
    // Sizes that double stand evenly by their logarithms.
    x: points.map(({ size }) => Number(Math.log2(size).toFixed(2))),
    y: centres.map((c) => Number(c.toFixed(3))),
    values: centres.map((_, bin) => shares.map((share) => share[bin] as number)),
    label: 'share of samples',
    domain: [0, 1],
  };
}

/** Samples of the same latents over their nearest training images, size by size. */
function sheet(cells: readonly CurveCell[], range: readonly [number, number]): ImagesFigure {
  const shape = cells[0]?.samples.shape.slice(1) as [number, number, number];
  const pick = (x: CurveCell['samples']): Float32Array[] =>
    Array.from({ length: COLUMNS }, (_, i) => slice(x, i, i + 1).data);
  return {
    kind: 'images',
    title: 'Samples from the same noise, each over its nearest training image',
    shape,
    range,
    rows: cells.flatMap(({ size, samples, nearest }) => [
      { caption: `N = ${size}`, images: pick(samples) },
      { caption: 'nearest', images: pick(nearest) },
    ]),
  };
}
