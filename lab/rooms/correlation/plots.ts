import * as Plot from '@observablehq/plot';

import { drawPlot, logTicks, seriesColor } from '../../components/plot.ts';
import type { PlotOptions } from '../../components/plot.ts';
import type { DirectionPoint } from './closed-forms.ts';
import type { DirectionPath } from './images.ts';
import type { Measure } from './room.ts';
import type { MeasuredPoint } from './trials.ts';

const color = ({ direction }: { direction: number }): string => seriesColor(direction);
const nameOf = ({ direction }: { direction: number }): string => String(direction + 1);

/** What the figure of alignment shows. */
export interface AlignmentData {
  readonly curves: readonly DirectionPoint[];
  readonly measured: readonly MeasuredPoint[];
  /** Noise level at which each direction is lost. */
  readonly critical: readonly number[];
  /** Noise level of the power iteration. */
  readonly sigma: number;
  readonly measure: Measure;
}

/** Alignment of every direction while noise falls: lines the closed form, dots the trials. */
export function alignmentPlot({ curves, measured, critical, sigma, measure }: AlignmentData, width: number): Element {
  const xs = curves.map(({ x }) => x);
  const domain = [Math.min(...xs), Math.max(...xs)] as const;
  const thresholds = critical.map((x, direction) => ({ direction, x, y: 1 }));
  const here = [sigma].filter((x) => x > domain[0] && x < domain[1]);
  return drawPlot(width, {
    x: noiseAxis(domain),
    y: { domain: [0, 1], label: measure === 'cosine' ? 'cos² θ' : 'sin θ', ticks: 5, grid: true },
    marks: [
      Plot.ruleX(thresholds, { x: 'x', stroke: color, strokeOpacity: 0.35 }),
      Plot.ruleX(here, { stroke: 'var(--accent)', strokeDasharray: '2,3' }),
      Plot.text(here, { x: (x: number) => x, frameAnchor: 'bottom', dx: 8, dy: -6, text: () => 'σ', fill: 'var(--accent)' }), // prettier-ignore
      Plot.line(curves, { x: 'x', y: 'y', z: 'direction', stroke: color, strokeWidth: 1.75 }),
      Plot.ruleX(measured, { x: 'x', y1: clipped('low'), y2: clipped('high'), stroke: color, strokeOpacity: 0.55 }),
      Plot.dot(measured, { x: 'x', y: 'y', fill: color, r: 2.75 }),
      Plot.text(thresholds, { x: 'x', frameAnchor: 'top', dy: -13, text: nameOf, fill: color, fontWeight: 600 }),
    ],
  });
}

/** A log axis of noise that falls to the right, as it does while something is generated. */
function noiseAxis([low, high]: readonly [number, number]): NonNullable<PlotOptions['x']> {
  return { type: 'log', domain: [low, high], label: 'noise level σ', ticks: logTicks(low, high), tickFormat: String, reverse: true }; // prettier-ignore
}

/** Smallest gain that is drawn. */
const FLOOR = 1e-6;

/** What the figure of power iteration shows. */
export interface GainData {
  readonly learned: readonly DirectionPoint[];
  readonly power: readonly DirectionPoint[];
  readonly measured: readonly MeasuredPoint[];
}

