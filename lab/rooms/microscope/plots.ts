import * as Plot from '@observablehq/plot';

import { drawPlot, logTicks, seriesColor } from '../../components/plot.ts';
import { showNumber } from '../../components/scale.ts';
import type { ReferenceSpectrum } from './operations.ts';
import type { ReferenceKind } from './reference-kinds.ts';

/** What the figure of spectra shows. */
export interface SpectrumData {
  /** Leading singular values of the model, with a bound for each. */
  readonly values: ArrayLike<number>;
  readonly bounds: ArrayLike<number>;
  /** All of them, where they are known. */
  readonly whole: ArrayLike<number> | undefined;
  readonly rank: number | undefined;
  readonly references: readonly ReferenceSpectrum[];
  /** Number of singular values. */
  readonly dimension: number;
  /** Which vector is looked at, from 0. */
  readonly active: number;
}

/** What a pointer does to the dots. */
export interface SpectrumEvents {
  readonly hover: (direction: number | undefined) => void;
  readonly choose: (direction: number) => void;
}

/** One singular value; x counts from 1. */
interface SpectrumPoint {
  readonly kind: ReferenceKind | 'model';
  readonly x: number;
  readonly y: number;
}

/** Names of the closed forms, as they stand in figures. */
export const kindNames: Readonly<Record<ReferenceKind, string>> = {
  gaussian: 'Gaussian',
  'low-rank': 'low rank',
  empirical: 'empirical',
};

/** CSS colours of the lines. */
export const colors: Readonly<Record<ReferenceKind | 'model', string>> = {
  model: seriesColor(0),
  gaussian: seriesColor(1),
  'low-rank': seriesColor(2),
  empirical: seriesColor(3),
};

/** Smallest value that is drawn. */
const FLOOR = 1e-3;

/** Singular values of the model and of closed forms of the same data, on the same axes. */
export function spectrumPlot(data: SpectrumData, width: number, events: SpectrumEvents): Element {
  const { values, rank, references, dimension, active } = data;
  const leading = pointsOf('model', values);
  const whole = thinned(pointsOf('model', data.whole ?? values));
  const beside = references.flatMap(({ kind, values: own }) => thinned(pointsOf(kind, own)));
  const all = [...leading, ...whole, ...beside];
  const high = Math.max(1.2, ...all.map(({ y }) => 1.3 * y));
  const kinds = new Map(Map.groupBy([...whole, ...beside], ({ kind }) => kind));
  const labels = spread(
    [...kinds.values()].map((points) => labelPoint(points, dimension)),
    high,
  );
  const plot = drawPlot(width, {
    marginRight: 24,
    x: { type: 'log', domain: [0.9, dimension], label: 'direction i', ticks: logTicks(1, dimension), tickFormat: String },
    y: { type: 'log', domain: [FLOOR, high], label: 'singular value', ticks: logTicks(FLOOR, high), tickFormat: String, grid: true, clamp: true },
    marks: [
      ...(rank === undefined ? [] : rankMarks(rank)),
      Plot.line(beside, { x: 'x', y: 'y', z: 'kind', stroke: color, strokeWidth: 1.5, strokeDasharray: '4,3' }),
      Plot.line(whole, { x: 'x', y: 'y', stroke: colors.model, strokeWidth: 1.75 }),
      Plot.dot(leading, { x: 'x', y: 'y', fill: colors.model, r: 3.5 }),
      Plot.dot(leading.slice(active, active + 1), { x: 'x', y: 'y', stroke: 'var(--accent)', strokeWidth: 2, r: 7.5 }),
      Plot.text(labels, { x: 'x', y: 'y', text: 'text', fill: color, stroke: 'var(--ground)', strokeWidth: 4, fontWeight: 600, textAnchor: 'start', dx: 6, dy: -8 }),
    ],
  }); // prettier-ignore
  listen(plot, leading, events);
  return plot;
}

function color({ kind }: Pick<SpectrumPoint, 'kind'>): string {
  return colors[kind];
}

