import { describe, expect, it } from 'vitest';

import { CancelledError, DomainError } from '../errors/errors.ts';
import { cellErrors } from './phase-cell.ts';
import { paperGrid, phaseDiagram, phaseFigure, wilsonInterval } from './phase-diagram.ts';
import type { PhaseDiagramOptions } from './phase-diagram.ts';
import { clusteringSolver, networkSolver } from './phase-solver.ts';

const small: PhaseDiagramOptions = {
  ...paperGrid,
  panel: 'pca',
  components: 1,
  ranks: [2, 3],
  counts: [1, 2, 3, 4],
  trials: 5,
  solver: clusteringSolver(),
};

describe('phaseDiagram()', () => {
  it('phaseDiagram() of PCA without noise fails below N = d and succeeds from there', async () => {
    const seen: number[] = [];
    const diagram = await phaseDiagram(small, { seed: 1, onProgress: (done) => seen.push(done) });
    const success = diagram.cells.map((row) => row.map((cell) => cell.success));
    expect(success).toEqual([
      [0, 1, 1, 1],
      [0, 0, 1, 1],
    ]);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const figure = phaseFigure(diagram);
    expect(figure.values).toEqual(success);
    expect(figure.boundary).toEqual({ name: 'N = d', x: [2, 3], y: [2, 3] });
    expect(figure.title).toBe('Recovery by PCA: K = 1, n = 48, noise 0, error ≤ 0.5, 5 trials a cell');
  });

  it('cellErrors() judges a solver by the truth, in any order of the subspaces', async () => {
    const cell = { dimension: 20, rank: 3, count: 4, components: 2, trials: 5, noise: 0, seed: 1 };
    const errors = await cellErrors(cell, (_, truth) => Promise.resolve([...truth].reverse()));
    errors.forEach((error) => expect(error).toBeLessThan(1e-13));
    const wrong = await cellErrors(cell, (_, truth) =>
      Promise.resolve(truth.map(() => truth[0] as (typeof truth)[number])),
    );
    wrong.forEach((error) => expect(error).toBeCloseTo(Math.sqrt(6), 12)); // two orthogonal subspaces of rank 3
  });

  it('phaseDiagram() of the network takes its settings', async () => {
    const cell = { ...small, panel: 'network', ranks: [3], counts: [8], trials: 3 } as const;
    const [trained, barely] = await Promise.all(
      [networkSolver(), networkSolver({ steps: 1 })].map((solver) => phaseDiagram({ ...cell, solver }, { seed: 0 })),
    );
    expect(trained?.cells[0]?.[0]?.meanError).toBeLessThan(0.1);
    expect(barely?.cells[0]?.[0]?.meanError).toBeGreaterThan(0.3);
  });

  it('phaseDiagram() with a start at neighbours has no local optima at N = d + 1, where random starts have', async () => {
    const cell = { ...small, components: 2, ranks: [7], counts: [8], trials: 8 };
    const [random, neighbours] = await Promise.all(
      (['random', 'neighbours'] as const).map((start) =>
        phaseDiagram({ ...cell, solver: clusteringSolver({ start, restarts: 5 }) }, { seed: 0 }),
      ),
    );
    expect(neighbours?.cells[0]?.[0]?.success).toBe(1);
    expect(random?.cells[0]?.[0]?.success).toBeLessThan(0.6);
  });

  it('phaseDiagram() finds several lines from one point of each, and no planes from two', async () => {
    const solver = clusteringSolver({ start: 'random', restarts: 20 });
    const cell = { ...small, components: 3, ranks: [1, 2], counts: [1, 2], trials: 20, solver };
    const diagram = await phaseDiagram(cell, { seed: 0 });
    const [lines, planes] = diagram.cells.map((row) => row.map(({ success }) => success));
    expect(lines).toEqual([1, 1]);
    expect(planes?.[0]).toBe(0);
    expect(planes?.[1]).toBeLessThan(0.9);
    expect(phaseFigure(diagram).boundary).toEqual({ name: 'N = d + 1, for lines 1', x: [1, 3], y: [1, 2] });
  });

  it('phaseDiagram() refuses sizes that are none and stops on its signal', async () => {
    const run = (change: Partial<PhaseDiagramOptions>) => phaseDiagram({ ...small, ...change }, { seed: 0 });
    await expect(run({ components: 20 })).rejects.toThrow('expected K d of at most the dimension 48, got 60');
    await expect(run({ trials: 0 })).rejects.toThrow(DomainError);
    await expect(run({ counts: [1.5] })).rejects.toThrow(DomainError);
    await expect(run({ noise: -1 })).rejects.toThrow(DomainError);
    await expect(phaseDiagram(small, { seed: 0, signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});

describe('wilsonInterval()', () => {
  it('wilsonInterval() solves |p - x| = z sqrt(x (1 - x) / n) at both ends', () => {
    for (const [k, n] of [
      [7, 20],
      [0, 20],
      [20, 20],
    ] as const) {
      // prettier-ignore
      const { low, high } = wilsonInterval(k, n);
      for (const x of [low, high]) {
        expect(Math.abs(Math.abs(k / n - x) - 1.959963984540054 * Math.sqrt((x * (1 - x)) / n))).toBeLessThan(1e-9);
      }
      expect(low).toBeLessThanOrEqual(k / n);
      expect(high).toBeGreaterThanOrEqual(k / n);
    }
  });
});
