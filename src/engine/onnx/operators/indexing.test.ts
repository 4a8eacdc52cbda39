import { describe, expect, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, known, knownResults, list, through } from './agreement.fixture.ts';

const x = argument('x', 3, 5, 2);
const fixed = known('float', [3, 5, 2], Array.from(x.data));
const labels = {
  cast: 'int64',
  tensor: through(argument('labels', 2, 2), (_, i) => [1, 0, 2, 1][i] as number),
} as const;

const both = async (trial: Omit<OperatorTrial, 'inputs'>, ...rest: OperatorTrial['inputs']): Promise<void> => {
  await expectAgreesWithRuntime({ ...trial, inputs: [x, ...rest], roundings: 1 });
  await expectAgreesWithRuntime({ ...trial, inputs: [fixed, ...rest], roundings: 1 });
};

describe('Gather', () => {
  test.each([
    ['one index', known('int', [], [-1])],
    ['a run', list(1, 2, 3)],
    ['a run backwards with steps', list(-1, 2, 0)],
    ['any order, repeated', known('int', [2, 3], [0, 4, -2, 1, 1, 0])],
    ['nothing at all', known('int', [0], [])],
  ])('%s', (_, indices) =>
    both({ operator: 'Gather', attributes: { axis: int(1) }, differentiable: indices.data.length > 0 }, indices),
  );
  test('with indices that are known at run time only', async () => {
    await both(
      { operator: 'Gather', attributes: { axis: int(-1) }, differentiable: false },
      { ...labels, tensor: through(labels.tensor, (v) => v % 2) },
    );
    await both({ operator: 'Gather' }, labels);
  });
  test('beyond the axis says so', async () => {
    const beyond = knownResults({ operator: 'Gather', inputs: [fixed, list(3)] });
    await expect(beyond).rejects.toThrow('expected indices of an axis of size 3, got 3.');
  });
});

test('GatherElements reads along one axis, with fewer rows than the data', async () => {
  const indices = known('int', [2, 3, 1], [0, 4, -1, 2, 2, 1]);
  await both({ operator: 'GatherElements', attributes: { axis: int(1) } }, indices);
});

test('GatherND reads elements, rows, and rows of every batch', async () => {
  await both({ operator: 'GatherND' }, known('int', [2, 3], [0, 1, 1, 2, -1, 0]));
  await both({ operator: 'GatherND' }, known('int', [2, 2], [0, 1, 2, 4]));
  await both({ operator: 'GatherND', attributes: { batch_dims: int(1) } }, known('int', [3, 1], [1, 4, 0]));
});

test('ScatterND and ScatterElements put updates in place', async () => {
  await both({ operator: 'ScatterND' }, known('int', [2, 2], [0, 1, 2, -1]), argument('rows', 2, 2));
  await both({ operator: 'ScatterND' }, known('int', [1, 1], [1]), known('float', [1, 5, 2], [...Array(10).keys()]));
  const indices = known('int', [1, 2, 2], [4, 0, 1, -2]);
  await both({ operator: 'ScatterElements', attributes: { axis: int(1) } }, indices, argument('some', 1, 2, 2));
});

test('TopK of a known array gives values and places in order', async () => {
  const numbers = known('float', [2, 4], [3, 1, 3, 2, 5, 8, 7, 6]);
  await expectAgreesWithRuntime({ operator: 'TopK', inputs: [numbers, list(3)], outputs: 2 });
  const attributes = { axis: int(0), largest: int(0) };
  await expectAgreesWithRuntime({ operator: 'TopK', inputs: [numbers, list(1)], attributes, outputs: 2 });
});
