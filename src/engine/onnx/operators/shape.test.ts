import { describe, expect, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, known, knownResults, list, through } from './agreement.fixture.ts';

const fixed = known('float', [2, 3, 4], [...Array(24).keys()]);
const matrix = argument('matrix', 2, 3, 4);

const agree = (trial: OperatorTrial): Promise<void> => expectAgreesWithRuntime(trial);

test('Shape gives all sizes or a range of them, Size their product', async () => {
  await agree({ operator: 'Shape', inputs: [fixed] });
  await agree({ operator: 'Shape', inputs: [fixed], attributes: { start: int(-2), end: int(-1) } });
  await agree({ operator: 'Shape', inputs: [fixed], attributes: { start: int(1) } });
  await agree({ operator: 'Size', inputs: [fixed] });
});

describe('ConstantOfShape', () => {
  test('fills with its value, by default zero', async () => {
    const value = { kind: 'tensor', value: known('int', [1], [7]) } as const;
    await agree({ operator: 'ConstantOfShape', inputs: [list(2, 3)], attributes: { value } });
    await agree({ operator: 'ConstantOfShape', inputs: [list(2)] });
    await agree({ operator: 'ConstantOfShape', inputs: [known('int', [0], [])] });
  });
  test('of a size that no memory holds is refused', async () => {
    const huge = knownResults({ operator: 'ConstantOfShape', inputs: [list(2 ** 40, 2 ** 40)] });
    await expect(huge).rejects.toThrow('expected at most 16777216 elements');
  });
});

test('Range counts up and down', async () => {
  const scalars = (type: 'int' | 'float', ...values: number[]): OperatorTrial['inputs'] =>
    values.map((v) => known(type, [], [v]));
  await agree({ operator: 'Range', inputs: scalars('int', 2, 9, 3) });
  await agree({ operator: 'Range', inputs: scalars('float', 1, -0.2, -0.5) });
  await agree({ operator: 'Range', inputs: scalars('int', 3, 3, 1) });
});

test('EyeLike puts ones on a diagonal', async () => {
  const like = known('float', [2, 3], [0, 0, 0, 0, 0, 0]);
  await agree({ operator: 'EyeLike', inputs: [like], attributes: { k: int(1) } });
  await agree({ operator: 'EyeLike', inputs: [like], attributes: { dtype: int(7) } });
});

test('NonZero lists the places', () =>
  agree({ operator: 'NonZero', inputs: [known('int', [2, 3], [1, 0, 2, 0, 0, 3])] }));

test.each([0, 1])('Trilu with upper %d keeps one side of a diagonal', async (upper) => {
  await agree({ operator: 'Trilu', inputs: [matrix], attributes: { upper: int(upper) } });
  await agree({ operator: 'Trilu', inputs: [matrix, known('int', [], [-1])], attributes: { upper: int(upper) } });
  await agree({ operator: 'Trilu', inputs: [fixed, known('int', [], [2])], attributes: { upper: int(upper) } });
});

test('OneHot of known and of traced labels', async () => {
  const [depth, offOn] = [known('int', [], [4]), known('float', [2], [-1, 2])];
  const labels = { cast: 'int64', tensor: through(argument('labels', 3), (_, i) => i) } as const;
  await agree({ operator: 'OneHot', inputs: [list(3, 0, -1), depth, offOn] });
  await agree({ operator: 'OneHot', inputs: [labels, depth, offOn], attributes: { axis: int(0) } });
});
