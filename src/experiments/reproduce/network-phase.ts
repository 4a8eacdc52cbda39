import { paperGrid, phaseDiagram, phaseFigure } from '../phase-diagram.ts';
import type { PhaseCell, PhaseDiagram } from '../phase-diagram.ts';
import { clusteringSolver, networkSolver } from '../phase-solver.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const source = 'arXiv 2409.02426, Figure 4';
const derived = 'derived, checked by simulation';

/** The two panels of the phase diagram that the trained network fills, beside those of the closed-form solvers on the same points. */
export const networkPhase: Reproduction = {
  name: 'network-phase',
  title: 'Recovery of subspaces by the trained low-rank network over N and d, one and two subspaces',
  source,
  async run(size, context): Promise<ReproductionResult> {
    const grid = size === 'full' ? paperGrid : { ...paperGrid, ranks: [3], counts: [2, 3, 8, 15], trials: 3 };
    const panels: { components: number; network: PhaseDiagram; clustering: PhaseDiagram }[] = [];
    for (const components of [1, 2]) {
      const watch = (part: number): TopicContext => ({
        ...context,
        onProgress: (done, total) => context.onProgress?.((2 * components - 2 + part) * total + done, 4 * total),
      });
      const clustered = components === 1 ? 'pca' : 'k-subspaces';
      panels.push({
        components,
        clustering: await phaseDiagram({ ...grid, panel: clustered, components, solver: clusteringSolver() }, watch(0)),
        network: await phaseDiagram({ ...grid, panel: 'network', components, solver: networkSolver() }, watch(1)),
      });
    }
    return {
      claims: panels.flatMap(({ components, network, clustering }) => panelClaims(components, network, clustering)),
      figures: Object.fromEntries(panels.map(({ components, network }) => [`network-${components}`, phaseFigure(network)])), // prettier-ignore
      values: { panels: panels.map(({ network, clustering }) => ({ network, clustering })) },
      notes: [
        'Grid as remembered of the paper; threshold 0.5, no residual noise, optimiser and starts are ours: the paper gives none.',
        'K = 1: 1,000 steps on the loss integrated over noise. K = 2: soft-max, 300 steps at sigma 0.2, 3 starts.',
      ],
    };
  },
};

function panelClaims(components: number, network: PhaseDiagram, clustering: PhaseDiagram): ClaimResult[] {
  const cells = network.cells.flat();
  const other = clustering.cells.flat();
  const named = `network, K = ${components}`;
  const below = cells.filter(({ rank, count }) => count < rank).map(({ success }) => success);
  // Small eigenvalues of few points take long to train on: the line is soft for about 2 more points (K = 1).
  const above = cells.filter((cell) => isFarAbove(cell, components)).map(({ success }) => success);
  const lead = mean(other.map(({ success }, i) => success - (cells[i] as PhaseCell).success));
  const least = components === 1 ? 0.9 : 0.7;
  return [
    between(`${named}: most successes below N = d`, Math.max(0, ...below), 0, 0.05, source, '0'),
    between(`${named}: mean success far above the boundary`, mean(above), least, 1, source, `at least ${least}`),
    between(`${named}: success of clustering minus the network's, mean`, lead, 0, 1, derived, 'at least 0'),
  ];
}

/** K = 1: N >= d + 3. K = 2: N >= 5 d, where the B.5 row of d = 3 has long come near 1. */
function isFarAbove({ rank, count }: PhaseCell, components: number): boolean {
  return components === 1 ? count >= rank + 3 : count >= 5 * rank;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
