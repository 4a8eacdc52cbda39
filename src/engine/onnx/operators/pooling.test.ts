import { test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, ints, text } from './agreement.fixture.ts';

const image = argument('image', 2, 3, 7, 6);
const window = { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) };

const trials: readonly (OperatorTrial & { readonly title: string })[] = [
  {
    title: 'side by side',
    operator: 'AveragePool',
    inputs: [argument('even', 2, 3, 6, 4)],
    attributes: { kernel_shape: ints(2, 2), strides: ints(2, 2) },
  },
  {
    title: 'side by side with a rest',
    operator: 'AveragePool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 4), strides: ints(2, 4) },
  },
  {
    title: 'overlapping',
    operator: 'AveragePool',
    inputs: [image],
    attributes: { kernel_shape: ints(3, 2), strides: ints(2, 1) },
  },
  {
    title: 'pads not counted',
    operator: 'AveragePool',
    inputs: [image],
    attributes: { ...window, strides: ints(2, 1) },
  },
  {
    title: 'pads counted',
    operator: 'AveragePool',
    inputs: [image],
    attributes: { ...window, count_include_pad: int(1) },
  },
  {
    title: 'sizes rounded up',
    operator: 'AveragePool',
    inputs: [image],
    attributes: { kernel_shape: ints(3, 3), strides: ints(2, 2), ceil_mode: int(1) },
  },
  {
    title: 'sizes rounded up, pads counted',
    operator: 'AveragePool',
    opset: 19,
    inputs: [image],
    attributes: { ...window, strides: ints(2, 2), ceil_mode: int(1), count_include_pad: int(1) },
  },
  {
    title: 'dilated',
    operator: 'AveragePool',
    opset: 19,
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2), dilations: ints(2, 3) },
  },
  {
    title: 'SAME_UPPER',
    operator: 'AveragePool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2), auto_pad: text('SAME_UPPER') },
  },
  {
    title: 'one axis',
    operator: 'AveragePool',
    inputs: [argument('line', 2, 3, 8)],
    attributes: { kernel_shape: ints(2), strides: ints(2) },
  },
  {
    title: 'three axes',
    operator: 'AveragePool',
    inputs: [argument('cube', 1, 2, 4, 4, 4)],
    attributes: { kernel_shape: ints(2, 2, 2), strides: ints(2, 2, 1) },
  },
  { title: 'all', operator: 'GlobalAveragePool', inputs: [image] },
  {
    title: 'side by side',
    operator: 'MaxPool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2), strides: ints(2, 2) },
  },
  { title: 'padded', operator: 'MaxPool', inputs: [image], attributes: { ...window, strides: ints(2, 1) } },
  {
    title: 'dilated, sizes rounded up',
    operator: 'MaxPool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2), strides: ints(2, 3), dilations: ints(2, 2), ceil_mode: int(1) },
  },
  {
    title: 'one axis',
    operator: 'MaxPool',
    inputs: [argument('line', 2, 3, 8)],
    attributes: { kernel_shape: ints(3), strides: ints(2) },
  },
  { title: 'all', operator: 'GlobalMaxPool', inputs: [image] },
];

test.each(trials)('$operator agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});
