import type { InspectArrays, InspectResult } from '../experiments/inspect-result.ts';
import type { Figure } from './figures/figure.ts';
import { linearityFigure } from './figures/linearity.ts';
import { rankCurveFigure } from './figures/rank-curve.ts';
import { samplesFigure } from './figures/samples.ts';
import { singularVectorsFigure } from './figures/singular-vectors.ts';
import { spectraFigure } from './figures/spectra.ts';
import { symmetryFigure } from './figures/symmetry.ts';
import { trajectoryFigure } from './figures/trajectory.ts';
import { imageGridPng, isImageShape } from './png.ts';
import { loadCanvas, standaloneSvg, type Canvas } from './svg.ts';

const FILE_WIDTH = 760;

/** All figures of an inspection, in the order of the report. */
export function inspectFigures(canvas: Canvas, result: InspectResult, arrays: InspectArrays): Figure[] {
  return [
    rankCurveFigure(canvas, result),
    singularVectorsFigure(result, arrays),
    spectraFigure(canvas, result, arrays),
    trajectoryFigure(result, arrays),
    samplesFigure(result, arrays),
    linearityFigure(canvas, result),
    symmetryFigure(canvas, result),
  ];
}

/**
 * The figures as files of their own: one SVG a figure, and the samples as `samples.png` where they are images.
 * @returns content by file name
 */
export async function renderFigureFiles(
  result: InspectResult,
  arrays: InspectArrays,
): Promise<Map<string, string | Uint8Array>> {
  const figures = inspectFigures(await loadCanvas(), result, arrays);
  const files = new Map<string, string | Uint8Array>(
    figures.map((f) => [`${f.name}.svg`, standaloneSvg(f.svg(FILE_WIDTH))]),
  );
  if (isImageShape(result.sampleShape)) {
    const columns = Math.ceil(Math.sqrt(arrays.samples.shape[0] ?? 1));
    files.set('samples.png', imageGridPng(arrays.samples, result.valueRange, { columns, scale: 2 }));
  }
  return files;
}
