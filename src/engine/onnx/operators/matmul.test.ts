import { expect, test } from 'vitest';
import { countOf } from '../../graph.fixture.ts';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int } from './agreement.fixture.ts';
import { graphsOf } from './traced.fixture.ts';

const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [3, 4],
    [4, 5],
  ],
  [[4], [4]],
  [[4], [4, 5]],
  [[3, 4], [4]],
  [
    [2, 3, 4],
    [4, 5],
  ],
  [
    [2, 3, 4],
    [2, 4, 5],
  ],
  [
    [3, 4],
    [2, 4, 5],
  ],
  [
    [2, 3, 4],
    [6, 2, 4, 5],
  ],
  [
    [1, 3, 4],
    [2, 4, 5],
  ],
  [
    [6, 1, 3, 4],
    [2, 4, 5],
  ],
  [[4], [2, 4, 5]],
  [[2, 3, 4], [4]],
  [
    [2, 1, 1, 4],
    [2, 1, 4, 1],
  ],
];

test.each(shapes)('MatMul of %j with %j agrees with the runtime', async (a, b) => {
  await expectAgreesWithRuntime({ operator: 'MatMul', inputs: [argument('a', ...a), argument('b', ...b)] });
});

const gemms: readonly (OperatorTrial & { readonly title: string })[] = [
  { title: 'plain', operator: 'Gemm', inputs: [argument('a', 3, 4), argument('b', 4, 5)] },
  {
    title: 'a linear layer',
    operator: 'Gemm',
    inputs: [argument('a', 3, 4), argument('b', 5, 4), argument('c', 5)],
    attributes: { transB: int(1) },
  },
  {
    title: 'everything',
    operator: 'Gemm',
    inputs: [argument('a', 4, 3), argument('b', 5, 4), argument('c', 3, 1)],
    attributes: { transA: int(1), transB: int(1), alpha: float(0.3), beta: float(-0.7) },
  },
];

test.each(gemms)('Gemm agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

const stored: readonly OperatorTrial[] = [
  { operator: 'MatMul', inputs: [argument('a', 2, 3, 4), argument('b', 4, 5)] },
  { operator: 'MatMul', inputs: [argument('a', 2, 3, 6, 4), argument('b', 2, 3, 4, 5)] },
  { operator: 'Gemm', inputs: [argument('a', 3, 4), argument('b', 5, 4)], attributes: { transB: int(1) } },
  { operator: 'Gemm', inputs: [argument('a', 3, 4), argument('b', 4, 5)] },
];

test.each(
  stored.map((trial) => ({ trial, shapes: trial.inputs.map((x) => (x as { shape: readonly number[] }).shape) })),
)('$trial.operator of $shapes transposes nothing, neither forward nor backward', async ({ trial }) => {
  const { forward, jvp, vjp } = await graphsOf(trial);
  for (const nodes of [forward, jvp, vjp]) {
    expect([countOf(nodes, 'matmul'), countOf(nodes, 'transpose')]).toEqual([1, 0]);
  }
});
