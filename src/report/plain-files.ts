import type { PlainFigure } from '../experiments/plain-figure.ts';
import { withTitle } from './figures/legend.ts';
import { plainSvg } from './figures/plain.ts';
import { loadCanvas, standaloneSvg } from './svg.ts';

const FILE_WIDTH = 760;

/** Figures as files of their own with their titles, `NAME.svg` each. */
export async function plainFigureFiles(figures: Readonly<Record<string, PlainFigure>>): Promise<Map<string, string>> {
  const canvas = await loadCanvas();
  return new Map(
    Object.entries(figures).map(([name, figure]) => [
      `${name}.svg`,
      standaloneSvg(withTitle(plainSvg(canvas, figure, FILE_WIDTH), FILE_WIDTH, figure.title)),
    ]),
  );
}
