import type { EnergyRuleName } from '../../analysis/rank.ts';
import type { InspectResult, InspectSite, RankRow } from '../../experiments/inspect-result.ts';
import { showMeasured, showNumber, type Canvas, type Mark } from '../svg.ts';
import { FIGURE_STYLE, logAxis, meanBySigma, RULE_NAMES, SITE_NAMES, SITE_DOTS, type Figure } from './figure.ts';
import { withLegend, type LegendItem } from './legend.ts';

interface Curve {
  readonly legend: LegendItem;
  readonly points: readonly { sigma: number; value: number }[];
  readonly rows: readonly RankRow[];
  readonly lowest: { sigma: number; value: number };
  /** Radius of the dots in CSS pixels. */
  readonly dot: number;
}

const DASHES: Readonly<Record<EnergyRuleName, string | undefined>> = {
  'sqrt-energy-0.99': undefined,
  'energy-0.99': '5 3',
};

/** Rank ratio against noise level: both sites, both rules, the closed form if there is one, minima marked. */
export function rankCurveFigure({ Plot, draw }: Canvas, result: InspectResult): Figure {
  const curves = collect(result);
  const reference = referenceCurve(result);
  const highest = Math.max(
    ...result.rankCurve.map((row) => row.ratio),
    ...(reference?.points.map((p) => p.value) ?? []),
  );
  const svg = (width: number): string => {
    const plot = draw({
      width,
      height: Math.round(Math.min(340, width * 0.72)),
      marginLeft: 44,
      marginBottom: 42,
      style: FIGURE_STYLE,
      ariaLabel: 'Rank ratio against noise level',
      x: logAxis(result.sigmas, 'noise level \u03c3'),
      y: {
        domain: [0, Math.min(1, highest * 1.08)],
        label: 'rank / dimension',
        grid: true,
        nice: true,
        ticks: 5,
        labelArrow: 'none',
      },
      marks: [
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
        ...curves.flatMap((curve) => marksOf(Plot, curve)),
        reference &&
          Plot.line(reference.points, {
            x: 'sigma',
            y: 'value',
            stroke: 'var(--reference)',
            strokeDasharray: '1 3',
            strokeWidth: 2,
          }),
      ],
    });
    return withLegend(plot, width, [...curves.map((c) => c.legend), ...(reference ? [reference.legend] : [])]);
  };
  return {
    name: 'rank-curve',
    title: 'How many directions the denoiser uses',
    reading:
      'Each line is the share of directions in which the denoiser still moves at that noise level (circle: its lowest point); ' +
      'a deep valley means that the model explains a sample with few directions there.',
    svg,
  };
}

function marksOf(Plot: Canvas['Plot'], { legend, points, rows, lowest, dot }: Curve): Mark[] {
  const dash = legend.dash === undefined ? {} : { strokeDasharray: legend.dash };
  const scattered =
    rows.length > points.length
      ? [Plot.dot(rows, { x: 'sigma', y: 'ratio', r: 1.5, fill: legend.color, fillOpacity: 0.45 })]
      : [];
  return [
    ...scattered,
    Plot.line(points, {
      x: 'sigma',
      y: 'value',
      stroke: legend.color,
      strokeWidth: 1.8,
      strokeLinecap: 'butt',
      ...dash,
    }),
    Plot.dot(points, { x: 'sigma', y: 'value', r: dot, fill: legend.color }),
    Plot.dot([lowest], {
      x: 'sigma',
      y: 'value',
      r: 5,
      stroke: legend.color,
      strokeWidth: 1.8,
      fill: 'var(--ground)',
    }),
  ];
}

function collect(result: InspectResult): Curve[] {
  const sites: InspectSite[] = ['heldout', 'trajectory'];
  const rules: EnergyRuleName[] = ['sqrt-energy-0.99', 'energy-0.99'];
  return sites.flatMap((site) =>
    rules.flatMap((rule) => {
      const rows = result.rankCurve.filter((row) => row.site === site && row.rule === rule);
      const points = meanBySigma(rows, (row) => row.ratio);
      const lowest = points.toSorted((a, b) => a.value - b.value)[0];
      if (lowest === undefined) return [];
      const label = `${SITE_NAMES[site]}, ${RULE_NAMES[rule]}: lowest ${showMeasured(lowest.value, 3)} at \u03c3 ${showNumber(lowest.sigma, 2)}`;
      const dash = DASHES[rule];
      const legend = { label, color: `var(--${site})`, ...(dash === undefined ? {} : { dash }) };
      return [{ legend, points, rows, lowest, dot: SITE_DOTS[site] }];
    }),
  );
}

function referenceCurve(result: InspectResult): Pick<Curve, 'legend' | 'points'> | undefined {
  if (result.reference === undefined) return undefined;
  const { name, rankCurve } = result.reference;
  const points = rankCurve
    .filter((p) => p.rule === 'sqrt-energy-0.99')
    .map((p) => ({ sigma: p.sigma, value: p.ratio }));
  return {
    points,
    legend: { label: `${name}, ${RULE_NAMES['sqrt-energy-0.99']}`, color: 'var(--reference)', dash: '1 3' },
  };
}
