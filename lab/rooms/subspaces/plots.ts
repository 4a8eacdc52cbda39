import * as Plot from '@observablehq/plot';

import { sampleBoundary, sampleBoundaryLabel } from '../../../src/theory/sample-complexity.ts';
import { drawPlot, seriesColor } from '../../components/plot.ts';
import type { Cell } from './diagram.ts';
import type { Fit, Moment } from './learn.ts';
import { MOST_POINTS } from './mixtures.ts';

/** What the figures over steps show. */
export interface CurveData {
  readonly moments: readonly Moment[];
  readonly steps: number;
  /** Step that is looked at. */
  readonly step: number | undefined;
}

interface CurvePoint {
  readonly step: number;
  readonly value: number;
  readonly component: number;
}

const learners = { network: undefined, clustering: '4,4' } as const;

/** Error of every subspace over steps: lines the network, dashes K-subspaces. */
export function errorPlot(data: CurveData, width: number): Element {
  const values = ({ errors }: Fit): number[] => [...errors];
  return curvePlot(data, width, { label: '‖P̂ − P‖ (Frobenius)', domain: [0, 1.5], values, color: seriesColor });
}

/** Share of points put to their own subspace over steps. */
export function accuracyPlot(data: CurveData, width: number): Element {
  const values = ({ accuracy }: Fit): number[] => [accuracy];
  return curvePlot(data, width, { label: 'clustering accuracy', domain: [0, 1], values, color: () => 'var(--ink)' });
}

interface CurveStyle {
  readonly label: string;
  readonly domain: readonly [number, number];
  readonly values: (fit: Fit) => number[];
  readonly color: (component: number) => string;
}

function curvePlot({ moments, steps, step }: CurveData, width: number, style: CurveStyle): Element {
  const color = ({ component }: CurvePoint): string => style.color(component);
  const pointsOf = (who: 'network' | 'clustering', of: readonly Moment[]): CurvePoint[] =>
    of.flatMap((moment) =>
      style.values(moment[who]).map((value, component) => ({ step: moment.step, value, component })),
    );
  const here = moments.filter((moment) => moment.step === step);
  return drawPlot(width, {
    height: 210,
    x: { domain: [0, steps], label: 'step', ticks: Math.min(6, steps), tickFormat: String },
    y: { domain: [...style.domain], label: style.label, ticks: 4, grid: true },
    marks: [
      ...(step === undefined ? [] : [Plot.ruleX([step], { stroke: 'var(--accent)', strokeDasharray: '2,3' })]),
      ...Object.entries(learners).map(([who, dash]) =>
        Plot.line(pointsOf(who as 'network' | 'clustering', moments), {
          x: 'step',
          y: 'value',
          z: 'component',
          stroke: color,
          strokeWidth: dash === undefined ? 2 : 1.5,
          ...(dash !== undefined && { strokeDasharray: dash }),
        }),
      ),
      Plot.dot(pointsOf('network', here), { x: 'step', y: 'value', fill: color, r: 3.5 }),
    ],
  });
}

/** What the phase diagram shows. */
export interface DiagramData {
  readonly cells: readonly Cell[];
  readonly components: number;
  /** Largest rank. */
  readonly ranks: number;
  /** Rank whose row is marked. */
  readonly row: number;
  /** Points of each component in the view, marked where the diagram has them. */
  readonly samples: number;
}

/** Share of successes over points and rank, with the predicted boundary. */
export function diagramPlot({ cells, components, ranks, row, samples }: DiagramData, width: number): Element {
  const corners = Array.from({ length: ranks }, (_, i) => i + 1).flatMap((d) => {
    const x = sampleBoundary(d, components) - 0.5;
    return [{ x, y: d - 0.5 }, { x, y: d + 0.5 }]; // prettier-ignore
  });
  const inside = corners.filter(({ x }) => x <= MOST_POINTS + 0.5);
  return drawPlot(width, {
    height: Math.round(Math.min(380, 110 + ranks * 32)),
    x: { domain: [0.5, MOST_POINTS + 0.5], label: 'points of each component N', ticks: numbers(MOST_POINTS), tickFormat: String, tickSize: 0 }, // prettier-ignore
    y: { domain: [0.5, ranks + 0.5], label: 'rank d', ticks: numbers(ranks), tickFormat: String, tickSize: 0 },
    marks: [
      Plot.rect(cells, {
        x1: ({ count }: Cell) => count - 0.5,
        x2: ({ count }: Cell) => count + 0.5,
        y1: ({ rank }: Cell) => rank - 0.5,
        y2: ({ rank }: Cell) => rank + 0.5,
        fill: 'var(--series-1)',
        fillOpacity: ({ successes, trials }: Cell) => 0.04 + (0.88 * successes) / trials,
        inset: 0.75,
        title: ({ rank, count, successes, trials, meanError }: Cell) =>
          `N = ${count}, d = ${rank}: ${successes} of ${trials} recovered, mean error ${meanError.toFixed(3)}`,
      }),
      Plot.line(inside, { x: 'x', y: 'y', stroke: 'var(--series-2)', strokeWidth: 2.5 }),
      Plot.text(inside.slice(-1), {
        x: 'x',
        y: 'y',
        text: () => `predicted ${sampleBoundaryLabel(numbers(ranks), components)}`,
        fill: 'var(--series-2)',
        fontWeight: 600,
        dy: -9,
      }),
      Plot.rect([row], { x1: 0.5, x2: MOST_POINTS + 0.5, y1: row - 0.5, y2: row + 0.5, stroke: 'var(--ink)', strokeWidth: 1.25, fill: 'none' }), // prettier-ignore
      ...(samples <= MOST_POINTS
        ? [Plot.ruleX([samples], { stroke: 'var(--accent)', strokeDasharray: '2,3', strokeWidth: 1.5 })]
        : []),
    ],
  });
}

function numbers(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}
