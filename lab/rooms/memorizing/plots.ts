import * as Plot from '@observablehq/plot';

import { histograms } from '../../../src/analysis/copying/histogram.ts';
import type { Interval } from '../../../src/analysis/copying/interval.ts';
import { drawPlot, seriesColor } from '../../components/plot.ts';
import { acrossWidths, chance, cosineEdges, pointAt, points, sizes } from './curve.ts';
import type { Width } from './curve.ts';
import type { MemorizingState } from './room.ts';
import type { SheetRow } from './sheet.ts';

/** A rate of one network, or of two. */
export interface CurveRow extends Interval {
  readonly series: string;
  readonly size: number;
}

type Place = Pick<MemorizingState, 'size' | 'width'>;

const widths: readonly Width[] = ['narrow', 'wide'];
const byWidth = (of: (width: Width, size: number) => Interval, name: string): CurveRow[] =>
  widths.flatMap((width) =>
    sizes.map((size) => ({ series: `${name}, ${width}`, size, ...intervalOf(of(width, size)) })),
  );

/** GL of both networks, and the share of samples of one that lie close to a training image, over N. */
export function generalizationRows({ width }: Pick<Place, 'width'>): CurveRow[] {
  return [
    ...byWidth((w, size) => pointAt(size, w).generalization, 'GL'),
    ...sizes.map((size) => ({
      series: `close to a training image, ${width}`,
      size,
      ...intervalOf(pointAt(size, width).close),
    })),
    ...chance.map(({ size, share }) => ({
      series: 'held-out images that close',
      size,
      value: share,
      low: share,
      high: share,
    })),
  ];
}

/** RP of two widths on the same images, and of two networks without a common image, over N. */
export function reproducibilityRows(): CurveRow[] {
  return [
    ...byWidth((w, size) => pointAt(size, w).halves, 'no common image'),
    ...acrossWidths.map(({ size, rate }) => ({ series: 'same images, two widths', size, ...intervalOf(rate) })),
  ];
}

function intervalOf({ value, low, high }: Interval): Interval {
  return { value, low, high };
}

/** How a series is drawn, and at which N its name stands. */
interface SeriesStyle {
  readonly color: string;
  /** Its name where there is little room. */
  readonly short: string;
  /** Its name where there is more, if it takes two lines. */
  readonly long?: string;
  readonly label: number;
  readonly anchor: 'start' | 'end';
  readonly dashed?: boolean;
}

const styles: Readonly<Record<string, SeriesStyle>> = {
  'GL, narrow': { color: seriesColor(1), short: 'narrow', label: 32, anchor: 'end' },
  'GL, wide': { color: seriesColor(0), short: 'wide', label: 64, anchor: 'end' },
  'close to a training image, narrow': {
    color: seriesColor(3),
    short: 'close',
    label: 64,
    anchor: 'start',
    dashed: true,
  },
  'close to a training image, wide': {
    color: seriesColor(3),
    short: 'close',
    label: 128,
    anchor: 'start',
    dashed: true,
  },
  'held-out images that close': { color: seriesColor(5), short: 'held-out', label: 4096, anchor: 'end', dashed: true },
  'no common image, narrow': {
    color: seriesColor(1),
    short: 'narrow',
    long: 'no common\nimage, narrow',
    label: 64,
    anchor: 'end',
  },
  'no common image, wide': { color: seriesColor(0), short: 'no common image', label: 128, anchor: 'start' },
  'same images, two widths': { color: seriesColor(2), short: 'same images', label: 128, anchor: 'end' },
};
/** CSS pixels below which a figure has room for short names only. */
const NARROW = 480;
const styleOf = ({ series }: CurveRow): SeriesStyle => styles[series] as SeriesStyle;

/** The axis of N; where there is little room every other size is named. */
function sizeAxis(width: number): Plot.ScaleOptions {
  const ticks = sizes.filter((_, i) => width >= NARROW || i % 2 === 0);
  return {
    type: 'log',
    base: 2,
    domain: [sizes[0], sizes.at(-1)],
    label: 'training images N',
    ticks,
    tickFormat: String,
  };
}

