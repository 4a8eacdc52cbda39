import type { Curve, CurveFigure } from '../../experiments/plain-figure.ts';
import { FIGURE_STYLE, logAxis } from '../figures/figure.ts';
import { withLegend } from '../figures/legend.ts';
import type { LegendItem } from '../figures/legend.ts';
import type { Canvas, Mark } from '../svg.ts';

/** Series colours: two of the report's own, levels of its ramp far from each other, then grey. */
const colors = ['var(--heldout)', 'var(--trajectory)', 'var(--sigma-20)', 'var(--sigma-4)', 'var(--sigma-28)', 'var(--sigma-12)', 'var(--reference)']; // prettier-ignore

const DASH = '5 4';

/** A whole-number axis up to this long has a tick at every number. */
const MOST_TICKS = 20;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/** Curves over one axis as SVG text. */
export function curvesSvg({ Plot, draw }: Canvas, figure: CurveFigure, width: number): string {
  const { curves, xScale = 'linear', yScale = 'linear' } = figure;
  const xs = curves.flatMap((c) => c.x);
  const ys = curves.flatMap((c) => [...c.y, ...(c.low ?? []), ...(c.high ?? [])]);
  const shown = ({ x, y }: Point): boolean => (xScale === 'linear' || x > 0) && (yScale === 'linear' || y > 0);
  const marks = curves.flatMap((curve): Mark[] => {
    const stroke = colorOf(curves, curve);
    const points = pointsOf(curve).filter(shown);
    const dashes = curve.style === 'dashed' ? { strokeDasharray: DASH } : {};
    const line = Plot.line(points, { x: 'x', y: 'y', stroke, strokeWidth: 1.8, ...dashes });
    if (curve.style === 'line' || curve.style === 'dashed') return [line];
    const intervals = points.filter(({ low, high }) => low !== undefined && high !== undefined);
    return [
      ...(curve.style === 'joined' ? [line] : []),
      Plot.ruleX(intervals, { x: 'x', y1: 'low', y2: 'high', stroke, strokeWidth: 1.2 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 3.2, stroke: 'var(--ground)', strokeWidth: 0.8 }),
    ];
  });
  const plot = draw({
    width,
    height: Math.round(Math.min(390, width * 0.62)),
    // Room between the name of the upright axis and its highest tick.
    marginTop: 32,
    marginLeft: 56,
    marginRight: 20,
    marginBottom: 42,
    inset: 5,
    style: FIGURE_STYLE,
    ariaLabel: figure.title,
    x: { ...axis(xScale, figure.xLabel, xs), ...wholeTicks(xScale, xs), labelAnchor: 'center' },
    y: { ...axis(yScale, figure.yLabel, ys), grid: true, labelAnchor: 'top' },
    marks: [Plot.frame({ strokeOpacity: 0.15 }), ...marks],
  });
  // One curve is what the title says.
  return curves.length > 1 ? withLegend(plot, width, legendOf(curves)) : plot;
}

function pointsOf({ x, y, low, high }: Curve): Point[] {
  return x.map((value, i) => ({ x: value, y: y[i] as number, low: low?.[i], high: high?.[i] }));
}

function axis(scale: 'linear' | 'log', name: string, values: readonly number[]): Record<string, unknown> {
  if (scale === 'linear') return { label: name, nice: true, labelArrow: 'none' };
  const positive = values.filter((v) => v > 0);
  return logAxis(positive, name);
}

/** Counts have no halves. */
function wholeTicks(scale: 'linear' | 'log', values: readonly number[]): Record<string, unknown> {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (scale === 'log' || high - low > MOST_TICKS || !values.every(Number.isInteger)) return {};
  return { nice: false, ticks: Array.from({ length: high - low + 1 }, (_, i) => low + i), tickFormat: String };
}

function familyOf({ name }: Curve): string {
  return name.split(',')[0] ?? '';
}

function variantOf({ name }: Curve): string {
  return name.split(',').slice(1).join(',').trim();
}

/** Curves that differ in their style alone, such as a closed form and its measurement, share what stands before a comma. */
function colorOf(curves: readonly Curve[], curve: Curve): string {
  const families = [...new Set(curves.map(familyOf))];
  return colors[families.indexOf(familyOf(curve)) % colors.length] as string;
}

/** A colour a family and a style a variant where every family has the same variants, else every curve by itself. */
function legendOf(curves: readonly Curve[]): LegendItem[] {
  const families = [...Map.groupBy(curves, familyOf).values()];
  const kinds = (family: readonly Curve[]): string => family.map((c) => `${c.style} ${variantOf(c)}`).join();
  const first = families[0] ?? [];
  const regular =
    first.length > 1 &&
    families.length > 1 &&
    new Set(first.map((c) => c.style)).size === first.length &&
    new Set(families.map(kinds)).size === 1;
  if (!regular) return curves.map((curve) => item(curve.name, colorOf(curves, curve), curve.style));
  return [
    ...families.map(([curve]) => item(familyOf(curve as Curve), colorOf(curves, curve as Curve), 'line')),
    ...first.filter((c) => variantOf(c) !== '').map((c) => item(variantOf(c), 'var(--reference)', c.style)),
  ];
}

function item(label: string, color: string, style: Curve['style']): LegendItem {
  return { label, color, ...(style === 'points' ? { point: true } : style === 'dashed' ? { dash: DASH } : {}) };
}
