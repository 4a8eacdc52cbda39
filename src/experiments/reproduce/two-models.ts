import { gaussianFlow } from '../../analysis/teleport.ts';
import { inMemory } from '../../data/dataset.ts';
import { empiricalDenoiser } from '../../denoisers/empirical.ts';
import { endAtZero, karrasGrid } from '../../diffusion/noise-grid.ts';
import { throwIfAborted } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { sampleFrom } from '../../samplers/sample.ts';
import { latents, normal, randomKey } from '../../tensor/random.ts';
import { castFloat, slice } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { dataMoments } from '../data-moments.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'Kadkhodaie et al., arXiv 2310.02557, figure 2';
const DIMENSION = 64;
const TOP = 80;

/** Mean cosines between samples of two models, and of samples with their nearest training point. */
interface Agreement {
  readonly N: number;
  readonly between: number;
  readonly toNearest: number;
}

/** Two models of disjoint halves, started from the same noise: strangers when data are few, twins when they are many. */
export const twoModels: Reproduction = {
  name: 'two-models',
  title: 'Two models of disjoint data draw the same samples once the data suffice',
  source: PAPER,
  async run(size, context): Promise<ReproductionResult> {
    const counts = size === 'full' ? [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000] : [1, 60, 1500];
    const trials = size === 'full' ? 20 : 4;
    const rows: Agreement[] = [];
    for (const [i, N] of counts.entries()) {
      rows.push(await agreement(N, trials, context));
      context.onProgress?.(i + 1, counts.length);
    }
    const memorizing = await memorizers(300, 16, context);
    const [first, last] = [rows[0] as Agreement, rows[rows.length - 1] as Agreement];
    const rising = rows.every((r, i) => r.between > (rows[i - 1]?.between ?? -1) - 0.05);
    return {
      claims: [
        between('N = 1: mean cosine between the two samples', first.between, -0.25, 0.25, PAPER, 'near 0'),
        between(`N = ${last.N}: mean cosine between the two samples`, last.between, 0.95, 1, PAPER, 'near 1'),
        between('the cosine rises with N', rising ? 1 : 0, 1, 1, PAPER, 'yes'),
        between(
          'N = 1: cosine of a sample with its nearest training point',
          first.toNearest,
          0.999,
          1 + 1e-12,
          PAPER,
          '1: it is that point',
        ),
        between(`N = ${last.N}: the same`, last.toNearest, 0, 0.7, PAPER, 'lower: samples are new'),
        between(
          'memorizing denoisers of 300 samples each: mean cosine between their samples',
          memorizing,
          -1,
          0.4,
          PAPER,
          'low',
        ),
      ],
      figures: {
        cosines: {
          kind: 'curves',
          title: 'Two models of disjoint data, same starting noise',
          xLabel: 'training samples of each',
          yLabel: 'mean cosine',
          xScale: 'log',
          curves: [
            { name: 'between the two samples', x: counts, y: rows.map((r) => r.between), style: 'line' },
            { name: 'with the nearest training sample', x: counts, y: rows.map((r) => r.toNearest), style: 'line' },
          ],
        },
      },
      values: { dimension: DIMENSION, trials, rows, memorizing },
      notes: [
        'The paper trains U-Nets on faces; here each model is the Gaussian denoiser of its own samples, the best linear one, and its flow is taken in closed form.',
        'Data are Gaussian in 64 dimensions with variances 1 / (1 + i / 16).',
      ],
    };
  },
};

/** Means over trials, each with fresh data and 8 starts. */
async function agreement(N: number, trials: number, { seed, signal }: TopicContext): Promise<Agreement> {
  let [sum, nearest] = [0, 0];
  for (let trial = 0; trial < trials; trial++) {
    throwIfAborted('two-models', signal);
    const start = startNoise(seed + 8 * trial, 8);
    const sets = [drawData(seed, N, trial, 'a'), drawData(seed, N, trial, 'b')];
    const samples: Tensor<'float64'>[] = [];
    for (const x of sets) {
      const moments = await dataMoments(inMemory('part', x, { low: -6, high: 6 }), signal);
      samples.push(gaussianFlow(moments, start, TOP, 0));
    }
    const [a, b] = samples.map(unitRows) as [Tensor<'float64'>, Tensor<'float64'>];
    const near = matmul(a, unitRows(sets[0] as Tensor<'float64'>), { transposeB: true });
    for (let i = 0; i < 8; i++) {
      sum += cosine(a, b, i);
      nearest += slice(near, i, i + 1).data.reduce((most, c) => Math.max(most, c), -1);
    }
  }
  return { N, between: sum / (8 * trials), toNearest: nearest / (8 * trials) };
}

/** Mean cosine between samples of the optimal denoisers of two finite sets. */
async function memorizers(N: number, count: number, { seed, signal }: TopicContext): Promise<number> {
  const grid = endAtZero(karrasGrid({ steps: 18 }));
  const start = startNoise(seed, count);
  const samples: FloatTensor[] = [];
  for (const half of ['a', 'b']) {
    await using model = empiricalDenoiser({ name: half, points: drawData(seed, N, 0, half) });
    samples.push((await sampleFrom(model, start, { grid, ...(signal && { signal }) })).x);
  }
  const [a, b] = samples.map((x) => unitRows(castFloat(x, 'float64'))) as [Tensor<'float64'>, Tensor<'float64'>];
  return Array.from({ length: count }, (_, i) => cosine(a, b, i)).reduce((s, c) => s + c, 0) / count;
}

function drawData(seed: number, N: number, trial: number, half: string): Tensor<'float64'> {
  const z = normal(randomKey(seed, 'two-models', N, trial, half), [N, DIMENSION]);
  return { ...z, data: z.data.map((v, at) => v / Math.sqrt(1 + (at % DIMENSION) / 16)) };
}

function startNoise(seed: number, count: number): Tensor<'float64'> {
  const z = latents(Array.from({ length: count }, (_, i) => seed + i), [DIMENSION]); // prettier-ignore
  return { ...z, data: z.data.map((v) => TOP * v) };
}

function unitRows(x: Tensor<'float64'>): Tensor<'float64'> {
  const n = x.shape[1] as number;
  const lengths = Array.from({ length: x.shape[0] as number }, (_, i) => Math.hypot(...slice(x, i, i + 1).data));
  return { ...x, data: x.data.map((v, at) => v / (lengths[Math.floor(at / n)] as number)) };
}

/** Cosine of rows i of unit length. */
function cosine(a: Tensor<'float64'>, b: Tensor<'float64'>, i: number): number {
  const [u, v] = [slice(a, i, i + 1).data, slice(b, i, i + 1).data];
  return u.reduce((s, c, k) => s + c * (v[k] as number), 0);
}
