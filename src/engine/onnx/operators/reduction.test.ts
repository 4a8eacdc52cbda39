import { describe, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, ints, known, list, through } from './agreement.fixture.ts';

const x = through(argument('x', 2, 3, 4), (v) => Math.abs(v) + 0.25);
const fixed = known('float', [2, 3, 4], Array.from(x.data));

/** The operator on a traced and on a known array of the same numbers. */
const both = async (trial: Omit<OperatorTrial, 'inputs'>, ...rest: OperatorTrial['inputs']): Promise<void> => {
  await expectAgreesWithRuntime({ ...trial, inputs: [x, ...rest], roundings: 16 });
  await expectAgreesWithRuntime({ ...trial, inputs: [fixed, ...rest], roundings: 16 });
};

const names = ['Mean', 'Sum', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSumExp', 'LogSum'];

describe.each(names)('Reduce%s', (name) => {
  const operator = `Reduce${name}`;
  const isSum = name === 'Sum';
  test('takes axes as an attribute or as an input, negative ones too', async () => {
    const attributes = { axes: ints(1, -1), keepdims: int(0) };
    await both({ operator, attributes, opset: isSum ? 11 : 17 });
    await both({ operator, opset: 18 }, list(-2));
  });
  test('without axes reduces all, or nothing with the flag', async () => {
    await both({ operator, attributes: { keepdims: int(0) }, opset: 18 });
    await both({ operator, attributes: { noop_with_empty_axes: int(1) }, opset: 18 }, list());
  });
});

test.each(['ArgMax', 'ArgMin'])('%s finds the first or the last place', async (operator) => {
  const ties = [3, 1, 3, 0, 0, 2];
  const traced = through(argument('ties', 1, 6), (_, i) => ties[i] as number);
  for (const inputs of [[traced], [known('float', [1, 6], ties)]]) {
    const trial = { operator, inputs, differentiable: false };
    await expectAgreesWithRuntime({ ...trial, attributes: { axis: int(1) } });
    await expectAgreesWithRuntime({
      ...trial,
      attributes: { axis: int(-1), select_last_index: int(1), keepdims: int(0) },
    });
  }
});

test.each([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])('CumSum, exclusive %d, reverse %d', (exclusive, reverse) =>
  both(
    { operator: 'CumSum', attributes: { exclusive: int(exclusive), reverse: int(reverse) } },
    known('int', [], [-2]),
  ),
);