function rankMarks(rank: number): Plot.Markish[] {
  return [
    Plot.ruleX([rank], { stroke: colors.model, strokeDasharray: '2,3' }),
    Plot.text([rank], { x: (r: number) => r, frameAnchor: 'top', dy: -12, text: () => `rank ${rank}`, fill: colors.model }),
  ]; // prettier-ignore
}

function pointsOf(kind: SpectrumPoint['kind'], values: ArrayLike<number>): SpectrumPoint[] {
  return Array.from(values, (y, i) => ({ kind, x: i + 1, y })).filter(({ y }) => y >= FLOOR);
}

/** On a log axis far fewer points show the same line. */
function thinned(points: readonly SpectrumPoint[]): SpectrumPoint[] {
  let next = 1;
  return points.filter(({ x }, i) => {
    if (x < next && i < points.length - 1) return false;
    next = Math.max(x + 1, x * 1.03);
    return true;
  });
}

type Label = SpectrumPoint & { readonly text: string };

/** Where the name of a line stands: at its last value that leaves room for it. */
function labelPoint(points: readonly SpectrumPoint[], dimension: number): Label {
  const first = points[0] as SpectrumPoint;
  const at = points.findLast(({ x }) => x <= dimension ** 0.75) ?? first;
  return { ...at, text: at.kind === 'model' ? 'model' : kindNames[at.kind] };
}

/** Moves names apart that would lie on each other. */
function spread(labels: readonly Label[], high: number): Label[] {
  const apart = (high / FLOOR) ** (1 / 18);
  let least = 0;
  return labels
    .toSorted((a, b) => a.y - b.y)
    .map((label) => {
      const y = Math.max(label.y, least);
      least = y * apart;
      return { ...label, y };
    });
}

/** The dot nearest to the pointer is the one that is meant. */
function listen(plot: Element, points: readonly SpectrumPoint[], { hover, choose }: SpectrumEvents): void {
  const dots = [...plot.querySelectorAll<SVGCircleElement>('[data-mark="dot"] circle')].slice(0, points.length);
  const nearest = (event: PointerEvent): number | undefined => {
    const distances = dots.map((dot) => {
      const { left, top, width, height } = dot.getBoundingClientRect();
      return Math.hypot(event.clientX - left - width / 2, event.clientY - top - height / 2);
    });
    const least = Math.min(...distances);
    const at = distances.indexOf(least);
    return least < 24 ? (points[at] as SpectrumPoint).x - 1 : undefined;
  };
  plot.addEventListener('pointermove', (event) => hover(nearest(event as PointerEvent)));
  plot.addEventListener('pointerleave', () => hover(undefined));
  plot.addEventListener('click', (event) => {
    const at = nearest(event as PointerEvent);
    if (at !== undefined) choose(at);
  });
}

/** A sentence for closed forms that have no value high enough to be drawn; empty where there is none. */
export function unseen(references: readonly ReferenceSpectrum[]): string {
  const low = references.filter(({ values }) => !values.some((value) => value >= FLOOR));
  const names = low.map(({ kind }) => kindNames[kind]).join(', ');
  return names === '' ? '' : ` Below ${FLOOR} throughout: ${names}.`;
}

/** Rows of every value that the figure shows, and how the model's are known. */
export function spectrumRows({ values, bounds, whole, references }: SpectrumData): (string | number)[][] {
  const rest = Array.from(whole ?? []).slice(values.length);
  return [
    ...Array.from(values, (value, i) => ['model', i + 1, value, bounds[i] ?? '']),
    ...rest.map((value, i) => ['model', values.length + i + 1, value, '']),
    ...references.flatMap(({ kind, values: own }) => Array.from(own, (value, i) => [kind, i + 1, value, ''])),
  ];
}

/** A singular value with its bound, `0.931 ± 2e−6`. */
export function showValue(value: number, bound: number): string {
  return `${showNumber(value)} ± ${bound.toExponential(0).replaceAll('-', '−')}`;
}
