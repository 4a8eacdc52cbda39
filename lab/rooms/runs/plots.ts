import * as Plot from '@observablehq/plot';

import { drawPlot, logTicks, seriesColor } from '../../components/plot.ts';
import type { LossPoint, RankPoint } from './curves.ts';

/** Room for one name above a figure, CSS pixels. */
const LINE = 17;

/** Names of the runs above the frame in the colours of their curves, so that the export holds them too. */
function names(
  runs: readonly string[],
  color: (run: string) => string,
  width: number,
): { marks: Plot.Markish[]; marginTop: number; height: number } {
  const most = Math.floor(width / 7.5);
  const short = (run: string): string => (run.length > most ? `…${run.slice(1 - most)}` : run);
  const marginTop = 30 + LINE * runs.length;
  const marks = runs.map((run, i) =>
    Plot.text([run], {
      text: short,
      frameAnchor: 'top-left',
      dy: LINE * (i - runs.length) - 6,
      dx: -44,
      fill: color(run),
      fontWeight: 600,
    }),
  );
  return { marks, marginTop, height: marginTop + Math.round(Math.min(300, Math.max(220, width * 0.4))) };
}

/** Rank over D of several runs over noise; generation runs from right to left. */
export function rankPlot(points: readonly RankPoint[], runs: readonly string[], width: number): Element {
  const shown = runs.filter((run) => points.some((point) => point.run === run));
  const colorOf = (run: string): string => seriesColor(runs.indexOf(run));
  const color = ({ run }: RankPoint): string => colorOf(run);
  const sigmas = points.map(({ sigma }) => sigma);
  const domain = [Math.min(...sigmas), Math.max(...sigmas)] as const;
  const { marks, ...space } = names(shown, colorOf, width);
  return drawPlot(width, {
    ...space,
    x: { type: 'log', domain, label: 'noise level σ', ticks: logTicks(...domain), tickFormat: String },
    y: { domain: [0, Math.max(...points.map(({ ratio }) => ratio))], nice: true, label: 'rank / D', ticks: 5, grid: true }, // prettier-ignore
    marks: [
      Plot.line(points, { x: 'sigma', y: 'ratio', z: 'run', stroke: color, strokeWidth: 1.75 }),
      Plot.dot(points, { x: 'sigma', y: 'ratio', fill: color, r: 2.75 }),
      ...marks,
    ],
  });
}

/** Losses of several trainings over steps: lines on training images, dots and dashes on held-out ones. */
export function lossPlot(points: readonly LossPoint[], runs: readonly string[], width: number): Element {
  const shown = runs.filter((run) => points.some((point) => point.run === run));
  const colorOf = (run: string): string => seriesColor(runs.indexOf(run));
  const color = ({ run }: LossPoint): string => colorOf(run);
  const heldout = points.filter((point) => point.heldout !== undefined);
  const values = [...points.map(({ loss }) => loss), ...heldout.map((point) => point.heldout as number)];
  const domain = [0.9 * Math.min(...values), 1.1 * Math.max(...values)] as const;
  const { marks, ...space } = names(shown, colorOf, width);
  return drawPlot(width, {
    ...space,
    x: { label: 'steps', ticks: width < 480 ? 4 : 8 },
    y: { type: 'log', domain, label: 'loss', grid: true, ticks: logTicks(...domain), tickFormat: String },
    marks: [
      Plot.line(points, { x: 'step', y: 'loss', z: 'run', stroke: color, strokeWidth: 1.5 }),
      Plot.line(heldout, { x: 'step', y: 'heldout', z: 'run', stroke: color, strokeDasharray: '3,4' }),
      Plot.dot(heldout, { x: 'step', y: 'heldout', fill: color, r: 2.75 }),
      ...marks,
    ],
  });
}
