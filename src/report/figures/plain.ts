import type { PlainFigure } from '../../experiments/plain-figure.ts';
import { curvesSvg } from '../plain/curves.ts';
import { heatmapSvg } from '../plain/heatmap.ts';
import { imagesSvg } from '../plain/images.ts';
import type { Canvas } from '../svg.ts';

/** A figure that comes as plain data, as SVG text for `width` CSS pixels; colours are the variables of `colorVariables`. */
export function plainSvg(canvas: Canvas, figure: PlainFigure, width: number): string {
  switch (figure.kind) {
    case 'curves':
      return curvesSvg(canvas, figure, width);
    case 'heatmap':
      return heatmapSvg(canvas, figure, width);
    case 'images':
      return imagesSvg(figure, width);
  }
}
