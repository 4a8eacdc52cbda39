import { describe, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, known, through } from './agreement.fixture.ts';

const x = argument('x', 2, 3, 4);
const y = argument('y', 3, 1);
const row = known('float', [4], [0.5, -1.5, 2, 3]);
const mask = known('bool', [4], [1, 0, 0, 1]);
const traced = { cast: 'bool', tensor: through(argument('mask', 3, 1), (v) => Number(v > 0)) } as const;
const wild = through(x, (v, i) => [v, NaN, Infinity, -Infinity][i % 4] as number);

const agree = (trial: OperatorTrial): Promise<void> => expectAgreesWithRuntime(trial);
const values = (trial: OperatorTrial): Promise<void> => agree({ ...trial, differentiable: false });

test.each(['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'])(
  '%s of traced and known operands equals the runtime',
  async (operator) => {
    await values({ operator, inputs: [x, y] });
    await values({ operator, inputs: [x, row] });
    await values({ operator, inputs: [row, known('float', [2, 1], [0.5, 2])] });
  },
);

test.each(['And', 'Or', 'Xor'])('%s of traced and known operands equals the runtime', async (operator) => {
  await values({ operator, inputs: [traced, mask] });
  await values({ operator, inputs: [mask, known('bool', [2, 1], [0, 1])] });
});

test('Not of traced and known operands equals the runtime', async () => {
  await values({ operator: 'Not', inputs: [traced] });
  await values({ operator: 'Not', inputs: [mask] });
});

test('IsNaN and IsInf find what the runtime finds', async () => {
  await values({ operator: 'IsNaN', inputs: [wild] });
  await values({ operator: 'IsNaN', inputs: [known('float', [2], [NaN, 1])] });
  await values({ operator: 'IsInf', inputs: [wild] });
  await values({ operator: 'IsInf', inputs: [wild], attributes: { detect_negative: int(0) } });
  await values({ operator: 'IsInf', inputs: [wild], attributes: { detect_positive: int(0) } });
  await values({ operator: 'IsInf', inputs: [known('float', [2], [-Infinity, 1])] });
});

describe('Where', () => {
  test('with a traced condition, one known and mixed, and one that is the same everywhere', async () => {
    await agree({ operator: 'Where', inputs: [traced, x, y] });
    await agree({ operator: 'Where', inputs: [mask, x, y] });
    await agree({ operator: 'Where', inputs: [known('bool', [2, 1, 1], [1, 1]), y, x] });
    await agree({ operator: 'Where', inputs: [mask, row, known('float', [], [9])] });
    await agree({ operator: 'Where', inputs: [traced, x, known('float', [], [-Infinity])], differentiable: false });
  });
});

describe('Cast', () => {
  test.each([1, 6, 7, 9, 10, 11])('to element type %d', async (to) => {
    const attributes = { to: int(to) };
    const roundings = to === 10 ? 2 ** 14 : 8;
    await agree({ operator: 'Cast', inputs: [x], attributes, differentiable: to !== 9, roundings });
    await values({ operator: 'Cast', inputs: [traced], attributes });
    await values({ operator: 'Cast', inputs: [row], attributes, roundings });
  });
  test('CastLike takes the kind of another array', async () => {
    await agree({ operator: 'CastLike', inputs: [x, known('int', [1], [1])] });
    await agree({ operator: 'CastLike', inputs: [x, y] });
    await values({ operator: 'CastLike', inputs: [row, mask] });
  });
});
