import * as Plot from '@observablehq/plot';

import type { DirectionSet } from '../../../src/editing/direction-set.ts';
import { drawPlot, seriesColor } from '../../components/plot.ts';

/** What a unit step along a direction changes. */
export interface Reach {
  /** From 1. */
  readonly direction: number;
  /** Singular value, its residual, and the length that the projection kept. */
  readonly value: number;
  readonly residual: number;
  readonly kept: number;
  /** Length of the change of the posterior mean inside the mask and outside, as the Jacobian predicts it. */
  readonly inside: number;
  readonly outside: number;
}

const ROW = 30;

/** Directions as rows. */
export function reachOf({ values, residuals, kept, gains, leaks }: DirectionSet): Reach[] {
  return Array.from(values, (value, k) => ({
    direction: k + 1,
    value,
    residual: residuals[k] as number,
    kept: kept[k] as number,
    inside: gains[k] as number,
    outside: leaks[k] as number,
  }));
}

/** Change inside and outside of the mask, a row a direction. */
export function reachPlot(rows: readonly Reach[], width: number): Element {
  const first = rows[0];
  const color = ({ direction }: Reach): string => seriesColor(direction - 1);
  return drawPlot(width, {
    height: 76 + ROW * Math.max(1, rows.length),
    x: { label: 'change by a unit step', grid: true, ticks: 6, zero: true },
    y: { type: 'band', domain: rows.map(({ direction }) => direction), label: null, tickSize: 0, padding: 0 },
    marks: [
      Plot.ruleY(rows, { y: 'direction', x1: 'inside', x2: 'outside', stroke: color, strokeWidth: 1.75 }),
      Plot.dot(rows, { x: 'inside', y: 'direction', fill: color, r: 5 }),
      Plot.dot(rows, { x: 'outside', y: 'direction', stroke: color, fill: 'var(--ground)', strokeWidth: 1.75, r: 4.5 }),
      ...(first === undefined
        ? []
        : [
            Plot.text([first], { x: 'inside', y: 'direction', text: () => 'inside', dy: -14, fill: color }),
            Plot.text([first], { x: 'outside', y: 'direction', text: () => 'outside', dy: -14, fill: color }),
          ]),
    ],
  });
}
