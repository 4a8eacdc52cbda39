import { denoiserDimension } from '../../analysis/dimension/denoiser-dimension.ts';
import type { DenoiserLevel } from '../../analysis/dimension/denoiser-dimension.ts';
import type { DimensionEstimate } from '../../analysis/dimension/estimate.ts';
import { drawManifold } from '../../analysis/dimension/manifolds.ts';
import type { ManifoldKind } from '../../analysis/dimension/manifolds.ts';
import { maximumLikelihoodDimension } from '../../analysis/dimension/maximum-likelihood.ts';
import { nearestNeighbours } from '../../analysis/dimension/neighbours.ts';
import { twoNnDimension } from '../../analysis/dimension/two-nn.ts';
import { lowRankMixtureDenoiser } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { randomKey } from '../../tensor/random.ts';
import type { TrialMean } from '../../theory/trials.ts';
import type { Curve, PlainFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const LIKELIHOOD = 'Levina and Bickel 2004; MacKay and Ghahramani 2005';
const TWO_NN = "Facco, d'Errico, Rodriguez and Laio 2017";
const E4 = 'Kadkhodaie, Guth, Simoncelli and Mallat 2024, arXiv 2310.02557, sections 2 to 4';

/** Shapes, and how far maximum likelihood and TwoNN may lie off (share): more where neighbours lie far off or on bent chords. */
const SHAPES: readonly { kind: ManifoldKind; dimension: number; likelihood: number; twoNn: number }[] = [
  { kind: 'subspace', dimension: 1, likelihood: 0.08, twoNn: 0.15 },
  { kind: 'sphere', dimension: 2, likelihood: 0.08, twoNn: 0.15 },
  { kind: 'swissRoll', dimension: 2, likelihood: 0.1, twoNn: 0.15 },
  { kind: 'product', dimension: 4, likelihood: 0.15, twoNn: 0.18 },
  { kind: 'subspace', dimension: 5, likelihood: 0.08, twoNn: 0.15 },
  { kind: 'torus', dimension: 2, likelihood: 0.08, twoNn: 0.15 },
  { kind: 'sphere', dimension: 10, likelihood: 0.2, twoNn: 0.2 },
  { kind: 'subspace', dimension: 10, likelihood: 0.2, twoNn: 0.2 },
  { kind: 'sphere', dimension: 20, likelihood: 0.35, twoNn: 0.3 },
];
/** Rank of each of the two components, and how many numbers a sample has. */
const [RANK, AMBIENT] = [6, 48];

/** The estimators on shapes of known dimension, and manifold rank and error of an exact denoiser at small noise. */
export const intrinsicDimension: Reproduction = {
  name: 'intrinsic-dimension',
  title: 'Intrinsic dimension from samples and from a denoiser',
  source: `${LIKELIHOOD}; ${TWO_NN}; ${E4}`,
  async run(size, context): Promise<ReproductionResult> {
    const full = size === 'full';
    const shapes = await measureShapes(full ? SHAPES : SHAPES.slice(0, 5), full ? 2000 : 500, context);
    const levels = await measureMixture(full ? 200 : 40, context);
    return {
      claims: [...shapes.flatMap(shapeClaims), ...(full ? [knownBias(shapes)] : []), ...levels.flatMap(levelClaims)],
      figures: { shapes: shapeFigure(shapes), noise: noiseFigure(levels) },
      values: { shapes, levels: levels.map((level) => ({ ...level, values: Array.from(level.values) })) },
      notes: [
        'Shapes lie in 24 dimensions with noise of standard deviation 1e-5, below the distance of neighbours; k = 20; the sources used other sizes.',
        `The denoiser is the exact posterior mean of two Gaussians of rank ${RANK} in ${AMBIENT} dimensions, not a network.`,
      ],
    };
  },
};

interface MeasuredShape {
  readonly kind: ManifoldKind;
  readonly dimension: number;
  readonly count: number;
  readonly tolerance: { readonly likelihood: number; readonly twoNn: number };
  readonly likelihood: DimensionEstimate;
  readonly twoNn: DimensionEstimate;
}

async function measureShapes(
  shapes: typeof SHAPES,
  count: number,
  { seed, signal, onProgress }: TopicContext,
): Promise<MeasuredShape[]> {
  const measured: MeasuredShape[] = [];
  for (const { kind, dimension, ...tolerance } of shapes) {
    const x = drawManifold({ kind, dimension, ambient: 24, count, noise: 1e-5, seed });
    const neighbours = await nearestNeighbours(x, 20, { signal });
    const { dimension: slope, low, high, interval, samples, scale } = twoNnDimension(neighbours, { seed });
    const twoNn = { dimension: slope, low, high, interval, samples, scale };
    measured.push({ kind, dimension, count, tolerance, likelihood: maximumLikelihoodDimension(neighbours), twoNn });
    onProgress?.(measured.length, shapes.length);
  }
  return measured;
}

function shapeClaims({ kind, dimension, count, tolerance, likelihood, twoNn }: MeasuredShape): ClaimResult[] {
  const of = `${kind} of dimension ${dimension}, ${count} samples`;
  const off = (share: number): number => Number((share * dimension).toFixed(3));
  return [
    near(`maximum likelihood on ${of}`, likelihood.dimension, dimension, off(tolerance.likelihood), LIKELIHOOD),
    near(`TwoNN on ${of}`, twoNn.dimension, dimension, off(tolerance.twoNn), TWO_NN),
  ];
}

/** Few samples cannot fill twenty dimensions: the estimate stays below, as the paper's figure for the sphere shows. */
function knownBias(shapes: readonly MeasuredShape[]): ClaimResult {
  const measured = shapes.find((s) => s.dimension === 20)?.likelihood.dimension ?? NaN;
  const claim = 'maximum likelihood is too low in 20 dimensions at 2,000 samples';
  return between(claim, measured, 14, 18, `${LIKELIHOOD}; size of the bias derived: checked by simulation only`);
}

async function measureMixture(images: number, { seed, signal }: TopicContext): Promise<readonly DenoiserLevel[]> {
  const mixture = randomMixture({ n: AMBIENT, ranks: [RANK, RANK], variances: [1, 1], seed });
  const denoiser = lowRankMixtureDenoiser({ name: 'molrg', mixture });
  const { x } = sampleMixture(mixture, randomKey(seed, 'intrinsic-dimension'), images);
  const options = { sigmas: [0.01, 0.03, 0.1], probes: AMBIENT, triplets: RANK + 2, seed, signal };
  return (await denoiserDimension(denoiser, x, options)).levels;
}

function levelClaims({ sigma, error, sure, trace, rank, values }: DenoiserLevel): ClaimResult[] {
  const at = `at sigma ${sigma}`;
  const four = ({ standardError }: TrialMean): number => Number((4 * standardError).toPrecision(3));
  const outside = values[RANK] as number;
  return [
    near(`Jacobian values above 1/2 on rank ${RANK} data ${at}`, rank.mean, RANK, 0, E4),
    between(`the next Jacobian value ${at}`, outside, 0, 0.01, E4),
    near(`trace of the Jacobian ${at}`, trace.mean, Number((RANK / (1 + sigma * sigma)).toFixed(4)), 1e-3, E4),
    near(`squared error / sigma^2 ${at}`, error.mean, RANK, four(error), E4),
    near(`Stein's estimate / sigma^2 ${at}`, sure.mean, RANK, four(sure), E4),
  ];
}

function shapeFigure(shapes: readonly MeasuredShape[]): PlainFigure {
  const truth = shapes.map((s) => s.dimension);
  const curve = (name: string, pick: (s: MeasuredShape) => DimensionEstimate): Curve => ({
    name,
    x: truth,
    y: shapes.map((s) => pick(s).dimension),
    low: shapes.map((s) => pick(s).low),
    high: shapes.map((s) => pick(s).high),
    style: 'points',
  });
  const ends = [Math.min(...truth), Math.max(...truth)];
  return {
    kind: 'curves',
    title: 'Estimated against true dimension',
    xLabel: 'dimension of the shape',
    yLabel: 'estimate',
    curves: [
      { name: 'true', x: ends, y: ends, style: 'dashed' },
      curve('maximum likelihood, k = 20', (s) => s.likelihood),
      curve('TwoNN', (s) => s.twoNn),
    ],
  };
}

function noiseFigure(levels: readonly DenoiserLevel[]): PlainFigure {
  const x = levels.map((l) => l.sigma);
  return {
    kind: 'curves',
    title: 'Squared error of an exact denoiser of low-rank data',
    xLabel: 'noise level σ',
    yLabel: 'squared error / σ²',
    xScale: 'log',
    curves: [
      { name: `rank ${RANK}`, x, y: x.map(() => RANK), style: 'dashed' },
      {
        name: 'measured',
        x,
        y: levels.map((l) => l.error.mean),
        low: levels.map((l) => l.error.low),
        high: levels.map((l) => l.error.high),
        style: 'points',
      },
    ],
  };
}
