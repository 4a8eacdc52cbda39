import { belowBoundary } from './below-boundary.ts';
import { clusteringEquivalence } from './clustering-equivalence.ts';
import { editingTable } from './editing-table.ts';
import { explainedVariance } from './explained-variance.ts';
import { hiddenGaussian } from './hidden-gaussian.ts';
import { intrinsicDimension } from './intrinsic-dimension.ts';
import { localDenoiserToys } from './local-denoiser.ts';
import { lowFrequencies } from './low-frequencies.ts';
import { manifoldRank } from './manifold-rank.ts';
import { memorizationCurve } from './memorization-curve.ts';
import { mixtureGeneralization } from './mixture-generalization.ts';
import { mixturePosteriorCheck } from './mixture-posterior.ts';
import { networkPhase } from './network-phase.ts';
import { overlapTable } from './overlap-table.ts';
import { pcaEquivalence } from './pca-equivalence.ts';
import { phaseBoundary } from './phase-boundary.ts';
import { posteriorCovariance } from './posterior-covariance.ts';
import { powerIteration } from './power-iteration.ts';
import { probabilityFlow } from './probability-flow.ts';
import { rankPlateaus } from './rank-plateaus.ts';
import type { Reproduction } from './reproduction.ts';
import { teleportation } from './teleportation.ts';
import { telescoping } from './telescoping.ts';
import { twoModels } from './two-models.ts';
import { yaleB } from './yale-b.ts';

/** Every figure and table of the sources that can be run, in the order of the sources. */
export const reproductions: readonly Reproduction[] = [
  overlapTable,
  powerIteration,
  telescoping,
  probabilityFlow,
  lowFrequencies,
  mixturePosteriorCheck,
  rankPlateaus,
  phaseBoundary,
  belowBoundary,
  pcaEquivalence,
  clusteringEquivalence,
  networkPhase,
  yaleB,
  intrinsicDimension,
  posteriorCovariance,
  manifoldRank,
  hiddenGaussian,
  explainedVariance,
  teleportation,
  twoModels,
  localDenoiserToys,
  memorizationCurve,
  mixtureGeneralization,
  editingTable,
];
