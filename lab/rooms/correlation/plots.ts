import * as Plot from '@observablehq/plot';

import { drawPlot, logTicks, seriesColor } from '../../components/plot.ts';
import type { DirectionPoint } from './closed-forms.ts';
import type { MeasuredPoint } from './trials.ts';

const color = ({ direction }: DirectionPoint): string => seriesColor(direction);

/** What the figure of alignment shows. */
export interface AlignmentData {
  readonly curves: readonly DirectionPoint[];
  readonly measured: readonly MeasuredPoint[];
  /** Noise level at which each direction is lost. */
  readonly critical: readonly number[];
  readonly sigma: number;
  readonly measure: 'cosine' | 'sine';
}

/** Alignment of every direction over noise: lines the closed form, dots the trials. */
export function alignmentPlot({ curves, measured, critical, sigma, measure }: AlignmentData, width: number): Element {
  const xs = curves.map(({ x }) => x);
  const domain = [Math.min(...xs), Math.max(...xs)] as const;
  const labels = critical.map((x, direction) => ({ direction, x, y: measure === 'cosine' ? 0 : 1 }));
  return drawPlot(width, {
    x: { type: 'log', domain, label: 'noise level σ', ticks: logTicks(...domain), tickFormat: String },
    y: { domain: [0, 1], label: measure === 'cosine' ? 'cos² θ' : 'sin θ', ticks: 5, grid: true },
    marks: [
      ...(sigma > domain[0] && sigma < domain[1]
        ? [
            Plot.ruleX([sigma], { stroke: 'var(--accent)', strokeDasharray: '2,3' }),
            Plot.text([sigma], {
              x: (s: number) => s,
              frameAnchor: 'top',
              dy: -12,
              text: () => 'σ',
              fill: 'var(--accent)',
            }),
          ]
        : []),
      Plot.line(curves, { x: 'x', y: 'y', z: 'direction', stroke: color, strokeWidth: 1.75 }),
      Plot.ruleX(measured, { x: 'x', y1: clipped('low'), y2: clipped('high'), stroke: color, strokeOpacity: 0.55 }),
      Plot.dot(measured, { x: 'x', y: 'y', fill: color, r: 2.75 }),
      Plot.text(labels, {
        x: 'x',
        y: 'y',
        text: ({ direction }: DirectionPoint) => String(direction + 1),
        fill: color,
        fontWeight: 600,
        dy: measure === 'cosine' ? -9 : 11,
        dx: 7,
      }),
    ],
  });
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
        text: ({ direction }: DirectionPoint) => String(direction + 1),
        fill: color,
        fontWeight: 600,
        dx: 10,
      }),
    ],
  });
}

/** What the figure of real images shows. */
export interface FoundData {
  /** Noise level at which each direction is lost, descending. */
  readonly critical: ArrayLike<number>;
  /** Levels that pictures are shown of. */
  readonly sigmas: readonly number[];
}

/** Number of directions that can be learned, over noise. */
export function foundPlot({ critical, sigmas }: FoundData, width: number): Element {
  const [high = 10, low = 0.05] = [sigmas[0], sigmas.at(-1)];
  const steps = [
    ...Array.from(critical, (x, i) => ({ x, y: i + 1 })).filter(({ x }) => x >= low),
    { x: low, y: Array.from(critical).filter((x) => x >= low).length },
  ].filter(({ y }) => y > 0);
  return drawPlot(width, {
    height: 220,
    x: {
      type: 'log',
      domain: [low, high],
      label: 'noise level σ',
      ticks: logTicks(low, high),
      tickFormat: String,
      reverse: true,
    },
    y: {
      type: 'log',
      domain: [1, Math.max(10, critical.length)],
      label: 'directions found',
      ticks: logTicks(1, 1000),
      tickFormat: String,
      grid: true,
    },
    marks: [
      Plot.ruleX(sigmas, { stroke: 'var(--line)' }),
      Plot.line(steps, { x: 'x', y: 'y', curve: 'step-after', stroke: 'var(--series-1)', strokeWidth: 1.75 }),
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
