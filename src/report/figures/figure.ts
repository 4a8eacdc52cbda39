import type { EnergyRuleName } from '../../analysis/rank.ts';
import type { InspectPoint, InspectSite } from '../../experiments/inspect-result.ts';
import type { Canvas, Mark } from '../svg.ts';

/** A figure of the report. */
export interface Figure {
  /** Stem of its file: `rank-curve`. */
  readonly name: string;
  readonly title: string;
  /** One sentence that says how to read it. */
  readonly reading: string;
  /** The figure as SVG text, drawn for `width` CSS pixels; colours are the variables of `colorVariables`. */
  readonly svg: (width: number) => string;
}

/** What the sites are called in figures and tables. */
export const SITE_NAMES: Readonly<Record<InspectSite, string>> = {
  heldout: 'held-out samples',
  trajectory: 'trajectory',
};

/** Radius of the dots on the sites' lines: the first drawn are broad, so that they show where the second line lies on the first. */
export const SITE_DOTS: Readonly<Record<InspectSite, number>> = { heldout: 3.5, trajectory: 1.8 };

/** What the rank rules are called in figures and tables. */
export const RULE_NAMES: Readonly<Record<EnergyRuleName, string>> = {
  'sqrt-energy-0.99': '\u221aenergy 0.99',
  'energy-0.99': 'energy 0.99',
};

/** Font size of figures in CSS pixels; Plot takes it through `style`. */
export const FIGURE_STYLE = { fontSize: '12px', fontFamily: 'inherit', overflow: 'visible' } as const;

/** Scale options of a logarithmic axis with a tick at every power of ten, and at 2 and 5 times one where the axis is short. */
export function logAxis(values: readonly number[], label: string): Record<string, unknown> {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(1.02, (high / low) ** 0.02);
  const domain = [low / margin, high * margin] as const;
  return {
    type: 'log',
    domain,
    label,
    ticks: decadeTicks(domain),
    tickFormat: decadeLabel,
    labelAnchor: 'center',
    labelArrow: 'none',
  };
}

function decadeTicks([low, high]: readonly [number, number]): number[] {
  const steps = high / low < 300 ? [1, 2, 5] : [1];
  const powers = Array.from(
    { length: 1 + Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  return powers
    .flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
    .filter((tick) => tick >= low && tick <= high);
}

function decadeLabel(value: number): string {
  if (value >= 1e-3 && value <= 1e4) return String(value);
  const [digit = '', power = ''] = value.toExponential(0).replace('+', '').split('e');
  return `${digit === '1' ? '' : `${digit}\u00b7`}10${[...power].map(raised).join('')}`;
}

function raised(digit: string): string {
  return digit === '-'
    ? '\u207b'
    : ('\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'[Number(digit)] as string);
}

/** The two ways to set panels: side by side where there is room, else one above the other. */
export interface Facets {
  /** Channel that carries the panel's name. */
  readonly channel: 'fx' | 'fy';
  /** Scales without the axis that Plot would put beside the panels. */
  readonly scales: Readonly<Record<'fx' | 'fy', Record<string, unknown>>>;
  /** Name of each panel, above it. */
  readonly names: Mark;
}

/** Panels named `names`, for a figure of `width`. */
export function facetsFor({ Plot }: Canvas, names: readonly string[], width: number): Facets {
  const channel = width >= 560 ? 'fx' : 'fy';
  const scale = { axis: null, domain: names, padding: channel === 'fx' ? 0.1 : 0.2 };
  return {
    channel,
    scales: { fx: scale, fy: scale },
    names: Plot.text(names, {
      [channel]: (name: string) => name,
      text: (name: string) => name,
      frameAnchor: 'top',
      dy: -16,
      fontWeight: 600,
    }),
  };
}

/** Rows averaged over images: one row a noise level, descending in sigma. */
export function meanBySigma<Row extends InspectPoint>(
  rows: readonly Row[],
  value: (row: Row) => number,
): { sigma: number; value: number }[] {
  const groups = Map.groupBy(rows, (row) => row.sigma);
  return [...groups]
    .sort(([a], [b]) => b - a)
    .map(([sigma, group]) => ({ sigma, value: group.reduce((sum, row) => sum + value(row), 0) / group.length }));
}
