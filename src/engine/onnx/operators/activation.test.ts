import { test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int, text, through } from './agreement.fixture.ts';

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
