import { kSubspaces } from '../../../src/analysis/clustering/k-subspaces.ts';
import { matchedAccuracy } from '../../../src/analysis/clustering/metrics.ts';
import { recoveryError } from '../../../src/analysis/clustering/recovery.ts';
import { descend } from '../../../src/analysis/clustering/subspace-descent.ts';
import { assign, blankFrame, createProblem, rowsOf } from '../../../src/analysis/clustering/subspace-fit.ts';
import { startFrame } from '../../../src/analysis/clustering/subspace-starts.ts';
import { randomKey } from '../../../src/tensor/random.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import { lowRankDefaults } from '../../../src/training/low-rank/spec.ts';
import { trainLowRank } from '../../../src/training/low-rank/train.ts';
import type { Operation } from '../../compute/protocol.ts';
import type { SubspacesState } from './room.ts';
import { drawScene } from './scene.ts';
import type { Scene } from './scene.ts';

type Bases = readonly Tensor<'float64'>[];

/** What is to be learned; `still` shows no movement but the end. */
export type LearnInput = Pick<
  SubspacesState,
  'shape' | 'samples' | 'noise' | 'sigma' | 'weights' | 'steps' | 'rate' | 'restarts' | 'seed'
> & { readonly still: boolean };

/** Subspaces beside the true ones. */
export interface Fit {
  /** Paired with the true ones, [d, 3] each. */
  readonly bases: Bases;
  /** |P_hat - P|_F of each true subspace and its pair. */
  readonly errors: Float64Array;
  /** Component that each point is taken for, -1 for none. */
  readonly found: Int32Array;
  /** Share of the points taken for their own component. */
  readonly accuracy: number;
}

/** The network after some steps of gradient descent, and K-subspaces after as many alternations or at its end. */
export interface Moment {
  readonly restart: number;
  readonly step: number;
  readonly network: Fit;
  readonly clustering: Fit;
}

/** A moment of a training under way, with what it trains on. */
export interface LearnPart {
  readonly scene: Scene;
  readonly moment: Moment;
}

/** A training at its end; the numbers of `eigenlens equivalence`. */
export interface Learned {
  readonly scene: Scene;
  /** Of the restart that was kept. */
  readonly moments: readonly Moment[];
  /** K-subspaces from twenty starts at neighbouring points. */
  readonly best: Fit;
  /** The largest |P_network - P_clustering|_F to it, under the best pairing. */
  readonly distance: number;
}

/** Moments that are shown of a training, at most about. */
const MOMENTS = 100;
/** Time that each is looked at. */
const MOMENT_MS = 45;
/** Halves the steps: the default of `eigenlens equivalence`. */
const DECAY = 200;

/** Trains the network and clusters the same points, at a pace that eyes can follow. */
export const learn: Operation<LearnInput, Learned, LearnPart> = async (input, { signal, progress, emit }) => {
  const { sigma, weights, steps, rate, restarts, seed, still } = input;
  const scene = drawScene(input);
  const ranks = scene.truth.map(({ shape }) => shape[0] as number);
  const rounds = alternations(scene, ranks, seed).map((bases) => fitOf(bases, scene));
  const every = Math.ceil(steps / MOMENTS);
  const moments: Moment[] = [];
  const add = (restart: number, step: number, bases: Bases): Moment => {
    const clustering = rounds[Math.min(step, rounds.length - 1)] as Fit;
    const moment = { restart, step, network: fitOf(bases, scene), clustering };
    moments.push(moment);
    return moment;
  };
  const spec = { ...lowRankDefaults, ranks, sigma, weights, steps, rate, restarts, seed, decay: DECAY };
  const training = await trainLowRank(scene.points, spec, {
    signal,
    history: false,
    onProgress: progress,
    onStep: async ({ restart, step, bases }) => {
      if (step % every !== 0 && step !== steps) return;
      const moment = add(restart, step, bases());
      if (still) return;
      emit({ scene, moment });
      await new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
    },
  });
  const kept = training.restarts.indexOf(Math.min(...training.restarts));
  const end = training.history.at(-1)?.step as number;
  // A training that has converged may end between two moments.
  if (!moments.some(({ restart, step }) => restart === kept && step === end)) add(kept, end, training.bases);
  const best = kSubspaces(scene.points, { clusters: ranks.length, rank: ranks, restarts: 20, seed, signal });
  return {
    scene,
    moments: moments.filter(({ restart }) => restart === kept),
    best: fitOf(best.bases, scene),
    distance: recoveryError(training.bases, best.bases).worst,
  };
};

/** Alternations of K-subspaces from one random start; the last is what `kSubspaces` makes of that start. */
function alternations({ points }: Scene, ranks: readonly number[], seed: number): Bases[] {
  const problem = createProblem(points, ranks, false);
  const frame = startFrame(problem, 'random', randomKey(seed, 'k-subspaces', 0));
  const snapshot = (): Bases => ranks.map((_, k) => copyOf(rowsOf(problem, frame, k)));
  const rounds = [snapshot()];
  for (let cost = Infinity; rounds.length < MOMENTS;) {
    const now = descend(problem, frame, 1, undefined);
    rounds.push(snapshot());
    if (cost - now.cost <= 1e-3 * now.cost || now.cost <= problem.negligible) break;
    cost = now.cost;
  }
  const { bases } = kSubspaces(points, { clusters: ranks.length, rank: ranks, restarts: 1, start: 'random', seed });
  return [...rounds, bases];
}

function fitOf(bases: Bases, { points, classes, truth }: Scene): Fit {
  const { estimateOf, errors } = recoveryError(bases, truth);
  const paired = Array.from(estimateOf, (k) => bases[k] as Tensor<'float64'>);
  const problem = createProblem(points, paired.map(({ shape }) => shape[0] as number), false); // prettier-ignore
  const frame = blankFrame(problem);
  paired.forEach((basis, k) => rowsOf(problem, frame, k).data.set(basis.data));
  const { labels } = assign(problem, frame);
  const { accuracy, classOf } = matchedAccuracy(labels, classes);
  return { bases: paired, errors, found: labels.map((label) => classOf.get(label) ?? -1), accuracy };
}

function copyOf({ shape, data }: Tensor<'float64'>): Tensor<'float64'> {
  return tensor('float64', shape, data.slice());
}
