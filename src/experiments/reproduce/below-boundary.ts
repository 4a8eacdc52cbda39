import { expectedSquaredError, worstSquaredError } from '../../theory/sample-complexity.ts';
import type { PhaseCell } from '../phase-diagram.ts';
import { squaredErrors } from '../theory/below-boundary.ts';
import { near } from './reproduction.ts';
import type { Reproduction, ReproductionResult } from './reproduction.ts';

const [N48, D8] = [48, 8];
/** Points and the expected squared errors as published with two digits. */
const EXPECTED = [
  [2, 10.43],
  [4, 7.27],
  [6, 3.81],
] as const;

/** Squared error of principal components from fewer points than the rank. */
export const belowBoundary: Reproduction = {
  name: 'below-boundary',
  title: 'Error below the boundary: what points do not show is drawn at random',
  source: 'derived; lower bound of arXiv 2409.02426, Theorem 4',
  async run(size, context): Promise<ReproductionResult> {
    // Errors of a trial spread by about 0.3: tolerances are above three standard errors.
    const { trials, tolerance } = size === 'full' ? { trials: 1000, tolerance: 0.05 } : { trials: 60, tolerance: 0.15 };
    const counts = size === 'full' ? [1, 2, 3, 4, 5, 6, 7] : EXPECTED.map(([N]) => N);
    const cells = await squaredErrors(N48, D8, counts, trials, context);
    const at = (N: number): number => (cells[counts.indexOf(N)] as PhaseCell).meanSquaredError;
    const of = (f: typeof expectedSquaredError): number[] => counts.map((N) => f(N48, D8, N));
    return {
      claims: EXPECTED.flatMap(([N, expected]) => [
        near(`mean |P_hat - P|_F^2 at n = 48, d = 8, N = ${N}`, at(N), expected, tolerance, 'derived'),
        near(`closed form at N = ${N}`, expectedSquaredError(N48, D8, N), expected, 0.005, 'derived'),
      ]),
      values: { n: N48, d: D8, trials, cells },
      figures: {
        error: {
          kind: 'curves',
          title: 'Squared error of PCA below the boundary, n = 48, d = 8, no noise',
          xLabel: 'points N',
          yLabel: '‖P̂ − P‖² (Frobenius)',
          curves: [
            { name: '2 (d − N)(1 − (d − N)/(n − N))', x: counts, y: of(expectedSquaredError), style: 'line' },
            { name: 'worst case 2 min(d − N, n − d)', x: counts, y: of(worstSquaredError), style: 'dashed' },
            { name: `${trials} trials`, x: counts, y: counts.map(at), style: 'points' },
          ],
        },
      },
      notes: ['Directions that no point shows are filled at random; the theorem speaks of the worst filling.'],
    };
  },
};