/** Rates over N with their intervals; the chosen N is marked. */
export function ratePlot(rows: readonly CurveRow[], size: number, label: string, width: number): Element {
  const color = (row: CurveRow): string => styleOf(row).color;
  const lines = (dashed: boolean): Plot.Markish =>
    Plot.line(
      rows.filter((row) => (styleOf(row).dashed ?? false) === dashed),
      { x: 'size', y: 'value', z: 'series', stroke: color, strokeWidth: 1.75, ...(dashed && { strokeDasharray: '4,4' }) },
    ); // prettier-ignore
  const chosen = rows.filter((row) => row.size === size);
  return drawPlot(width, {
    x: sizeAxis(width),
    y: { domain: [0, 1], label, ticks: 5, grid: true },
    marks: [
      ...marker(size),
      lines(true),
      lines(false),
      Plot.ruleX(rows, { x: 'size', y1: 'low', y2: 'high', stroke: color, strokeOpacity: 0.55, strokeWidth: 2 }),
      Plot.dot(rows, { x: 'size', y: 'value', fill: color, r: 2.5 }),
      Plot.dot(chosen, { x: 'size', y: 'value', fill: color, r: 5, stroke: 'var(--ground)', strokeWidth: 1.5 }),
      ...(['start', 'end'] as const).map((anchor) =>
        Plot.text(
          rows.filter((row) => styleOf(row).label === row.size && styleOf(row).anchor === anchor),
          {
            x: 'size',
            y: 'value',
            text: (row: CurveRow) => (width < NARROW ? styleOf(row).short : (styleOf(row).long ?? row.series)),
            lineAnchor: 'bottom',
            fill: color,
            fontWeight: 600,
            textAnchor: anchor,
            dx: anchor === 'start' ? 9 : -9,
            dy: anchor === 'start' ? 14 : -4,
            stroke: 'var(--ground)',
            strokeWidth: 4,
          },
        ),
      ),
    ],
  });
}

/** Room for the words above a row of a sheet, and between images, CSS pixels. */
const [SHEET_WORDS, SHEET_GAP] = [24, 4];

/** Samples of one size over their nearest training images, as many as there is room for; the words alone before they have come. */
export function sheetPlot(row: SheetRow | undefined, width: number): Element {
  const columns = width < NARROW ? 5 : 10;
  const tile = (width + SHEET_GAP) / columns - SHEET_GAP;
  const rows = [
    { name: 'samples', images: row?.samples ?? [] },
    { name: 'nearest training images', images: row?.nearest ?? [] },
  ].map((own, i) => ({ ...own, top: SHEET_WORDS + i * (tile + SHEET_WORDS + 6) }));
  const tiles = rows.flatMap(({ images, top }) =>
    images.slice(0, columns).map((src, i) => ({ src, x: i * (tile + SHEET_GAP) + tile / 2, y: top + tile / 2 })),
  );
  const height = (rows.at(-1)?.top ?? 0) + tile;
  return drawPlot(width, {
    height,
    ...{ marginTop: 0, marginRight: 0, marginBottom: 0, marginLeft: 0 },
    // In CSS pixels.
    x: { axis: null, domain: [0, width] },
    y: { axis: null, domain: [height, 0] },
    marks: [
      Plot.text(rows, {
        x: 0,
        y: 'top',
        text: 'name',
        textAnchor: 'start',
        lineAnchor: 'bottom',
        dy: -5,
        fill: 'var(--quiet)',
      }),
      Plot.image(tiles, { x: 'x', y: 'y', src: 'src', width: tile, height: tile, imageRendering: 'pixelated' }),
    ],
  });
}

/** The gap of PSNR at one noise level over N, both networks. */
export function gapPlot({ size, sigma }: Pick<MemorizingState, 'size' | 'sigma'>, width: number): Element {
  const rows = points.map((point) => ({ size: point.size, width: point.width, gap: point.gap[sigma] }));
  const color = (row: { width: Width }): string => seriesColor(row.width === 'wide' ? 0 : 1);
  return drawPlot(width, {
    height: 240,
    x: sizeAxis(width),
    y: { label: 'PSNR gap, dB', domain: [Math.min(0, ...rows.map((r) => r.gap)), Math.max(...rows.map((r) => r.gap))], nice: true, grid: true, ticks: 5 }, // prettier-ignore
    marks: [
      ...marker(size),
      Plot.ruleY([0], { stroke: 'var(--line)' }),
      Plot.line(rows, { x: 'size', y: 'gap', z: 'width', stroke: color, strokeWidth: 1.75 }),
      Plot.dot(rows, { x: 'size', y: 'gap', fill: color, r: (row: { size: number }) => (row.size === size ? 5 : 2.5) }),
      ...widths.map((name) =>
        Plot.text(
          rows.filter((row) => row.size === 64 && row.width === name),
          {
            ...{ x: 'size', y: 'gap', text: 'width', fill: color, fontWeight: 600 },
            ...(name === 'wide'
              ? { textAnchor: 'start', lineAnchor: 'bottom', dx: 7 }
              : { textAnchor: 'end', lineAnchor: 'top', dx: -4, dy: 2 }),
          },
        ),
      ),
    ],
  });
}

