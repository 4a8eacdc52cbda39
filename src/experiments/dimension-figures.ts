import type { DataEstimate, DimensionResult } from './dimension.ts';
import type { Curve, CurveFigure } from './plain-figure.ts';

/** Estimates over the scale at which each looks, and a denoiser's over noise. */
export function dimensionFigures({ data, estimates, denoiser }: DimensionResult): Record<string, CurveFigure> {
  const kinds = ['maximum likelihood', 'TwoNN', 'local PCA'] as const;
  const scales: CurveFigure = {
    kind: 'curves',
    title: `Intrinsic dimension of ${data.name} over scales`,
    xLabel: 'mean distance to the outermost neighbour used',
    yLabel: 'estimated dimension',
    curves: kinds.map((kind) =>
      estimateCurve(
        kind,
        estimates.filter((e) => e.estimator === kind),
      ),
    ),
  };
  if (denoiser === undefined) return { scales };
  const { levels } = denoiser;
  const overNoise = (name: string, pick: 'error' | 'trace' | 'rank', style: Curve['style']): Curve => ({
    name,
    x: levels.map((l) => l.sigma),
    y: levels.map((l) => l[pick].mean),
    low: levels.map((l) => l[pick].low),
    high: levels.map((l) => l[pick].high),
    style,
  });
  return {
    scales,
    noise: {
      kind: 'curves',
      title: `Dimension that ${denoiser.name} sees over noise`,
      xLabel: 'noise level σ',
      yLabel: 'dimension',
      xScale: 'log',
      curves: [
        overNoise('squared error / noise variance', 'error', 'points'),
        overNoise('trace of the Jacobian', 'trace', 'line'),
        overNoise('singular values above 1/2', 'rank', 'dashed'),
      ],
    },
  };
}

function estimateCurve(name: string, estimates: readonly DataEstimate[]): Curve {
  return {
    name,
    x: estimates.map((e) => e.scale),
    y: estimates.map((e) => e.dimension),
    low: estimates.map((e) => e.low),
    high: estimates.map((e) => e.high),
    style: 'points',
  };
}
