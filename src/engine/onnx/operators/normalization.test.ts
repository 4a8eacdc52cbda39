import { expect, test } from 'vitest';
import { sizeOf } from '../../../tensor/tensor.ts';
import { countOf, opsOf } from '../../graph.fixture.ts';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int, through } from './agreement.fixture.ts';
import { graphsOf } from './traced.fixture.ts';

const image = argument('image', 2, 6, 4, 5);
const [gain, offset] = [argument('gain', 6), argument('offset', 6)];
const tokens = argument('tokens', 2, 3, 8);

const trials: readonly (OperatorTrial & { readonly title: string })[] = [
  {
    title: 'two axes',
    operator: 'InstanceNormalization',
    inputs: [image, gain, offset],
    attributes: { epsilon: float(1e-3) },
  },
  {
    title: 'groups as rows',
    operator: 'InstanceNormalization',
    inputs: [argument('rows', 2, 3, 40), argument('g', 3), argument('o', 3)],
  },
  {
    title: 'a gain a group',
    operator: 'GroupNormalization',
    opset: 18,
    inputs: [image, argument('g', 3), argument('o', 3)],
    attributes: { num_groups: int(3) },
  },
  {
    title: 'a gain a channel',
    operator: 'GroupNormalization',
    opset: 21,
    inputs: [image, gain, offset],
    attributes: { num_groups: int(2), epsilon: float(1e-3) },
  },
  { title: 'last axis', operator: 'LayerNormalization', inputs: [tokens, argument('g', 8), argument('o', 8)] },
  {
    title: 'two axes without offset',
    operator: 'LayerNormalization',
    inputs: [tokens, argument('g', 3, 8)],
    attributes: { axis: int(1) },
  },
  {
    title: 'statistics',
    operator: 'LayerNormalization',
    outputs: 3,
    inputs: [tokens, argument('g', 8)],
    attributes: { epsilon: float(1e-2) },
  },
  { title: 'last axis', operator: 'RMSNormalization', opset: 23, inputs: [tokens, argument('g', 8)] },
  {
    title: 'two axes',
    operator: 'RMSNormalization',
    opset: 23,
    inputs: [tokens, argument('g', 8)],
    attributes: { axis: int(1) },
  },
  {
    title: 'of evaluation',
    operator: 'BatchNormalization',
    opset: 15,
    inputs: [image, gain, offset, argument('mean', 6), through(argument('variance', 6), (v) => v * v + 0.1)],
  },
  {
    title: 'of opset 11',
    operator: 'BatchNormalization',
    opset: 11,
    inputs: [
      tokens,
      argument('g', 3),
      argument('o', 3),
      argument('m', 3),
      through(argument('v', 3), (v) => v * v + 0.1),
    ],
  },
  { title: 'Euclidean', operator: 'LpNormalization', inputs: [tokens], attributes: { axis: int(1) } },
  { title: 'absolute', operator: 'LpNormalization', inputs: [tokens], attributes: { p: int(1) } },
];

test.each(trials)('$operator agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

test('LayerNormalization is one normalization, one gain and one offset', async () => {
  const { forward } = await graphsOf(trials[4] as OperatorTrial);
  expect(opsOf(forward)).toEqual(['normalize', 'mul', 'add']);
});

test('GroupNormalization gives a tangent at most eight operations of full size', async () => {
  const { jvp } = await graphsOf({ ...(trials[3] as OperatorTrial), inputs: [image, gain, offset] });
  // Squares: its product with x and the sum; means: the sum; the result: v A + x dA + dB with two products and two sums.
  const full = jvp.filter((n) => n.linear && sizeOf(n.shape) === sizeOf(image.shape));
  const work = full.filter((n) => !['input', 'reshape'].includes(n.op));
  expect(
    work.length +
      countOf(
        jvp.filter((n) => n.linear),
        'reduce',
      ),
  ).toBeLessThanOrEqual(8);
});

test('BatchNormalization in training mode and GroupNormalization that does not divide are refused', async () => {
  const batch: OperatorTrial = { ...(trials[9] as OperatorTrial), attributes: { training_mode: int(1) } };
  await expect(graphsOf(batch)).rejects.toThrow('model.eval()');
  const groups: OperatorTrial = { ...(trials[3] as OperatorTrial), attributes: { num_groups: int(4) } };
  await expect(graphsOf(groups)).rejects.toThrow('which 4 groups do not divide');
});
