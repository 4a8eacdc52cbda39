import type { InspectResult, InspectSite } from '../../experiments/inspect-result.ts';
import type { Canvas } from '../svg.ts';
import { FIGURE_STYLE, logAxis, meanBySigma, SITE_NAMES, SITE_DOTS, type Figure } from './figure.ts';
import { withLegend } from './legend.ts';

/** Defects are not drawn below the eps of float64: a closed form can be exactly symmetric, which a log axis cannot show. */
const FLOOR = 2 ** -52;

/** Symmetry defect of the Jacobian against noise level, log against log, one line a site. */
export function symmetryFigure({ Plot, draw }: Canvas, result: InspectResult): Figure {
  const sites: InspectSite[] = ['heldout', 'trajectory'];
  const curves = sites.map((site) => {
    const rows = result.symmetryDefect.filter((row) => row.site === site);
    return { site, points: meanBySigma(rows, (row) => Math.max(FLOOR, row.defect)) };
  });
  const svg = (width: number): string => {
    const plot = draw({
      width,
      height: Math.round(Math.min(260, width * 0.7)),
      marginLeft: 52,
      marginBottom: 42,
      style: FIGURE_STYLE,
      ariaLabel: 'Symmetry defect against noise level',
      x: logAxis(result.sigmas, 'noise level \u03c3'),
      y: {
        ...logAxis(
          curves.flatMap((c) => c.points.map((p) => p.value)),
          '|J \u2212 J\u1d40| / |J|',
        ),
        labelAnchor: 'top',
      },
      marks: curves.flatMap(({ site, points }) => [
        Plot.line(points, { x: 'sigma', y: 'value', stroke: `var(--${site})`, strokeWidth: 1.8 }),
        Plot.dot(points, { x: 'sigma', y: 'value', r: SITE_DOTS[site], fill: `var(--${site})` }),
      ]),
    });
    return withLegend(
      plot,
      width,
      sites.map((site) => ({ label: SITE_NAMES[site], color: `var(--${site})` })),
    );
  };
  return {
    name: 'symmetry',
    title: 'Symmetry of the Jacobian',
    reading:
      'An ideal denoiser has a symmetric Jacobian, so the height of a line says how far the model is from being any ideal denoiser at that noise level; ' +
      '\u221a2 would be a matrix without any symmetry.',
    svg,
  };
}
