import type { EditDirection, EditResult } from '../../experiments/edit-result.ts';
import type { Canvas } from '../svg.ts';
import { partColor } from './edit-palette.ts';
import { isWide } from './edit-tiles.ts';
import { FIGURE_STYLE, logAxis } from './figure.ts';
import type { Figure } from './figure.ts';
import { tileSvg } from './tiles.ts';

const HEIGHT = 330;
const GUTTER = 24;
const MARGINS = { marginLeft: 48, marginBottom: 42, marginTop: 30, marginRight: 16 } as const;
/** Room of a number beside its dot. */
const LABEL = { width: 18, height: 13 } as const;
/** Largest over smallest slope from which axes are logarithmic. */
const LOG_FROM = 6;

/** Predicted against measured slope, and how straight the effect of each direction is. */
export function slopesFigure(canvas: Canvas, { directions }: EditResult): Figure {
  const title = 'What the linear model predicts, and what happens';
  const svg = (width: number): string => {
    const wide = isWide(width);
    const panel = wide ? Math.floor((width - GUTTER) / 2) : width;
    const [left, right] = [slopePanel(canvas, directions, panel), straightPanel(canvas, directions, panel)];
    const second = wide ? [panel + GUTTER, 0] : [0, HEIGHT + GUTTER];
    const placed = left + right.replace('<svg', `<svg x="${second[0]}" y="${second[1]}"`);
    return tileSvg(width, wide ? HEIGHT : 2 * HEIGHT + GUTTER, title, placed);
  };
  return {
    name: 'slopes',
    title,
    reading:
      'First, the change of the posterior mean a unit of step, as the Jacobian predicts it and as it is measured over all strengths: on the diagonal the two are one. ' +
      'Then, how straight that change is: the least cosine with the linear model over the strengths, and R\u00b2 of the line.',
    svg,
  };
}

function slopePanel({ Plot, draw }: Canvas, directions: readonly EditDirection[], width: number): string {
  const values = directions.flatMap(({ gain, slope }) => [gain, slope]);
  const axis = slopeAxis(values);
  const fill = ({ part }: EditDirection): string => partColor(part);
  const ends = axis.domain.map((value) => [value, value]);
  return draw({
    width,
    height: HEIGHT,
    ...MARGINS,
    style: FIGURE_STYLE,
    ariaLabel: 'Measured against predicted slope',
    color: { type: 'identity' },
    x: { ...axis.scale, label: 'predicted slope, gain inside', grid: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { ...axis.scale, label: 'measured slope', grid: true, labelAnchor: 'top', labelArrow: 'none' },
    marks: [
      Plot.line(ends, { stroke: 'var(--reference)', strokeDasharray: '5 4', strokeWidth: 1.5 }),
      Plot.dot(directions, { x: 'gain', y: 'slope', r: 4.5, fill, stroke: 'var(--ground)', strokeWidth: 1 }),
      Plot.text(labelled(directions, axis, width), {
        x: 'gain',
        y: 'slope',
        text: ({ number }: EditDirection) => String(number),
        dx: 8,
        dy: 8,
        textAnchor: 'start',
        fontWeight: 600,
      }),
    ],
  });
}

/** An axis of slopes. */
interface SlopeAxis {
  readonly domain: readonly [number, number];
  readonly scale: Record<string, unknown>;
  /** Place of a value between the ends, 0 to 1. */
  readonly place: (value: number) => number;
}

/** Logarithmic where slopes differ by much and none is below zero; else linear from zero. */
function slopeAxis(values: readonly number[]): SlopeAxis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low > 0 && high > LOG_FROM * low) {
    const [from, to] = [low / 1.25, high * 1.25];
    const place = (value: number): number => Math.log(value / from) / Math.log(to / from);
    const scale = { ...logAxis(values, ''), domain: [from, to] };
    return { domain: [from, to], scale, place };
  }
  const [from, to] = [Math.min(0, low), Math.max(0, high) + 0.08 * (Math.max(0, high) - Math.min(0, low) || 1)];
  return {
    domain: [from, to],
    scale: { domain: [from, to], ticks: 5 },
    place: (value) => (value - from) / (to - from),
  };
}

/** The directions whose numbers find room, the first ones first. */
function labelled(directions: readonly EditDirection[], { place }: SlopeAxis, width: number): EditDirection[] {
  const [wide, high] = [width - MARGINS.marginLeft - MARGINS.marginRight, HEIGHT - MARGINS.marginTop - MARGINS.marginBottom]; // prettier-ignore
  const kept: EditDirection[] = [];
  for (const d of directions) {
    const isFree = kept.every(({ gain, slope }) => {
      const [dx, dy] = [wide * (place(gain) - place(d.gain)), high * (place(slope) - place(d.slope))];
      return Math.abs(dx) > LABEL.width || Math.abs(dy) > LABEL.height;
    });
    if (isFree) kept.push(d);
  }
  return kept;
}

function straightPanel({ Plot, draw }: Canvas, directions: readonly EditDirection[], width: number): string {
  const least = Math.min(...directions.flatMap(({ linearity, rSquared }) => [linearity, rSquared]));
  const numbers = directions.map(({ number }) => number);
  const fill = ({ part }: EditDirection): string => partColor(part);
  return draw({
    width,
    height: HEIGHT,
    ...MARGINS,
    style: FIGURE_STYLE,
    ariaLabel: 'Straightness of the effect',
    color: { type: 'identity' },
    x: { type: 'point', domain: numbers, label: 'direction', labelAnchor: 'center', labelArrow: 'none', padding: 0.6 },
    y: { domain: [floorOf(least), 1], label: 'cosine \u25cf   R\u00b2 \u25cb', labelAnchor: 'top', labelArrow: 'none', grid: true, ticks: 5 },
    marks: [
      Plot.ruleX(directions, { x: 'number', y1: 'linearity', y2: 'rSquared', stroke: fill, strokeWidth: 1.5, strokeOpacity: 0.5 }),
      Plot.dot(directions, { x: 'number', y: 'rSquared', r: 4.5, stroke: fill, strokeWidth: 1.8, fill: 'var(--ground)' }),
      Plot.dot(directions, { x: 'number', y: 'linearity', r: 4.5, fill, stroke: 'var(--ground)', strokeWidth: 1 }),
    ],
  }); // prettier-ignore
}

/** Where the axis of numbers up to 1 begins: 0.9, 0.5, 0 or -1, below all of them. */
function floorOf(least: number): number {
  return [0.9, 0.5, 0].find((floor) => least >= floor) ?? -1;
}
