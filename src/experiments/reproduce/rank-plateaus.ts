import { parseMixtureSpec } from '../../denoisers/mixture-spec.ts';
import { randomMixture } from '../../denoisers/mixture-draw.ts';
import { paperSigmas, posteriorOverNoise, rankFigure } from '../theory/posterior.ts';
import type { PosteriorLevel } from '../theory/posterior.ts';
import { near } from './reproduction.ts';
import type { Reproduction, ReproductionResult } from './reproduction.ts';

const SOURCE = 'arXiv 2409.02426, numerical rank of the low-rank model (released figure)';

/** Rank of the Jacobian of a mixture over noise: d / n where the component is known, K d / n where it is not. */
export const rankPlateaus: Reproduction = {
  name: 'rank-plateaus',
  title: 'Rank of the Jacobian: d/n at low noise, K d/n at high noise',
  source: SOURCE,
  async run(size, context): Promise<ReproductionResult> {
    const spec = 'n=48,K=2,d=6';
    const points = size === 'full' ? 200 : 16;
    const levels = await posteriorOverNoise(randomMixture(parseMixtureSpec(spec)), paperSigmas, points, context);
    const farthest = (which: (inverse: number) => boolean, target: number): number =>
      levels
        .filter(({ sigma }) => which(1 / sigma))
        .map(({ rankRatio }) => rankRatio)
        .reduce((worst, ratio) => (Math.abs(ratio - target) > Math.abs(worst - target) ? ratio : worst), target);
    const at = (inverse: number): number =>
      (levels.find(({ sigma }) => Math.abs(1 / sigma - inverse) < 1e-9) as PosteriorLevel).rankRatio;
    // Between the plateaus the rank differs from point to point by up to d / n.
    const mixed = size === 'full' ? 0.015 : 0.04;
    return {
      claims: [
        near(
          'rank ratio at 1 / sigma >= 10, farthest level',
          farthest((i) => i > 9.9, 0.125),
          0.125,
          0,
          SOURCE,
        ),
        near('rank ratio at 1 / sigma = 1.67', at(1.67), 0.136, mixed, 'derived'),
        near('rank ratio at 1 / sigma = 0.91', at(0.91), 0.19, mixed, 'derived'),
        near(
          'rank ratio at 1 / sigma <= 0.3, farthest level',
          farthest((i) => i < 0.31, 0.25),
          0.25,
          0.002,
          SOURCE,
        ),
      ],
      figures: { rank: rankFigure(levels, 48, 2, 6) },
      values: { spec, points, levels },
      notes: [
        'Rank: least r whose singular values hold more than 0.99 of the root of the energy.',
        'Points are drawn from the mixture and noised forward; the published figure follows a sampling trajectory (0.125 at 1.67, 0.229 at 0.91).',
      ],
    };
  },
};
