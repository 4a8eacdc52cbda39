import { DomainError } from '../../errors/errors.ts';
import { expectedSquaredError, worstSquaredError } from '../../theory/sample-complexity.ts';
import { phaseDiagram } from '../phase-diagram.ts';
import { clusteringSolver } from '../phase-solver.ts';
import type { PhaseCell } from '../phase-diagram.ts';
import type { TheoryTopic, TopicContext, TopicResult } from './topic.ts';

/** `eigenlens theory below-boundary`: what is left wrong when points are fewer than the rank. */
export const belowBoundaryTopic: TheoryTopic = {
  name: 'below-boundary',
  summary: 'squared projector error of principal components from fewer points than the rank, without noise',
  source: 'derived: 2 (d - N) (1 - (d - N) / (n - N)); worst case of arXiv 2409.02426, Theorem 4',
  parameters: {
    n: { meaning: 'dimension of the data' },
    d: { meaning: 'rank' },
    trials: { meaning: 'Monte Carlo trials of each N, 0 for none', fallback: 0 },
  },
  async compute(parameters, context): Promise<TopicResult> {
    const { n = 0, d = 0, trials = 0 } = parameters;
    worstSquaredError(n, d, 0); // checks n and d
    if (trials !== 0 && !(Number.isInteger(trials) && trials > 0)) {
      throw new DomainError('trials', `expected 0 or a whole number, got ${trials}.`);
    }
    const counts = Array.from({ length: d }, (_, i) => i + 1);
    const cells = trials > 0 ? await squaredErrors(n, d, counts, trials, context) : undefined;
    const rows = counts.map((N, i) => ({
      N,
      expected: expectedSquaredError(n, d, N),
      worst: worstSquaredError(n, d, N),
      ...(cells && { measured: (cells[i] as PhaseCell).meanSquaredError }),
    }));
    const curve = (name: string, of: 'expected' | 'worst', style: 'line' | 'dashed') => ({
      name,
      x: counts,
      y: rows.map((row) => row[of]),
      style,
    });
    return {
      values: { n, d, trials, byCount: rows },
      table: {
        columns: ['N', 'expected', 'worst', ...(cells ? ['measured'] : [])],
        rows: rows.map((row) => Object.values(row)),
      },
      figures: {
        error: {
          kind: 'curves',
          title: `Squared error below the boundary, n = ${n}, d = ${d}`,
          xLabel: 'points N',
          yLabel: '‖P̂ − P‖² (Frobenius)',
          curves: [
            curve('expected', 'expected', 'line'),
            curve('worst', 'worst', 'dashed'),
            ...(cells
              ? [
                  {
                    name: `${trials} trials`,
                    x: counts,
                    y: cells.map((c) => c.meanSquaredError),
                    style: 'points' as const,
                  },
                ]
              : []),
          ],
        },
      },
    };
  },
};

/** Mean squared errors of principal components without noise by number of points. */
export async function squaredErrors(
  n: number,
  d: number,
  counts: readonly number[],
  trials: number,
  context: TopicContext,
): Promise<readonly PhaseCell[]> {
  const solver = clusteringSolver();
  const { cells } = await phaseDiagram(
    { panel: 'pca', components: 1, dimension: n, ranks: [d], counts, trials, noise: 0, threshold: 0.5, solver },
    context,
  );
  return cells[0] as readonly PhaseCell[];
}
