import type { CosineHistogram } from '../../analysis/copying/histogram.ts';
import type { CurveFigure } from '../../experiments/plain-figure.ts';
import type { Canvas } from '../svg.ts';
import type { Figure } from './figure.ts';
import { plainSvg } from './plain.ts';

/** Outlines of histograms of cosines over one axis, from the first bin that holds anything. */
export function cosineFigure(canvas: Canvas, { descriptor, edges, counts }: CosineHistogram, reading: string): Figure {
  const title = `Cosines: ${descriptor}`;
  const first = Math.min(...Object.values(counts).map((values) => values.findIndex((count) => count > 0)).filter((bin) => bin >= 0)); // prettier-ignore
  const figure: CurveFigure = {
    kind: 'curves',
    title,
    xLabel: 'cosine',
    yLabel: 'share',
    curves: Object.entries(counts).map(([name, values]) => ({
      name,
      ...outline(edges.slice(first), values.slice(first)),
      style: 'line',
    })),
  };
  return {
    name: `cosines-${descriptor.replace(/[^A-Za-z0-9]+/g, '-')}`,
    title,
    reading,
    svg: (width) => plainSvg(canvas, figure, width),
  };
}

/** Shares of all counts as steps that begin and end at 0. */
function outline(edges: readonly number[], counts: readonly number[]): { x: number[]; y: number[] } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const x = counts.flatMap((_, i) => [edges[i] as number, edges[i + 1] as number]);
  const y = counts.flatMap((count) => [count / total, count / total]);
  return { x: [edges[0] as number, ...x, edges.at(-1) as number], y: [0, ...y, 0] };
}
