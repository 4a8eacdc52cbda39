import type { HeatmapFigure } from '../../experiments/plain-figure.ts';
import { viridis } from '../colors.ts';
import { FIGURE_STYLE } from '../figures/figure.ts';
import { withLegend } from '../figures/legend.ts';
import type { Canvas } from '../svg.ts';

/** Colours of the ramp in the legend. */
const SHADES = 11;

/** Where a cell begins and ends on an axis. */
type Span = readonly [number, number];

interface Cell {
  readonly column: Span;
  readonly row: Span;
  readonly value: number;
}

/** A number at every cell of a grid as SVG text. */
export function heatmapSvg({ Plot, draw }: Canvas, figure: HeatmapFigure, width: number): string {
  const { x, y, values, domain, boundary } = figure;
  const [columns, rows] = [spans(x), spans(y)];
  const cells = rows.flatMap((row, j) => columns.map((column, i) => ({ column, row, value: values[j]?.[i] ?? NaN })));
  const [low, high] = domain;
  const fill = (value: number): string => `rgb(${viridis((value - low) / (high - low || 1)).join(',')})`;
  const line = boundary?.x.map((value, i) => ({ x: value, y: boundary.y[i] as number })) ?? [];
  const range = (cells: readonly Span[]): [number, number] => [Math.min(...cells.flat()), Math.max(...cells.flat())];
  const plot = draw({
    width,
    height: Math.round(Math.min(420, width * 0.62)),
    marginTop: 28,
    marginLeft: 48,
    marginBottom: 42,
    marginRight: 20,
    style: FIGURE_STYLE,
    ariaLabel: figure.title,
    x: {
      label: figure.xLabel,
      domain: range(columns),
      ticks: [...x],
      tickFormat: String,
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: {
      label: figure.yLabel,
      domain: range(rows),
      ticks: [...y],
      tickFormat: String,
      labelAnchor: 'top',
      labelArrow: 'none',
    },
    marks: [
      Plot.rect(cells, {
        x1: ({ column }: Cell) => column[0],
        x2: ({ column }: Cell) => column[1],
        y1: ({ row }: Cell) => row[0],
        y2: ({ row }: Cell) => row[1],
        fill: ({ value }: Cell) => fill(value),
        inset: 0.5,
      }),
      Plot.line(line, { x: 'x', y: 'y', stroke: 'var(--ground)', strokeWidth: 4 }),
      Plot.line(line, { x: 'x', y: 'y', stroke: 'var(--trajectory)', strokeWidth: 2 }),
    ],
    color: { type: 'identity' },
  });
  const shades = Array.from({ length: SHADES }, (_, i) => fill(low + (i / (SHADES - 1)) * (high - low)));
  const ramp = { label: `${figure.label}, ${low} to ${high}`, color: fill(high), ramp: shades };
  return withLegend(plot, width, boundary ? [ramp, { label: boundary.name, color: 'var(--trajectory)' }] : [ramp]);
}

/** Cells of the values of an axis, in order of size either way: neighbours meet half-way, the outermost reach as far to either side. */
function spans(axis: readonly number[]): Span[] {
  return axis.map((value, i) => {
    const [before, after] = [axis[i - 1], axis[i + 1]];
    const left = before ?? value - ((after ?? value + 1) - value);
    const right = after ?? value + (value - left);
    return [(left + value) / 2, (value + right) / 2];
  });
}