/** Gains relative to direction 1 over steps: lines the mean learned operator, dashes the covariance, dots the trials. */
export function gainPlot({ learned, power, measured }: GainData, width: number): Element {
  // Dashes may leave the picture: what is learned is what one looks at.
  const drawn = <T extends DirectionPoint>(points: readonly T[]): T[] => points.filter(({ y }) => y > FLOOR);
  const [lines, dashes] = [drawn(learned), drawn(power)];
  const dots = drawn(measured).filter(({ low }) => low > FLOOR);
  const lowest = Math.min(0.1, ...[...lines, ...dots].map(({ y }) => y));
  const domain = [10 ** Math.floor(Math.log10(lowest / 3)), 1] as const;
  const ends = [...Map.groupBy(lines, ({ direction }) => direction).values()].map(
    (points) => points.at(-1) as DirectionPoint,
  );
  return drawPlot(width, {
    x: { label: 'steps k', ticks: 6, tickFormat: String },
    y: {
      type: 'log',
      domain,
      label: 'gain relative to direction 1',
      ticks: logTicks(...domain),
      tickFormat: power10,
      grid: true,
    },
    marks: [
      Plot.line(
        dashes.filter(({ y }) => y >= domain[0]),
        { x: 'x', y: 'y', z: 'direction', stroke: color, strokeDasharray: '3,4', strokeOpacity: 0.8 },
      ),
      Plot.line(lines, { x: 'x', y: 'y', z: 'direction', stroke: color, strokeWidth: 1.75 }),
      Plot.ruleX(dots, { x: 'x', y1: 'low', y2: 'high', stroke: color, strokeOpacity: 0.55 }),
      Plot.dot(dots, { x: 'x', y: 'y', fill: color, r: 2.25 }),
      Plot.text(ends, {
        x: 'x',
        y: 'y',
        text: nameOf,
        fill: color,
        fontWeight: 600,
        dx: 10,
      }),
    ],
  });
}

/** What the figure of real images shows. */
export interface ProcessData {
  readonly paths: readonly DirectionPath[];
  /** Noise level at which each direction is lost. */
  readonly critical: ArrayLike<number>;
  /** Steps of the process, descending. */
  readonly sigmas: readonly number[];
  /** Levels that pictures are shown of. */
  readonly shown: readonly number[];
}

/** Spread of the state along some directions of the reverse process: on the way down with the noise, then at their own. */
export function processPlot({ paths, critical, sigmas, shown }: ProcessData, width: number): Element {
  const [high = 10, low = 0.05] = [sigmas[0], sigmas.at(-1)];
  // In the order in which they leave, so that neighbours differ in colour.
  const tint = ({ order }: { order: number }): string => seriesColor(order);
  const lines = paths.flatMap(({ direction, state }, order) => sigmas.map((x, k) => ({ direction, order, x, y: state[k] as number }))); // prettier-ignore
  const found = paths.flatMap(({ direction, state }, order) => {
    const k = sigmas.findIndex((sigma) => sigma <= (critical[direction] as number));
    return k < 0 ? [] : [{ order, x: sigmas[k] as number, y: state[k] as number }];
  });
  const ends = paths.map(({ direction, state, spread }, order) => ({ direction, order, x: low, y: state.at(-1) as number, spread })); // prettier-ignore
  return drawPlot(width, {
    x: noiseAxis([low, high]),
    y: { type: 'log', domain: [low / 2, high], label: 'spread of the state', ticks: logTicks(low / 2, high), tickFormat: String, grid: true }, // prettier-ignore
    marginRight: 36,
    marks: [
      Plot.ruleX(shown, { stroke: 'var(--line)' }),
      Plot.line(lines, { x: 'x', y: 'y', z: 'order', stroke: tint, strokeWidth: 1.75 }),
      Plot.dot(found, { x: 'x', y: 'y', fill: tint, r: 3.5 }),
      Plot.text(ends, { x: 'x', y: 'y', text: nameOf, fill: tint, fontWeight: 600, textAnchor: 'start', dx: 8 }), // prettier-ignore
    ],
  });
}

function clipped(end: 'low' | 'high'): (point: MeasuredPoint) => number {
  return (point) => Math.min(1, Math.max(0, point[end]));
}

const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 0.001 as 10⁻³; numbers between powers as they are. */
function power10(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent > -3) return String(value);
  if (Math.abs(value / 10 ** exponent - 1) > 1e-9) return '';
  return `10⁻${[...String(-exponent)].map((d) => digits[Number(d)]).join('')}`;
}
