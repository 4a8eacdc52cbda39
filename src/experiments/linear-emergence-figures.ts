import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { wienerGain } from '../theory/linear-gains.ts';
import { overlapSquared } from '../theory/spiked-covariance.ts';
import type { EmergenceBasis, EmergenceRow, LearnedLevel, LinearEmergence } from './linear-emergence.ts';
import type { Curve, CurveFigure, ImagesFigure, PlainFigure } from './plain-figure.ts';

const MOST_CURVES = 6;
const MOST_ROWS = 7;
const GENERATED = 6;

type Measured = Omit<LinearEmergence, 'figures'>;

/** Figures of a linear emergence: angles and frequencies for all data, pictures where samples are images. */
export function emergenceFigures(
  measured: Measured,
  basis: EmergenceBasis,
  levels: readonly LearnedLevel[],
  gamma: number,
): Record<string, PlainFigure> {
  const angles = anglesFigure(measured, basis, gamma);
  const gains = gainsFigure(measured, basis);
  if (basis.dataset.sampleShape.length !== 3) return { angles, gains };
  return {
    angles,
    gains,
    frequency: frequencyFigure(measured),
    components: componentsFigure(measured, basis),
    reconstructions: reconstructionsFigure(measured, basis, levels),
    generation: generationFigure(measured, basis, levels),
  };
}

function spaced(count: number, most: number): number[] {
  const number = Math.min(count, most);
  return Array.from({ length: number }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, number - 1)));
}

function anglesFigure(
  { rows, sigmas, samples, draws }: Measured,
  { dataset }: EmergenceBasis,
  gamma: number,
): CurveFigure {
  const [high, low] = [sigmas[0] as number, sigmas[sigmas.length - 1] as number];
  const fine = Array.from({ length: 161 }, (_, i) => low * (high / low) ** (i / 160));
  const sine = (squaredCosine: number): number => Math.sqrt(Math.max(0, 1 - squaredCosine));
  const curves = spaced(rows.length, MOST_CURVES).flatMap((i): Curve[] => {
    const row = rows[i];
    if (row === undefined) return [];
    const name = `component ${row.component}`;
    return [
      {
        name: `${name}, spiked model`,
        x: fine,
        y: fine.map((sigma) => sine(overlapSquared(row.eigenvalue / sigma ** 2, gamma))),
        style: 'line',
      },
      { name: `${name}, learned`, x: sigmas, y: row.alignment.map(sine), style: 'points' },
    ];
  });
  return {
    kind: 'curves',
    title: `Angle of learned directions with the principal components of ${dataset.name}, n = ${samples}, m = ${draws}`,
    xLabel: 'noise level σ',
    yLabel: 'sin θ',
    xScale: 'log',
    curves,
  };
}

function gainsFigure({ rows, sigmas, samples, draws }: Measured, { dataset }: EmergenceBasis): CurveFigure {
  const [high, low] = [sigmas[0] as number, sigmas[sigmas.length - 1] as number];
  const fine = Array.from({ length: 161 }, (_, i) => low * (high / low) ** (i / 160));
  return {
    kind: 'curves',
    title: `Gain of the learned linear denoiser along the principal components of ${dataset.name}, n = ${samples}, m = ${draws}`,
    xLabel: 'noise level σ',
    yLabel: 'gain',
    xScale: 'log',
    curves: spaced(rows.length, MOST_CURVES).flatMap((i): Curve[] => {
      const { component, eigenvalue, gain } = rows[i] as EmergenceRow;
      const exact = fine.map((sigma) => wienerGain(eigenvalue, sigma));
      return [
        { name: `component ${component}, λ / (λ + σ²)`, x: fine, y: exact, style: 'line' },
        { name: `component ${component}, learned`, x: sigmas, y: gain, style: 'points' },
      ];
    }),
  };
}

function frequencyFigure({ rows, frequencyCorrelation }: Measured): CurveFigure {
  const y = rows.map((row) => row.meanRadialFrequency);
  const finite = rows.every((row) => row.criticalSigma < Infinity);
  return {
    kind: 'curves',
    title: `Low frequencies first: rank correlation ${frequencyCorrelation.toFixed(2)}`,
    xLabel: finite ? 'critical noise level σ' : 'standard deviation along the component',
    yLabel: 'mean radial frequency, cycles per pixel',
    xScale: 'log',
    curves: [
      {
        name: 'principal components',
        x: rows.map((row) => (finite ? row.criticalSigma : Math.sqrt(row.eigenvalue))),
        y,
        style: 'points',
      },
    ],
  };
}

