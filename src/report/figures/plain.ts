import type { Curve, CurveFigure, HeatmapFigure, ImagesFigure, PlainFigure } from '../../experiments/plain-figure.ts';
import { viridis } from '../colors.ts';
import type { Canvas, Mark } from '../svg.ts';
import { FIGURE_STYLE, logAxis } from './figure.ts';
import { withLegend } from './legend.ts';
import { label, sampleTile, tileSvg } from './tiles.ts';

/** A figure that comes as plain data, as SVG text for `width` CSS pixels; colours are the variables of `colorVariables`. */
export function plainSvg(canvas: Canvas, figure: PlainFigure, width: number): string {
  switch (figure.kind) {
    case 'curves':
      return curvesSvg(canvas, figure, width);
    case 'heatmap':
      return heatmapSvg(canvas, figure, width);
    case 'images':
      return imagesSvg(figure, width);
  }
}

/** Series colours: two of the report's own, then levels of its ramp far from each other. */
const colors = ['var(--heldout)', 'var(--trajectory)', 'var(--sigma-20)', 'var(--sigma-4)', 'var(--sigma-28)', 'var(--sigma-12)']; // prettier-ignore

/** Curves that differ in their style alone, such as a closed form and its measurement, share what stands before a comma. */
function colorOf(curves: readonly Curve[], curve: Curve): string {
  const family = (c: Curve): string => c.name.split(',')[0] ?? '';
  const families = [...new Set(curves.map(family))];
  return colors[families.indexOf(family(curve)) % colors.length] as string;
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
}

function pointsOf({ x, y, low, high }: Curve): Point[] {
  return x.map((value, i) => ({ x: value, y: y[i] as number, low: low?.[i], high: high?.[i] }));
}

const DASH = '5 4';

function curvesSvg({ Plot, draw }: Canvas, figure: CurveFigure, width: number): string {
  const { curves, xScale = 'linear', yScale = 'linear' } = figure;
  const axis = (scale: 'linear' | 'log', name: string, values: readonly number[]): Record<string, unknown> =>
    scale === 'log'
      ? logAxis(values.filter((v) => v > 0), name) // prettier-ignore
      : { label: name, nice: true, labelArrow: 'none' };
  const xs = curves.flatMap((c) => c.x);
  const ys = curves.flatMap((c) => [...c.y, ...(c.low ?? []), ...(c.high ?? [])]);
  const marks = curves.flatMap((curve): Mark[] => {
    const stroke = colorOf(curves, curve);
    const points = pointsOf(curve).filter(
      ({ x, y }) => (xScale === 'linear' || x > 0) && (yScale === 'linear' || y > 0),
    );
    if (curve.style !== 'points') {
      const dashes = curve.style === 'dashed' ? { strokeDasharray: DASH } : {};
      return [Plot.line(points, { x: 'x', y: 'y', stroke, strokeWidth: 1.6, ...dashes })];
    }
    const intervals = points.filter(({ low, high }) => low !== undefined && high !== undefined);
    return [
      Plot.ruleX(intervals, { x: 'x', y1: 'low', y2: 'high', stroke, strokeWidth: 1.2 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 3, stroke: 'var(--ground)', strokeWidth: 0.8 }),
    ];
  });
  const plot = draw({
    width,
    height: Math.round(Math.min(380, width * 0.6)),
    marginLeft: 56,
    marginRight: 20,
    marginBottom: 42,
    style: FIGURE_STYLE,
    ariaLabel: figure.title,
    x: { ...axis(xScale, figure.xLabel, xs), labelAnchor: 'center' },
    y: { ...axis(yScale, figure.yLabel, ys), grid: true, labelAnchor: 'top' },
    marks: [Plot.frame({ strokeOpacity: 0.15 }), ...marks],
  });
  const items = curves.map((curve) => ({
    label: curve.name,
    color: colorOf(curves, curve),
    ...(curve.style === 'line' ? {} : { dash: curve.style === 'points' ? '2.5 5' : DASH }),
  }));
  return withLegend(plot, width, items);
}

function heatmapSvg({ Plot, draw }: Canvas, figure: HeatmapFigure, width: number): string {
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
  const steps = [0, 0.5, 1].map((t) => low + t * (high - low));
  const items = steps.map((value) => ({
    label: `${figure.label} ${Number(value.toPrecision(2))}`,
    color: fill(value),
  }));
  return withLegend(plot, width, boundary ? [...items, { label: boundary.name, color: 'var(--trajectory)' }] : items);
}

const CAPTION = 132;

function imagesSvg({ title, shape, range, rows }: ImagesFigure, width: number): string {
  const columns = Math.max(1, ...rows.map((row) => row.images.length));
  const size = Math.min(72, (width - CAPTION) / columns - 3);
  const content = rows.map(({ caption, images }, j) => {
    const y = j * (size + 6);
    const tiles = images.map((values, i) => sampleTile(values, shape, range, { x: CAPTION + i * (size + 3), y, size }));
    return label(caption, CAPTION - 10, y + size / 2 + 4, 'end', 12) + tiles.join('');
  });
  return tileSvg(width, rows.length * (size + 6), title, content.join(''));
}
