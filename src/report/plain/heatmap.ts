import type { HeatmapFigure } from '../../experiments/plain-figure.ts';
import { viridis } from '../colors.ts';
import { FIGURE_STYLE } from '../figures/figure.ts';
import { withLegend } from '../figures/legend.ts';
import type { Canvas } from '../svg.ts';

/** Colours of the ramp in the legend. */
const SHADES = 11;

/** A number at every cell of a grid as SVG text. */
export function heatmapSvg({ Plot, draw }: Canvas, figure: HeatmapFigure, width: number): string {
  const { x, y, values, domain, boundary } = figure;
  const cells = y.flatMap((row, j) => x.map((column, i) => ({ x: column, y: row, value: values[j]?.[i] ?? NaN })));
  const [low, high] = domain;
  const fill = (value: number): string => `rgb(${viridis((value - low) / (high - low || 1)).join(',')})`;
  const line = boundary?.x.map((value, i) => ({ x: value, y: boundary.y[i] as number })) ?? [];
  const half = (axis: readonly number[]): number =>
    Math.abs((axis[1] ?? (axis[0] as number) + 1) - (axis[0] as number)) / 2;
  const [dx, dy] = [half(x), half(y)];
  const range = (axis: readonly number[], d: number): [number, number] => [
    Math.min(...axis) - d,
    Math.max(...axis) + d,
  ];
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
      domain: range(x, dx),
      ticks: [...x],
      tickFormat: String,
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: {
      label: figure.yLabel,
      domain: range(y, dy),
      ticks: [...y],
      tickFormat: String,
      labelAnchor: 'top',
      labelArrow: 'none',
    },
    marks: [
      Plot.rect(cells, {
        x1: (c: { x: number }) => c.x - dx,
        x2: (c: { x: number }) => c.x + dx,
        y1: (c: { y: number }) => c.y - dy,
        y2: (c: { y: number }) => c.y + dy,
        fill: (c: { value: number }) => fill(c.value),
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
