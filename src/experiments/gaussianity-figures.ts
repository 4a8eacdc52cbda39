import { sizeOf } from '../tensor/tensor.ts';
import type { LevelFacts, ModelCloseness } from './gaussianity.ts';
import type { CurveFigure, ImagesFigure, PlainFigure } from './plain-figure.ts';

/** Distances and explained variances over noise, and the denoised samples side by side where they are images. */
export function gaussianityFigures(
  levels: readonly LevelFacts[],
  closeness: readonly ModelCloseness[],
  outputs: ReadonlyMap<string, Float64Array>,
  sampleShape: readonly number[],
  range: { readonly low: number; readonly high: number },
): Record<string, PlainFigure> {
  const pictures = denoisedRows(levels, outputs, sampleShape, range);
  const over = (title: string, yLabel: string, value: (c: ModelCloseness) => number): CurveFigure => ({
    kind: 'curves',
    title,
    xLabel: 'noise level σ',
    yLabel,
    xScale: 'log',
    yScale: 'log',
    curves: [...new Set(closeness.map((c) => c.model))].map((model) => {
      const own = closeness.filter((c) => c.model === model);
      // The mean is the least that can be said: a reference for the others.
      const style = model === 'mean' ? ('dashed' as const) : ('line' as const);
      return { name: shownName(model), x: own.map((c) => c.sigma), y: own.map(value), style };
    }),
  });
  return {
    rmse: over('Distance of each model from the denoiser', 'RMSE, data units', (c) => c.rmse),
    'unexplained-denoiser': over(
      'Variance of the denoiser left unexplained',
      '1 − explained variance',
      (c) => 1 - c.denoiserVariance,
    ),
    'unexplained-score': over(
      'Variance of the score left unexplained',
      '1 − explained variance',
      (c) => 1 - c.scoreVariance,
    ),
    linearity: {
      kind: 'curves',
      title: 'Linearity score of the denoiser',
      xLabel: 'noise level σ',
      yLabel: 'mean |cosine|',
      xScale: 'log',
      curves: [
        { name: 'linearity score', x: levels.map((l) => l.sigma), y: levels.map((l) => l.linearity), style: 'line' },
      ],
    },
    ...(pictures && { denoised: pictures }),
  };
}

/** Names of people keep their capitals. */
function shownName(model: string): string {
  return model === 'gaussian' ? 'Gaussian' : model;
}

/** The first sample at every level: a row a model. */
function denoisedRows(
  levels: readonly LevelFacts[],
  outputs: ReadonlyMap<string, Float64Array>,
  sampleShape: readonly number[],
  { low, high }: { readonly low: number; readonly high: number },
): ImagesFigure | undefined {
  const [C = 0, H = 0, W = 0] = sampleShape;
  if (sampleShape.length !== 3 || (C !== 1 && C !== 3)) return undefined;
  const size = sizeOf(sampleShape);
  return {
    kind: 'images',
    title: 'One held-out sample denoised by each model, over the noise level σ',
    columns: levels.map((l) => String(Number(l.sigma.toPrecision(2)))),
    shape: [C, H, W],
    range: [low, high],
    rows: Array.from(outputs, ([caption, data]) => ({
      caption: shownName(caption),
      images: levels.map((_, i) => {
        const from = (i * data.length) / levels.length;
        return data.subarray(from, from + size);
      }),
    })),
  };
}