function componentsFigure({ rows }: Measured, { dataset, vectors }: EmergenceBasis): ImagesFigure {
  const count = Math.min(rows.length, 8);
  const images = Array.from({ length: count }, (_, i) => slice(vectors, i, i + 1).data);
  const largest = images.reduce((most, image) => image.reduce((top, x) => Math.max(top, Math.abs(x)), most), 0);
  return {
    kind: 'images',
    title: `Principal components of ${dataset.name}`,
    shape: dataset.sampleShape as unknown as readonly [number, number, number],
    range: [-largest, largest],
    columns: images.map((_, i) => String(i + 1)),
    rows: [{ caption: 'component', images }],
  };
}

function reconstructionsFigure(
  { rows, samples }: Measured,
  basis: EmergenceBasis,
  levels: readonly LearnedLevel[],
): ImagesFigure {
  const { dataset, shown } = basis;
  const [count, p] = shown.shape as [number, number];
  const triples = (...kinds: readonly Tensor<'float64'>[]): Float64Array[] => {
    const images = kinds.map((kind) => toImages(kind, basis));
    return Array.from({ length: count }, (_, i) => images.map((x) => x.subarray(i * p, (i + 1) * p))).flat();
  };
  return {
    kind: 'images',
    title: `Noisy images, learned projections and learned Wiener filters, n = ${samples}`,
    columns: Array.from({ length: count }, () => ['noisy', 'projection', 'Wiener']).flat(),
    shape: dataset.sampleShape as unknown as readonly [number, number, number],
    range: [dataset.range.low, dataset.range.high],
    rows: [
      ...spaced(levels.length, MOST_ROWS).map((s) => {
        const { sigma, leading, noisy, filtered } = levels[s] as LearnedLevel;
        // As many directions as the spiked model says can be found, and one where there are none.
        const rank = Math.max(1, rows.filter((row) => row.criticalSigma > sigma).length);
        const projected = project(noisy, slice(leading, 0, rank));
        return { caption: `σ ${sigma.toPrecision(2)}, rank ${rank}`, images: triples(noisy, projected, filtered) };
      }),
      { caption: 'clean', images: triples(shown, shown, shown) },
    ],
  };
}

/** The projection of rows x onto the span of orthonormal rows, factor by factor. */
function project(x: Tensor<'float64'>, basis: Tensor<'float64'>): Tensor<'float64'> {
  return matmul(matmul(x, basis, { transposeB: true }), basis);
}

/** What x_(t-1) = P_t x_t makes of pure noise, brought to the spread of the data so that shrinking does not hide the direction. */
function generationFigure({ rows }: Measured, basis: EmergenceBasis, levels: readonly LearnedLevel[]): ImagesFigure {
  const { dataset, mean, values, seed } = basis;
  const p = mean.length;
  const states = [normal(randomKey(seed, 'emergence', 'generation'), [GENERATED, p])];
  for (const { leading } of levels) {
    states.push(project(states[states.length - 1] as Tensor<'float64'>, slice(leading, 0, rows.length)));
  }
  const spread = Math.sqrt(rows.reduce((sum, row) => sum + (values[row.component - 1] as number), 0));
  const shown = spaced(states.length, MOST_ROWS + 1);
  return {
    kind: 'images',
    title: `The linear reverse process from noise, projections of rank ${rows.length}, scaled to the spread of the data`,
    shape: dataset.sampleShape as unknown as readonly [number, number, number],
    range: [dataset.range.low, dataset.range.high],
    rows: shown.map((s) => {
      const state = states[s] as Tensor<'float64'>;
      const images = toImages(rescaled(state, spread), basis);
      const caption = s === 0 ? 'noise' : `after σ ${(levels[s - 1] as LearnedLevel).sigma.toPrecision(2)}`;
      return { caption, images: Array.from({ length: GENERATED }, (_, i) => images.subarray(i * p, (i + 1) * p)) };
    }),
  };
}

function rescaled(x: Tensor<'float64'>, norm: number): Tensor<'float64'> {
  const [count, p] = x.shape as [number, number];
  const factors = Array.from({ length: count }, (_, i) => {
    const square = x.data.subarray(i * p, (i + 1) * p).reduce((sum, value) => sum + value * value, 0);
    return square > 0 ? norm / Math.sqrt(square) : 0;
  });
  return tensor(
    'float64',
    x.shape,
    x.data.map((value, i) => value * (factors[Math.floor(i / p)] as number)),
  );
}

function toImages(coordinates: Tensor<'float64'>, { mean, vectors }: EmergenceBasis): Float64Array {
  return matmul(coordinates, vectors).data.map((x, i) => x + (mean[i % mean.length] as number));
}
