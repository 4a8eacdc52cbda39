import { expect, test } from 'vitest';
import { countOf } from '../../graph.fixture.ts';
import type { OnnxAttribute } from '../model.ts';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int, text, through } from './agreement.fixture.ts';
import { graphsOf, slopesOf } from './traced.fixture.ts';

const x = argument('x', 3, 7);

const trials: readonly (OperatorTrial & { readonly title: string })[] = [
  { title: 'Gelu exact', operator: 'Gelu', opset: 20, inputs: [x], differences: 'float32' },
  { title: 'Gelu tanh', operator: 'Gelu', opset: 20, inputs: [x], attributes: { approximate: text('tanh') } },
  { title: 'LeakyRelu', operator: 'LeakyRelu', inputs: [x], attributes: { alpha: float(0.3) } },
  { title: 'PRelu', operator: 'PRelu', inputs: [x, argument('slope', 7)] },
  { title: 'Elu', operator: 'Elu', inputs: [x], attributes: { alpha: float(0.7) } },
  { title: 'Selu', operator: 'Selu', inputs: [x] },
  { title: 'Celu', operator: 'Celu', inputs: [x], attributes: { alpha: float(0.6) } },
  { title: 'ThresholdedRelu', operator: 'ThresholdedRelu', inputs: [x], attributes: { alpha: float(0.4) } },
  { title: 'HardSigmoid', operator: 'HardSigmoid', inputs: [x], attributes: { alpha: float(0.4), beta: float(0.6) } },
  { title: 'HardSwish', operator: 'HardSwish', inputs: [through(x, (v) => 3 * v)] },
  { title: 'Softplus', operator: 'Softplus', inputs: [x] },
  { title: 'Softsign', operator: 'Softsign', inputs: [x] },
  { title: 'Mish', operator: 'Mish', opset: 18, inputs: [x] },
  { title: 'Softmax', operator: 'Softmax', inputs: [argument('s', 2, 3, 5)], attributes: { axis: int(1) } },
  { title: 'Softmax 11', operator: 'Softmax', opset: 11, inputs: [argument('s', 2, 3, 5)] },
  { title: 'LogSoftmax', operator: 'LogSoftmax', inputs: [argument('s', 2, 3, 5)] },
  {
    title: 'LogSoftmax 12',
    operator: 'LogSoftmax',
    opset: 12,
    inputs: [argument('s', 2, 3, 5)],
    attributes: { axis: int(-2) },
  },
];

test.each(trials)('$title agrees with the runtime', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

/** Value and slope at -1e4 and 1e4. */
const saturated: readonly (readonly [string, number, readonly [number, number], readonly [number, number]])[] = [
  ['Softplus', 17, [0, 1e4], [0, 1]],
  ['Mish', 18, [0, 1e4], [0, 1]],
  ['Gelu', 20, [0, 1e4], [0, 1]],
  ['Elu', 17, [-1, 1e4], [0, 1]],
  ['Celu', 17, [-1, 1e4], [0, 1]],
  ['HardSwish', 17, [0, 1e4], [0, 1]],
  ['HardSigmoid', 17, [0, 1], [0, 0]],
  ['Softsign', 17, [-1e4 / 10001, 1e4 / 10001], [1e-8, 1e-8]],
];

test.each(saturated)(
  '%s neither overflows nor loses its slope at -1e4 and 1e4',
  async (operator, opset, values, slopes) => {
    const [y, forward, reverse] = await slopesOf({ operator, opset }, [-1e4, 1e4]);
    for (const [got, wanted] of [
      [y, values],
      [forward, slopes],
      [reverse, slopes],
    ] as const) {
      // Three roundings of the largest value; the slope of Softsign is about 1 / x^2 = 1e-8.
      got.forEach((v, i) =>
        expect(Math.abs(v - (wanted[i] as number))).toBeLessThanOrEqual(
          3 * 2 ** -24 * Math.abs(wanted[i] as number) + 1e-11,
        ),
      );
    }
  },
);

/** Slope at a kink, as PyTorch chooses it. */
const kinks: readonly (readonly [string, Readonly<Record<string, OnnxAttribute>>, number, number])[] = [
  ['LeakyRelu', { alpha: float(0.25) }, 0, 0.25],
  ['Elu', { alpha: float(0.5) }, 0, 0.5],
  ['ThresholdedRelu', { alpha: float(1) }, 1, 0],
  ['HardSigmoid', { alpha: float(0.5), beta: float(0.5) }, 1, 0],
  ['HardSigmoid', { alpha: float(0.5), beta: float(0.5) }, -1, 0],
  ['Softplus', {}, 0, 0.5],
  ['Softsign', {}, 0, 1],
];

test.each(kinks)('%s %j has at %d the slope %d', async (operator, attributes, x, slope) => {
  const [, forward, reverse] = await slopesOf({ operator, attributes }, [x]);
  expect([forward[0], reverse[0]]).toEqual([slope, slope]);
});

test('LeakyRelu is one product in every derivative', async () => {
  const { jvp, vjp } = await graphsOf({ operator: 'LeakyRelu', inputs: [x] });
  expect(countOf(vjp, 'mul')).toBe(1);
  expect(countOf(jvp, 'exp') + countOf(vjp, 'exp')).toBe(0);
});