/** Vertical mark of the chosen N. */
function marker(size: number): Plot.Markish[] {
  return [
    Plot.ruleX([size], { stroke: 'var(--accent)', strokeDasharray: '2,3' }),
    Plot.text([size], { x: (n: number) => n, frameAnchor: 'top', dy: -14, text: (n: number) => `N = ${n}`, fill: 'var(--accent)' }), // prettier-ignore
  ];
}

/** Lowest cosine of any sample of the curve, so that the axis stays where it is when N moves. */
const lowest = cosineEdges[Math.min(...points.map(({ counts }) => counts.findIndex((count) => count > 0)))] as number;

/** Samples of one network by their cosine with the nearest training image. */
export function cosineRows(place: Place): { low: number; high: number; count: number }[] {
  return pointAt(place.size, place.width)
    .counts.map((count, i) => ({ low: cosineEdges[i] as number, high: cosineEdges[i + 1] as number, count }))
    .filter(({ low }) => low >= lowest - 1e-9);
}

/** Where the cosines of one network lie. */
export function cosinePlot(place: Place, width: number): Element {
  const rows = cosineRows(place);
  const fill = ({ low }: { low: number }): string => (low > 0.949 ? seriesColor(3) : 'var(--edge)');
  return drawPlot(width, {
    height: 240,
    x: { domain: [lowest, 1], label: 'cosine with the nearest training image', ticks: 6 },
    y: { label: 'samples', domain: [0, 1024], grid: true, ticks: 4 },
    marks: [
      Plot.rectY(rows, { x1: 'low', x2: 'high', y: 'count', fill, insetLeft: 0.5, insetRight: 0.5 }),
      Plot.ruleX([0.95], { stroke: seriesColor(3), strokeDasharray: '2,3' }),
      Plot.text([0.95], { x: (x: number) => x, frameAnchor: 'top', dy: -14, dx: -6, textAnchor: 'end', text: () => 'close: above 0.95', fill: seriesColor(3) }), // prettier-ignore
    ],
  });
}

/** One set of ratios of nearest over second nearest distance. */
export interface RatioSet {
  readonly name: string;
  readonly ratios: ArrayLike<number>;
}

const BINS = 20;

/** Ratios by bin, a row a bin and set, as shares of the set. */
export function ratioRows(sets: readonly RatioSet[]): { set: string; low: number; high: number; share: number }[] {
  return sets.flatMap(({ name, ratios }) => {
    const { edges, counts } = histograms({ all: ratios }, BINS, { low: 0, high: 1 });
    return [...counts.all].map((count, i) => ({ set: name, low: edges[i] as number, high: edges[i + 1] as number, share: count / Math.max(1, ratios.length) })); // prettier-ignore
  });
}

/** Histograms of ratios under one another, with the threshold below which a sample counts as a copy. */
export function ratioPlot(given: readonly RatioSet[], threshold: number, width: number): Element {
  // Before there are samples, empty axes of the same size.
  const sets = given.length > 0 ? given : [' ', '  '].map((name) => ({ name, ratios: [] }));
  const rows = ratioRows(sets);
  const most = Math.max(...rows.map(({ share }) => share)) || 1;
  const fill = ({ low, high }: { low: number; high: number }): string =>
    (low + high) / 2 < threshold ? seriesColor(3) : 'var(--edge)';
  return drawPlot(width, {
    height: 70 + 110 * sets.length,
    x: { domain: [0, 1], label: 'nearest over second nearest distance', ticks: 6 },
    y: { label: 'share', domain: [0, most], ticks: 3, tickFormat: '.0%', grid: true, insetTop: 16 },
    fy: { axis: null, domain: sets.map(({ name }) => name), padding: 0.12 },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--line)' }),
      Plot.rectY(rows, { x1: 'low', x2: 'high', y: 'share', fy: 'set', fill, insetLeft: 0.5, insetRight: 0.5 }),
      Plot.text(sets, {
        fy: 'name',
        text: 'name',
        frameAnchor: 'top-left',
        fontWeight: 600,
        fill: 'var(--ink)',
        dx: 4,
        dy: 2,
      }),
      Plot.ruleX([threshold], { stroke: seriesColor(3), strokeDasharray: '2,3' }),
      Plot.text([threshold], {
        x: (t: number) => t,
        fy: () => sets[0]?.name ?? '',
        frameAnchor: 'top',
        dy: -14,
        text: () => `copies: below ${threshold}`,
        textAnchor: threshold < 0.5 ? 'start' : 'end',
        fill: seriesColor(3),
      }),
    ],
  });
}
