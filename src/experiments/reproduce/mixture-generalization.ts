import type { JobRow } from '../jobs/job.ts';
import type { Curve, CurveFigure } from '../plain-figure.ts';
import { runSweepHere } from '../sweep/here.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const WANG = 'Wang et al., arXiv 2409.02426, experiments on mixtures of low-rank Gaussians (second-hand)';

/** Sizes of one run: mixtures of K = 2 subspaces of rank d in n dimensions, N_k points of each. */
interface Settings {
  readonly n: number;
  readonly ranks: readonly number[];
  /** N_k / d */
  readonly ratios: readonly number[];
  readonly seeds: readonly number[];
  readonly base: Readonly<Record<string, unknown>>;
}

const K = 2;

const full: Settings = {
  n: 48,
  ranks: [3, 4, 6],
  ratios: [2, 4, 8, 16, 32, 64, 128],
  seeds: [0],
  base: { architecture: 'mlp', channels: [128], steps: 5000, batchSize: 128, emaHalfLife: 20_000 },
};

const tiny: Settings = {
  n: 12,
  ranks: [3],
  ratios: [2, 64],
  seeds: [0],
  base: {
    architecture: 'mlp',
    channels: [96],
    depth: 1,
    steps: 1500,
    batchSize: 64,
    learningRate: 0.005,
    noiseMean: -0.8,
    emaHalfLife: 2000,
    warmup: 20,
    samples: 128,
    images: 32,
  },
};

/** GL of one mixture and number of points: mean over seeds with the ends of the range of the seeds' intervals. */
interface Point {
  readonly rank: number;
  readonly ratio: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The second half of the size sweep: on data whose dimension is known, the number of samples that it takes is a multiple of it. */
export const mixtureGeneralization: Reproduction = {
  name: 'mixture-generalization',
  title: 'GL of networks trained on mixtures of low-rank Gaussians, over N / d: one curve for every d',
  source: WANG,
  hours: 0.3,
  async run(size, context): Promise<ReproductionResult> {
    const { signal, onProgress, runSweep = runSweepHere } = context;
    const settings = size === 'full' ? full : tiny;
    const { n, ranks, ratios, seeds, base } = settings;
    const places = ranks.flatMap((rank) => ratios.flatMap((ratio) => seeds.map((seed) => ({ rank, ratio, seed }))));
    const cases = places.map(({ rank, ratio, seed }) => ({
      data: `molrg:n=${n},K=${K},d=${rank},seed=${seed}:${K * rank * ratio}`,
      seed,
    }));
    const input = { job: 'generalization', name: `mixture-generalization-${size}`, base, cases };
    const results = await runSweep(input, { signal, onProgress });
    const rows = results.map((result) => result.rows[0] as JobRow);
    const points = ranks.flatMap((rank) =>
      ratios.map((ratio) => pointOf(rank, ratio, rows.filter((_, i) => places[i]?.rank === rank && places[i]?.ratio === ratio))),
    ); // prettier-ignore
    return {
      claims: claimsOf(points, ranks, ratios),
      figures: { generalization: figure(points, ranks) },
      values: { settings: { ...settings }, points, rows },
      notes: [
        `K = ${K} orthogonal subspaces in ${n} dimensions; a perceptron of width ${String(base['channels'])}, ${String(base['steps'])} steps of ${String(base['batchSize'])} points. The paper trains a U-Net.`,
        'GL counts a sample as a copy where its nearest training point is less than a third as far as the second nearest, which chance alone does at a rate of about (1/3)^d; the form of the paper (its equations 48 and 49) was not readable.',
      ],
    };
  },
};

function pointOf(rank: number, ratio: number, rows: readonly JobRow[]): Point {
  const of = (name: string): number[] => rows.map((row) => row[name] as number);
  const values = of('gl');
  return {
    rank,
    ratio,
    value: values.reduce((sum, v) => sum + v, 0) / values.length,
    low: Math.min(...of('glLow')),
    high: Math.max(...of('glHigh')),
  };
}

function claimsOf(points: readonly Point[], ranks: readonly number[], ratios: readonly number[]): ClaimResult[] {
  const at = (ratio: number): Point[] => points.filter((point) => point.ratio === ratio);
  const values = (ratio: number): number[] => at(ratio).map(({ value }) => value);
  const [least, most] = [ratios[0], ratios.at(-1)] as [number, number];
  const spread = Math.max(...ratios.map((ratio) => Math.max(...values(ratio)) - Math.min(...values(ratio))));
  const drop = Math.max(
    ...ranks.flatMap((rank) => {
      const own = points.filter((point) => point.rank === rank).map(({ value }) => value);
      return own.slice(1).map((value, i) => (own[i] as number) - value);
    }),
  );
  const enough = ratios.find((ratio) => ratio >= 50) as number;
  return [
    between(`GL at N_k / d = ${least}, largest over d`, Math.max(...values(least)), 0, 0.5, WANG, 'low'),
    between(`GL at N_k / d = ${enough}, least over d`, Math.min(...values(enough)), 0.9, 1, WANG, 'near 1 from 50 to 60 on'),
    between(`GL at N_k / d = ${most}, least over d`, Math.min(...values(most)), 0.9, 1, WANG, 'near 1'),
    between('largest step down of GL over N_k / d', drop, -1, 0.05, WANG, 'GL rises'),
    between('largest spread of GL over d at one N_k / d', spread, 0, 0.3, WANG, 'one curve'),
  ]; // prettier-ignore
}

function figure(points: readonly Point[], ranks: readonly number[]): CurveFigure {
  const curves = ranks.map((rank): Curve => {
    const own = points.filter((point) => point.rank === rank);
    return {
      name: `d = ${rank}`,
      x: own.map(({ ratio }) => ratio),
      y: own.map(({ value }) => value),
      low: own.map(({ low }) => low),
      high: own.map(({ high }) => high),
      style: 'joined',
    };
  });
  const mark = (name: string, x: number): Curve => ({ name, x: [x, x], y: [0, 1], style: 'dashed' });
  return {
    kind: 'curves',
    title: 'Generalization on mixtures of low-rank Gaussians',
    xLabel: 'training points of each subspace over its rank, N_k / d',
    yLabel: 'GL',
    xScale: 'log',
    curves: [...curves, mark('N_k = d: a subspace is determined', 1), mark('50 d, where the paper sees GL level off', 50)],
  }; // prettier-ignore
}
