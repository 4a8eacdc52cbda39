import { expect, test } from 'vitest';
import { countOf } from '../../graph.fixture.ts';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, ints, text } from './agreement.fixture.ts';
import { graphsOf } from './traced.fixture.ts';

type Titled = OperatorTrial & { readonly title: string };

const image = argument('image', 2, 4, 7, 6);
const kernel = argument('kernel', 6, 4, 3, 3);
const bias = argument('bias', 6);

const convolutions: readonly Titled[] = [
  { title: 'one axis', operator: 'Conv', inputs: [argument('x', 2, 3, 9), argument('w', 4, 3, 3), argument('b', 4)] },
  {
    title: 'one axis, strided, uneven pads',
    operator: 'Conv',
    inputs: [argument('x', 2, 3, 9), argument('w', 4, 3, 4)],
    attributes: { strides: ints(2), pads: ints(1, 2) },
  },
  {
    title: 'two axes with bias',
    operator: 'Conv',
    inputs: [image, kernel, bias],
    attributes: { pads: ints(1, 1, 1, 1) },
  },
  {
    title: 'strides and dilations',
    operator: 'Conv',
    inputs: [image, kernel],
    attributes: { strides: ints(2, 1), dilations: ints(1, 2), pads: ints(0, 1, 2, 1) },
  },
  {
    title: 'three axes',
    operator: 'Conv',
    inputs: [argument('x', 1, 2, 4, 5, 4), argument('w', 3, 2, 2, 3, 2)],
    attributes: { pads: ints(0, 1, 0, 1, 1, 0), strides: ints(1, 2, 1) },
  },
  {
    title: 'two groups',
    operator: 'Conv',
    inputs: [image, argument('grouped', 6, 2, 3, 3), bias],
    attributes: { group: int(2), pads: ints(1, 1, 1, 1) },
  },
  {
    title: 'depthwise, strided',
    operator: 'Conv',
    inputs: [image, argument('depthwise', 4, 1, 2, 2)],
    attributes: { group: int(4), strides: ints(2, 2) },
  },
  {
    title: 'depthwise with a multiplier, dilated',
    operator: 'Conv',
    inputs: [image, argument('multiplied', 8, 1, 3, 3)],
    attributes: { group: int(4), dilations: ints(2, 2), pads: ints(2, 2, 2, 2) },
  },
  {
    title: 'SAME_UPPER',
    operator: 'Conv',
    inputs: [image, argument('even', 3, 4, 2, 4)],
    attributes: { auto_pad: text('SAME_UPPER'), strides: ints(1, 2) },
  },
  {
    title: 'SAME_LOWER',
    operator: 'Conv',
    inputs: [image, argument('even', 3, 4, 2, 4)],
    attributes: { auto_pad: text('SAME_LOWER'), strides: ints(1, 2) },
  },
  { title: 'VALID', operator: 'Conv', inputs: [image, kernel], attributes: { auto_pad: text('VALID') } },
];

const small = argument('small', 2, 4, 3, 4);
const transposed: readonly Titled[] = [
  {
    title: 'one axis, strided',
    operator: 'ConvTranspose',
    inputs: [argument('x', 2, 3, 5), argument('w', 3, 2, 3), argument('b', 2)],
    attributes: { strides: ints(2) },
  },
  {
    title: 'stride 1',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 3, 3, 2)],
    attributes: { pads: ints(1, 0, 0, 1) },
  },
  {
    title: 'strides, pads, output_padding, bias',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 3, 3, 3), argument('b', 3)],
    attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 1), output_padding: ints(1, 1) },
  },
  {
    title: 'dilations',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 3, 2, 3)],
    attributes: { strides: ints(2, 1), dilations: ints(2, 2) },
  },
  {
    title: 'two groups',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 3, 3, 3)],
    attributes: { group: int(2), strides: ints(2, 2) },
  },
  {
    title: 'depthwise resampling',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 1, 2, 2)],
    attributes: { group: int(4), strides: ints(2, 2) },
  },
  {
    title: 'depthwise resampling with a long filter',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 1, 4, 4)],
    attributes: { group: int(4), strides: ints(2, 2), pads: ints(1, 1, 1, 1) },
  },
  {
    title: 'output_shape',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 2, 3, 3)],
    attributes: { strides: ints(2, 2), output_shape: ints(6, 8) },
  },
  {
    title: 'output_shape and SAME_UPPER',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 2, 3, 3)],
    attributes: { strides: ints(2, 2), output_shape: ints(6, 8), auto_pad: text('SAME_UPPER') },
  },
  {
    title: 'SAME_UPPER',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 2, 3, 3)],
    attributes: { strides: ints(2, 2), auto_pad: text('SAME_UPPER') },
  },
  {
    title: 'SAME_LOWER',
    operator: 'ConvTranspose',
    inputs: [small, argument('w', 4, 2, 3, 3)],
    attributes: { strides: ints(2, 2), auto_pad: text('SAME_LOWER') },
  },
  {
    title: 'three axes',
    operator: 'ConvTranspose',
    inputs: [argument('x', 1, 2, 2, 3, 2), argument('w', 2, 3, 2, 2, 3)],
    attributes: { strides: ints(2, 1, 2), pads: ints(0, 0, 1, 0, 1, 0) },
  },
];

test.each(convolutions)('Conv agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

test.each(transposed)('ConvTranspose agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

/** A trial, its node forward and under a tangent, and that of its adjoint. */
const single = [
  [convolutions[5], 'conv', 'conv', 2],
  [convolutions[6], 'conv', 'convTranspose', 4],
  [transposed[5], 'convTranspose', 'conv', 4],
  [transposed[0], 'convTranspose', 'conv', 1],
] as const;

test.each(single.map(([trial, op, adjoint, group]) => ({ trial: trial as Titled, op, adjoint, group })))(
  '$trial.operator ($trial.title) is one $op of $group groups, and its adjoint one $adjoint',
  async ({ trial, op, adjoint, group }) => {
    const { forward, jvp, vjp } = await graphsOf(trial);
    for (const [nodes, name] of [
      [forward, op],
      [jvp, op],
      [vjp, adjoint],
    ] as const) {
      const found = nodes.filter((n) => n.op === 'conv' || n.op === 'convTranspose');
      expect(found.map((n) => [n.op, n.attributes])).toEqual([[name, expect.objectContaining({ group })]]);
    }
    expect(countOf(forward, 'flip') + countOf(forward, 'transpose')).toBe(0);
  },
);
