import { describe, expect, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int, known, knownResults, through } from './agreement.fixture.ts';

const x = argument('x', 2, 3, 4);
const y = argument('y', 3, 1);
const positive = through(x, (v) => Math.abs(v) + 0.5);
const inside = through(x, (v) => Math.tanh(v) * 0.6);
const away = through(y, (v) => Math.sign(v) * (Math.abs(v) + 0.5));
const whole = known('int', [5], [7, -7, 6, -1, 0]);
const by = known('int', [5], [2, 2, -4, 3, 5]);
const row = known('float', [4], [0.5, -1.5, 2, 3]);

const agree = (trial: OperatorTrial): Promise<void> => expectAgreesWithRuntime(trial);

describe('functions of one operand equal the runtime, values and derivatives', () => {
  test.each([
    'Neg',
    'Abs',
    'Exp',
    'Sin',
    'Cos',
    'Sigmoid',
    'Relu',
    'Tanh',
    'Identity',
    'Floor',
    'Ceil',
    'Round',
    'Sign',
  ])('%s', (operator) => agree({ operator, inputs: [x] }));
  test.each(['Sqrt', 'Log', 'Reciprocal'])('%s', (operator) => agree({ operator, inputs: [positive] }));
  test('Tan', () => agree({ operator: 'Tan', inputs: [inside] }));
  test.each(['Erf', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh'])('%s', (operator) =>
    agree({ operator, inputs: [inside], differences: 'float32' }),
  );
  test.each([
    'Neg', 'Abs', 'Exp', 'Sin', 'Cos', 'Tan', 'Sigmoid', 'Relu', 'Tanh', 'Floor', 'Ceil', 'Round', 'Sign', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh',
  ])('%s of known numbers', (operator) => agree({ operator, inputs: [known('float', [2], [0.3, -0.8])] })); // prettier-ignore
});

test('Round takes halves to the even neighbour, traced and known', async () => {
  const halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997];
  const traced = through(argument('halves', 7), (_, i) => halves[i] as number);
  await agree({ operator: 'Round', inputs: [traced], differentiable: false });
  await agree({ operator: 'Round', inputs: [known('float', [7], halves)] });
});

describe('functions of several operands broadcast', () => {
  test.each(['Add', 'Sub', 'Mul', 'Min', 'Max', 'Sum', 'Mean'])('%s', async (operator) => {
    await agree({ operator, inputs: [x, y] });
    await agree({ operator, inputs: [row, x] });
    await agree({ operator, inputs: [row, known('float', [], [0.25])] });
  });
  test('Div', async () => {
    await agree({ operator: 'Div', inputs: [x, away] });
    await agree({ operator: 'Div', inputs: [x, row] });
    await agree({ operator: 'Div', inputs: [row, away] });
  });
  test.each(['Min', 'Max', 'Sum', 'Mean'])('%s of three', (operator) => agree({ operator, inputs: [x, y, row] }));
  test.each(['Add', 'Sub', 'Mul', 'Div', 'Mod'])('%s of known integers', (operator) =>
    agree({ operator, inputs: [whole, by] }),
  );
  test('Mod with the sign of the dividend', async () => {
    await agree({ operator: 'Mod', inputs: [whole, by], attributes: { fmod: int(1) } });
    await agree({ operator: 'Mod', inputs: [x, away], attributes: { fmod: int(1) } });
  });
  test('Div of integers that are known at run time only', async () => {
    const numbers = through(argument('whole', 5), (_, i) => whole.data[i] as number);
    await agree({ operator: 'Div', inputs: [{ cast: 'int64', tensor: numbers }, by] });
    await agree({ operator: 'Mod', inputs: [{ cast: 'int64', tensor: numbers }, by] });
  });
});

describe('Pow', () => {
  test.each([0, 1, 2, 3, 5, 8, -1, -2])('to the power %d needs no logarithm', (power) =>
    agree({ operator: 'Pow', inputs: [away, known('float', [], [power])], roundings: 32 }),
  );
  test.each([0.5, -0.5, 1.7])('to the power %d', (power) =>
    agree({ operator: 'Pow', inputs: [positive, known('float', [1], [power])], roundings: 32 }),
  );
  test('with a known base, a traced exponent, both, or whole exponents of several kinds', async () => {
    await agree({ operator: 'Pow', inputs: [known('float', [], [1000]), inside], roundings: 32 });
    await agree({ operator: 'Pow', inputs: [positive, y], roundings: 32 });
    await agree({ operator: 'Pow', inputs: [away, known('float', [2], [3, 2])], roundings: 64 });
    await agree({ operator: 'Pow', inputs: [known('int', [3], [2, -3, 5]), known('int', [3], [10, 3, 0])] });
  });
});

describe('Clip', () => {
  test('with two bounds, one or none', async () => {
    await agree({ operator: 'Clip', inputs: [x, known('float', [], [-0.5]), known('float', [], [0.7])] });
    await agree({ operator: 'Clip', inputs: [x, undefined, known('float', [], [0.7])], opset: 11 });
    await agree({ operator: 'Clip', inputs: [x] });
    await agree({ operator: 'Clip', inputs: [row, known('float', [], [0]), known('float', [], [1])] });
  });
});

test('Dropout is the identity, its mask true', async () => {
  await agree({ operator: 'Dropout', inputs: [row], outputs: 2 });
  await agree({ operator: 'Dropout', inputs: [x], attributes: { ratio: float(0.5) }, opset: 11 });
});

test('Div of known integers by zero says where', async () => {
  const zero = knownResults({ operator: 'Div', inputs: [whole, known('int', [], [0])] });
  await expect(zero).rejects.toThrow("node 'Div for y0' (Div): divides a known integer by zero.");
});
