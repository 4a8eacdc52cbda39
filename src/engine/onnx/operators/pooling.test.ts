import { expect, test } from 'vitest';
import { tensor } from '../../../tensor/tensor.ts';
import { compile } from '../../compile.ts';
import { countOf, opsOf } from '../../graph.fixture.ts';
import type { JaxArray } from '../../jax.ts';
import { loadJax } from '../../jax.ts';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, ints, text, through } from './agreement.fixture.ts';
import { functionOf, graphsOf } from './traced.fixture.ts';

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

test('AveragePool of windows side by side is one average pool, and its adjoint one upsampling', async () => {
  const { forward, vjp } = await graphsOf(trials[0] as OperatorTrial);
  expect(opsOf(forward)).toEqual(['averagePool']);
  expect(countOf(vjp, 'upsample')).toBe(1);
});

test('MaxPool takes the first of equal elements, and its slope goes there alone', async () => {
  const x = through(argument('ties', 1, 1, 2, 2), () => 3);
  const jax = await loadJax();
  const pool = functionOf({ operator: 'MaxPool', inputs: [x], attributes: { kernel_shape: ints(2, 2) } });
  const gradient = jax.grad((y: JaxArray) => pool(jax, y).sum());
  await using executable = await compile((y) => gradient(y), [{ shape: x.shape }], { threads: 1 });
  const [slopes] = await executable.run(x);
  expect([...(slopes?.data ?? [])]).toEqual([1, 0, 0, 0]);
});

test('MaxPool refuses to give places, and AveragePool an unknown auto_pad', async () => {
  const jax = await loadJax();
  const places: OperatorTrial = {
    operator: 'MaxPool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2) },
    outputs: 2,
  };
  await expect(expectAgreesWithRuntime(places)).rejects.toThrow('cannot give the places of the maxima');
  const pool = functionOf({
    operator: 'AveragePool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2), auto_pad: text('SAME') },
  });
  expect(() => jax.makeJaxpr((y: JaxArray) => pool(jax, y))(jax.numpy.zeros([...image.shape]))).toThrow(
    "does not know auto_pad 'SAME'",
  );
});

test('AveragePool divides in float64: jax-js would round 1 / 9 to float32', async () => {
  const x = tensor('float64', [1, 1, 3, 3], new Float64Array(9).fill(1));
  const jax = await loadJax();
  const pool = functionOf(
    { operator: 'AveragePool', inputs: [image], attributes: { kernel_shape: ints(3, 3) } },
    'float64',
  );
  await using executable = await compile((y) => pool(jax, y), [{ shape: x.shape, dtype: 'float64' }], { threads: 1 });
  const [mean] = await executable.run(x);
  // Nine additions and a product, each rounded once.
  expect(Math.abs((mean?.data[0] as number) - 1)).toBeLessThan(10 * 2 ** -53);
});
