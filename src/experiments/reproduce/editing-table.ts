import { credible, fitAttributeJudge } from '../../analysis/attribute-judge.ts';
import { openDataset } from '../../data/open.ts';
import type { DirectionMethod } from '../../editing/direction-set.ts';
import { runEditingBenchmark } from '../editing-benchmark.ts';
import type { BenchmarkRegion, MethodScore } from '../editing-benchmark.ts';
import { openDenoiser } from '../models.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'Chen et al., arXiv 2409.02374, table 1';
const OURS = 'ours, in the form of table 1';

/** Where the parts of a drawn face lie, within its tilt of 10 degrees and its sizes. */
const regions: readonly BenchmarkRegion[] = [
  { name: 'mouth', box: { x: 10, y: 17, width: 12, height: 8 }, attributes: ['smile', 'mouthOpen', 'beard'] },
  { name: 'eyes', box: { x: 5, y: 9, width: 22, height: 8 }, attributes: ['glasses', 'eyesOpen', 'gaze'] },
  { name: 'hair', box: { x: 3, y: 0, width: 26, height: 9 }, attributes: ['hair', 'hairLength'] },
  { name: 'clothing', box: { x: 0, y: 26, width: 32, height: 6 }, attributes: ['clothing'] },
];

const baselines: readonly DirectionMethod[] = ['unmasked', 'noise', 'pca', 'random'];

/** The table of LOCO Edit on drawn faces, judged by their known attributes. */
export const editingTable: Reproduction = {
  name: 'editing-table',
  title: 'Masked singular directions edit locally, and transfer; baselines do less',
  source: PAPER,
  hours: 0.5,
  run: (size, context) => (size === 'full' ? runTable(FULL, context) : runTable(TINY, context)),
};

interface TableSize {
  readonly images: number;
  readonly targets: number;
  readonly directions: number;
  readonly steps: number;
  readonly strengths: readonly number[];
  readonly regions: readonly BenchmarkRegion[];
  readonly methods: readonly DirectionMethod[];
  /** Faces that the judge learns from. */
  readonly faces: number;
  readonly least: number;
}

const FULL: TableSize = {
  images: 8,
  targets: 2,
  directions: 2,
  steps: 12,
  strengths: [2, 4, 8],
  regions,
  methods: ['loco', ...baselines],
  faces: 2000,
  least: 0.3,
};
const TINY: TableSize = {
  images: 1,
  targets: 1,
  directions: 2,
  steps: 6,
  strengths: [4],
  regions: regions.slice(3),
  methods: ['loco', 'random'],
  faces: 300,
  least: 0.5,
};
/** Leading directions of the outside that are projected out. */
const NULL_RANK = 20;
/** Noise level of the edits, VE. */
const SIGMA = 2;

async function runTable(size: TableSize, context: TopicContext): Promise<ReproductionResult> {
  const { signal, seed, onProgress } = context;
  const { denoiser, heldout } = await openDenoiser('faces', { signal });
  await using model = denoiser;
  const train = await openDataset(`faces-train:${size.faces}`);
  const whole = await fitAttributeJudge(train, await openDataset(`faces-heldout:${Math.min(1000, size.faces)}`), { signal });
  const judge = credible(whole);
  const scores = await runEditingBenchmark({ denoiser: model, heldout, train, judge, sigma: SIGMA,
    nullRank: NULL_RANK, seed, signal, onProgress, ...size });
  const [ours, ...others] = scores as [MethodScore, ...MethodScore[]];
  const rival = others.reduce((best, score) => (score.localSuccess > best.localSuccess ? score : best));
  const attributes = Object.keys(ours.changed);
  const claims: ClaimResult[] = [
    between('local edits that succeed, ours', ours.localSuccess, size.least, 1, OURS, `${size.least} or more; 0.80 on CelebA-HQ, by people`),
    between(`the same less that of the best baseline, ${rival.method}`, ours.localSuccess - rival.localSuccess, 0.02, 1, OURS, 'ahead of every baseline'),
    between('squared change inside over outside, median, ours', ours.ratio, 3, 1e6, OURS, '3 or more'),
  ];
  if (size.images > 1) {
    claims.push(
      between('attributes that directions found without labels change', attributes.length, 5, 13, OURS, 'five or more'),
      between('transfers that succeed, ours', ours.transferSuccess, 0.2, 1, OURS, '0.2 or more; 0.91 of transfers on CelebA-HQ, by people'),
    );
  }
  return {
    claims,
    values: { scores, judge: Object.fromEntries(whole.names.map((name, a) => [name, whole.r2[a] ?? null])), sigma: SIGMA },
    notes: [
      'The paper lets people rate edits of CelebA-HQ; here a regression on drawn faces does: the attribute that changes most must belong to the region, change by a standard deviation between the signs, and twice as much as any other region changes.',
      'Twenty leading directions of the outside are projected out, four times as many as in the paper: at 32 pixels five leave half of what an edit does outside.',
      'Each method is rated at the strength of 2, 4 and 8 that suits it best. A transfer counts against all directions, successful or not.',
    ],
  };
} // prettier-ignore
