import type { Alignment } from '../analysis/alignment.ts';
import { row } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { EmergenceStep } from './emergence.ts';
import type { CurveFigure, ImagesFigure, PlainFigure } from './plain-figure.ts';

/** Curves that can be told apart. */
const drawn = 6;

/** Sines and overlaps against noise for both references, and the directions themselves where samples are images. */
export function emergenceFigures(
  steps: readonly EmergenceStep[],
  bases: Tensor<'float64'>,
  principal: Tensor<'float64'>,
  sampleShape: readonly number[],
): Record<string, PlainFigure> {
  const pictures = directionRows(steps, bases, principal, sampleShape);
  return {
    'sines-last': sines(steps, (s) => s.toLast, 'Angle of each leading direction to its own at the last step'),
    'sines-data': sines(steps, (s) => s.toData, 'Angle of each leading direction to the principal component'),
    subspaces: subspaces(steps),
    ...(pictures && { directions: pictures }),
  };
}

function sines(steps: readonly EmergenceStep[], pick: (s: EmergenceStep) => Alignment, title: string): CurveFigure {
  const count = Math.min(drawn, (steps[0] && pick(steps[0]).sines.length) ?? 0);
  return {
    kind: 'curves',
    title,
    xLabel: 'noise level σ',
    yLabel: 'sine of the angle',
    xScale: 'log',
    curves: Array.from({ length: count }, (_, i) => ({
      name: `direction ${i + 1}`,
      x: steps.map((s) => s.sigma),
      y: steps.map((s) => pick(s).sines[i] as number),
      style: 'line' as const,
    })),
  };
}

function subspaces(steps: readonly EmergenceStep[]): CurveFigure {
  const curve = (
    name: string,
    pick: (s: EmergenceStep) => Alignment,
    style: 'line' | 'dashed',
  ): CurveFigure['curves'][number] => ({
    name,
    x: steps.map((s) => s.sigma),
    // sum of cos^2 of the principal angles over their number: 1 for equal spans
    y: steps.map((s) => {
      const sines = pick(s).principalSines;
      return 1 - sines.reduce((sum, v) => sum + v * v, 0) / sines.length;
    }),
    style,
  });
  return {
    kind: 'curves',
    title: 'Share of the leading subspace inside the reference',
    xLabel: 'noise level σ',
    yLabel: 'mean squared cosine',
    xScale: 'log',
    curves: [
      curve('to the last step', (s) => s.toLast, 'line'),
      curve('to the principal components', (s) => s.toData, 'dashed'),
    ],
  };
}

function directionRows(
  steps: readonly EmergenceStep[],
  bases: Tensor<'float64'>,
  principal: Tensor<'float64'>,
  sampleShape: readonly number[],
): ImagesFigure | undefined {
  const [C = 0, H = 0, W = 0] = sampleShape;
  if (sampleShape.length !== 3 || (C !== 1 && C !== 3)) return undefined;
  const images = (basis: Tensor<'float64'>): Float64Array[] =>
    Array.from({ length: Math.min(drawn, basis.shape[0] as number) }, (_, i) => balanced(row(basis, i).data));
  return {
    kind: 'images',
    title: 'Leading directions of the Jacobian from high to low noise, principal components of the data last',
    columns: images(principal).map((_, i) => String(i + 1)),
    shape: [C, H, W],
    range: [-1, 1],
    rows: [
      ...steps.map((s, i) => ({ caption: `σ ${Number(s.sigma.toPrecision(3))}`, images: images(row(bases, i)) })),
      { caption: 'data', images: images(principal) },
    ],
  };
}

/** Scaled so that the largest magnitude is 1. */
function balanced(values: Float64Array): Float64Array {
  const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
  return values.map((v) => v / largest);
}
