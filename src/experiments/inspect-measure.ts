import { measureLinearity } from '../analysis/linearity.ts';
import { energyRuleNames, numericalRank, rankBounds, rankRatio } from '../analysis/rank.ts';
import { analyzeSpectrum } from '../analysis/spectrum.ts';
import type { JacobianSpectrum } from '../analysis/spectrum.ts';
import { symmetryDefect } from '../analysis/symmetry.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { jacobianScale } from '../diffusion/coordinates.ts';
import { throwIfAborted } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { slice } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { JacobianPoint } from './inspect-points.ts';
import type { InspectPoint, LinearityRow, RankRow, SymmetryRow, TripletRow } from './inspect-result.ts';
import type { InspectSpec } from './inspect-spec.ts';

/** Everything measured on one Jacobian. */
export interface PointMeasures {
  readonly point: JacobianPoint;
  readonly spectrum: JacobianSpectrum;
  readonly ranks: readonly RankRow[];
  readonly triplets: TripletRow;
  readonly symmetry: SymmetryRow;
  readonly linearity: LinearityRow;
}

/**
 * Spectrum, ranks, certified leading triplets, symmetry and linearity of one Jacobian.
 * @param op        the Jacobian by products, which certify what the matrix says
 * @param jacobian  [D, D], the same as a matrix
 */
export async function measurePoint(
  spec: InspectSpec,
  denoiser: Denoiser,
  point: JacobianPoint,
  op: LinearOperator,
  jacobian: Tensor<'float64'>,
  signal: AbortSignal | undefined,
): Promise<PointMeasures> {
  const { sigma, site, image } = point;
  const where: InspectPoint = { sigma, site, image };
  const rank = Math.min(spec.triplets, op.columns);
  const spectrum = await analyzeSpectrum(op, jacobian, { rank, seed: spec.seed, signal });
  throwIfAborted('inspect', signal);
  const { leading } = spectrum;
  const [steps = []] = await measureLinearity(denoiser, point.x, sigma, {
    directions: slice(leading.right, 0, 1),
    // Said in VP coordinates, where a step means as much at every noise level; x = x_t / sqrt(alphaBar).
    lengths: spec.lengths.map((length) => length * jacobianScale(sigma, 'VP')),
    op,
    signal,
  });
  return {
    point,
    spectrum,
    ranks: energyRuleNames.map((rule) => {
      const r = numericalRank(spectrum.values, rule);
      const { low, high } = rankBounds(spectrum.values, spectrum.error, rule);
      return { ...where, rule, rank: r, ratio: rankRatio(r, op.columns), bounds: [low, high] };
    }),
    triplets: {
      ...where,
      values: [...leading.values],
      residuals: Array.from(leading.residualLeft, (r, i) => Math.max(r, leading.residualRight[i] as number)),
      bounds: [...leading.bound],
      status: leading.status,
    },
    symmetry: { ...where, defect: symmetryDefect(jacobian) },
    linearity: { ...where, steps },
  };
}
