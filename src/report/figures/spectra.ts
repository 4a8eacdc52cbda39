import type { InspectArrays, InspectResult, InspectSite } from '../../experiments/inspect-result.ts';
import { sigmaColor } from '../colors.ts';
import { showNumber, type Canvas } from '../svg.ts';
import { facetsFor, FIGURE_STYLE, logAxis, SITE_NAMES, type Figure } from './figure.ts';
import { withLegend, type LegendItem } from './legend.ts';

interface SpectrumPoint {
  readonly site: string;
  readonly index: number;
  readonly value: number;
}

interface SpectrumLine extends LegendItem {
  readonly points: readonly SpectrumPoint[];
  readonly cuts: readonly SpectrumPoint[];
}

/** Values below this part of the largest are arithmetic noise of float32 products and are not drawn. */
const FLOOR = 1e-6;
const POINTS_PER_LINE = 90;

/** Singular values of the Jacobian, log against log, one line a noise level, a dot where the papers' rank rule cuts. */
export function spectraFigure(canvas: Canvas, result: InspectResult, arrays: InspectArrays): Figure {
  const { Plot, draw } = canvas;
  const lines = linesOf(result, arrays);
  const values = lines.flatMap((line) => line.points.map((p) => p.value));
  const svg = (width: number): string => {
    const facets = facetsFor(canvas, Object.values(SITE_NAMES), width);
    const wide = facets.channel === 'fx';
    const plot = draw({
      width,
      height: wide ? 340 : 520,
      marginLeft: 48,
      marginBottom: 42,
      marginTop: 30,
      marginRight: wide ? 16 : 24,
      style: FIGURE_STYLE,
      ariaLabel: 'Singular values of the Jacobian by noise level',
      ...facets.scales,
      x: logAxis([1, result.dimension], 'index of the singular value'),
      y: { ...logAxis(values, 'singular value'), labelAnchor: 'top', grid: false },
      marks: [
        facets.names,
        ...lines.map(({ points, color }) =>
          Plot.line(points, { x: 'index', y: 'value', [facets.channel]: 'site', stroke: color, strokeWidth: 1.5 }),
        ),
        ...lines.map(({ cuts, color }) =>
          Plot.dot(cuts, {
            x: 'index',
            y: 'value',
            [facets.channel]: 'site',
            r: 3,
            fill: color,
            stroke: 'var(--ground)',
            strokeWidth: 1,
          }),
        ),
      ],
    });
    return withLegend(plot, width, lines);
  };
  return {
    name: 'spectra',
    title: 'Singular values of the Jacobian',
    reading:
      'One line a noise level, dark for little noise and bright for much: the earlier a line falls, the fewer directions the denoiser uses, ' +
      'and its dot marks the rank by the papers\u2019 rule.',
    svg,
  };
}

/** Points, cuts and legend of each noise level. */
function linesOf(result: InspectResult, arrays: InspectArrays): SpectrumLine[] {
  return result.sigmas.map((sigma, level) => ({
    label: `\u03c3 ${showNumber(sigma, 2)}`,
    color: sigmaColor(sigma, result.sigmas),
    points: [
      ...spectrum(arrays.spectra_heldout, 'heldout', level),
      ...spectrum(arrays.spectra_trajectory, 'trajectory', level),
    ],
    cuts: [
      ...cut(result, arrays.spectra_heldout, 'heldout', level),
      ...cut(result, arrays.spectra_trajectory, 'trajectory', level),
    ],
  }));
}

/** Points of image 0, thinned to even steps of log index. */
function spectrum(
  { shape, data }: InspectArrays['spectra_heldout'],
  site: InspectSite,
  level: number,
): SpectrumPoint[] {
  const [, images = 1, size = 0] = shape;
  const values = data.subarray(level * images * size, (level * images + 1) * size);
  const steps = Array.from({ length: POINTS_PER_LINE }, (_, i) => Math.round(size ** (i / (POINTS_PER_LINE - 1))));
  const floor = (values[0] ?? 0) * FLOOR;
  return [...new Set(steps)]
    .map((index) => ({ site: SITE_NAMES[site], index, value: values[index - 1] ?? 0 }))
    .filter((p) => p.value > floor);
}

function cut(
  result: InspectResult,
  { shape, data }: InspectArrays['spectra_heldout'],
  site: InspectSite,
  level: number,
): SpectrumPoint[] {
  const [, images = 1, size = 0] = shape;
  return result.rankCurve
    .filter(
      (r) => r.site === site && r.image === 0 && r.rule === 'sqrt-energy-0.99' && r.sigma === result.sigmas[level],
    )
    .map(({ rank }) => ({ site: SITE_NAMES[site], index: rank, value: data[level * images * size + rank - 1] ?? 0 }));
}
