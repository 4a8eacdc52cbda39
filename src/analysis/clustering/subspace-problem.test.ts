import { describe, expect, it } from 'vitest';

import { eigenvaluesSymmetric } from '../../linalg/eigh.ts';
import { matmul } from '../../linalg/matmul.ts';
import { drawProblem } from './subspace-problem.ts';

describe('drawProblem()', () => {
  it('drawProblem() puts the points of each component on its subspace, and noise of the stated size around', () => {
    const at = { n: 20, d: 3, N: 30, components: 2, seed: 3 };
    const { points, truth } = drawProblem({ ...at, noise: 0 });
    const values = eigenvaluesSymmetric(matmul(points, points, { transposeA: true }));
    expect([...values].filter((v) => v > 1e-12)).toHaveLength(6);
    const inside = matmul(points, truth[1] as (typeof truth)[number], { transposeB: true });
    for (let i = 0; i < 60; i += 2) for (let j = 0; j < 3; j++) expect(Math.abs(inside.data[3 * i + j] as number)).toBeLessThan(1e-14); // prettier-ignore
    const noisy = drawProblem({ ...at, noise: 0.1 }).points.data;
    const power = noisy.reduce((sum, v, i) => sum + (v - (points.data[i] as number)) ** 2, 0) / noisy.length;
    expect(Math.abs(power / 0.01 - 1)).toBeLessThan(4 * Math.sqrt(2 / noisy.length)); // 4 standard errors
  });
});
