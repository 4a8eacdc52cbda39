import { expect, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int, known } from './agreement.fixture.ts';
import { graphsOf } from './traced.fixture.ts';

const [q, k, v] = [argument('q', 2, 3, 4, 8), argument('k', 2, 3, 5, 8), argument('v', 2, 3, 5, 6)];
const flat = [argument('fq', 2, 4, 12), argument('fk', 2, 5, 6), argument('fv', 2, 5, 6)];
const tables = [argument('cos', 6, 4), argument('sin', 6, 4)];

const trials: readonly (OperatorTrial & { readonly title: string })[] = [
  { title: 'heads apart', operator: 'Attention', opset: 23, inputs: [q, k, v] },
  {
    title: 'a scale and an added mask',
    operator: 'Attention',
    opset: 23,
    inputs: [q, k, v, argument('mask', 4, 5)],
    attributes: { scale: float(0.3) },
  },
  {
    title: 'a mask of truth values',
    operator: 'Attention',
    opset: 23,
    inputs: [q, k, v, known('bool', [4, 5], [1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0])],
  },
  { title: 'causal', operator: 'Attention', opset: 23, inputs: [q, k, v], attributes: { is_causal: int(1) } },
  {
    title: 'heads side by side, two queries a key',
    operator: 'Attention',
    opset: 23,
    inputs: flat,
    attributes: { q_num_heads: int(4), kv_num_heads: int(2) },
  },
  {
    title: 'positions',
    operator: 'RotaryEmbedding',
    opset: 23,
    inputs: [argument('x', 2, 3, 4, 8), ...tables, known('int', [2, 4], [0, 1, 2, 3, 2, 3, 4, 5])],
  },
  {
    title: 'interleaved',
    operator: 'RotaryEmbedding',
    opset: 23,
    inputs: [argument('x', 2, 3, 4, 8), argument('cos', 2, 4, 4), argument('sin', 2, 4, 4)],
    attributes: { interleaved: int(1) },
  },
  {
    title: 'a part, heads side by side',
    operator: 'RotaryEmbedding',
    opset: 23,
    inputs: [argument('x', 2, 4, 24), argument('cos', 2, 4, 2), argument('sin', 2, 4, 2)],
    attributes: { num_heads: int(3), rotary_embedding_dim: int(4) },
  },
];

test.each(trials)('$operator agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

test.each([
  [{ inputs: [q, k, v, undefined, k, v] }, 'takes past keys'],
  [{ inputs: [q, k, v], attributes: { softcap: float(2) } }, 'caps its logits'],
  [{ inputs: flat, attributes: { q_num_heads: int(5), kv_num_heads: int(2) } }, 'which 5 heads do not divide'],
  [
    { inputs: flat, attributes: { q_num_heads: int(4), kv_num_heads: int(3) } },
    'has 4 heads of queries for 3 heads of keys',
  ],
])('Attention is refused: %#', async (trial, words) => {
  await expect(graphsOf({ operator: 'Attention', opset: 23, ...trial })).rejects.toThrow(words);
});
