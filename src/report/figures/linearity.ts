import type { LinearityMeasure } from '../../analysis/linearity.ts';
import type { InspectResult } from '../../experiments/inspect-result.ts';
import { sigmaColor } from '../colors.ts';
import { showNumber, type Canvas } from '../svg.ts';
import { facetsFor, FIGURE_STYLE, logAxis, type Figure } from './figure.ts';
import { withLegend, type LegendItem } from './legend.ts';

const MEASURES: readonly { readonly key: Exclude<keyof LinearityMeasure, 'length'>; readonly name: string }[] = [
  { key: 'cosine', name: 'cosine' },
  { key: 'normRatio', name: 'norm ratio' },
  { key: 'remainder', name: 'remainder' },
];

interface LinearityLine extends LegendItem {
  readonly points: readonly { readonly measure: string; readonly length: number; readonly value: number }[];
}

/** Remainders end at 2; norm ratios above it are drawn at it: the linear model has failed there, by how much is of no interest. */
const CEILING = 2;

/** Local linearity against step length: cosine, norm ratio and remainder, one line a noise level, at held-out image 0. */
export function linearityFigure(canvas: Canvas, result: InspectResult): Figure {
  const { Plot, draw } = canvas;
  const lines = linesOf(result);
  const highest = Math.max(1.1, ...lines.flatMap((line) => line.points.map((p) => p.value)));
  const svg = (width: number): string => {
    const facets = facetsFor(
      canvas,
      MEASURES.map((m) => m.name),
      width,
    );
    const wide = facets.channel === 'fx';
    const plot = draw({
      width,
      height: wide ? 260 : 600,
      marginLeft: 44,
      marginBottom: 42,
      marginTop: 30,
      marginRight: wide ? 16 : 28,
      style: FIGURE_STYLE,
      ariaLabel: 'Local linearity against step length',
      ...facets.scales,
      x: logAxis(
        lines.flatMap((line) => line.points.map((p) => p.length)),
        'step length \u03bb',
      ),
      y: { domain: [0, highest], label: null, grid: true, ticks: 4 },
      marks: [
        facets.names,
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
        ...lines.map(({ points, color }) =>
          Plot.line(points, {
            x: 'length',
            y: 'value',
            z: 'measure',
            [facets.channel]: 'measure',
            stroke: color,
            strokeWidth: 1.5,
          }),
        ),
      ],
    });
    return withLegend(plot, width, lines);
  };
  return {
    name: 'linearity',
    title: 'How far the linear picture reaches',
    reading:
      'Along the leading direction, cosine and norm ratio near 1 and a remainder near 0 say that a step of that length does what the Jacobian predicts; ' +
      'where the remainder climbs, the model bends.',
    svg,
  };
}

function linesOf(result: InspectResult): LinearityLine[] {
  const rows = result.linearity.filter((row) => row.site === 'heldout' && row.image === 0);
  return rows
    .toSorted((a, b) => b.sigma - a.sigma)
    .map(({ sigma, steps }) => ({
      label: `\u03c3 ${showNumber(sigma, 2)}`,
      color: sigmaColor(sigma, result.sigmas),
      points: MEASURES.flatMap(({ key, name }) =>
        steps.map((step) => ({ measure: name, length: step.length, value: Math.min(CEILING, step[key]) })),
      ),
    }));
}
