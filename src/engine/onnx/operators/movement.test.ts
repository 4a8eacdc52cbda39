import { describe, expect, test } from 'vitest';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, int, ints, known, knownResults, list, text } from './agreement.fixture.ts';

const x = argument('x', 2, 3, 4);
const image = argument('image', 2, 8, 4, 6);
const fixed = known(
  'float',
  [2, 3, 4],
  Array.from({ length: 24 }, (_, i) => i - 7),
);
const farthest = 2 ** 63;

/** The operator on a traced and on a known array of the same shape. */
const both = async (trial: Omit<OperatorTrial, 'inputs'>, ...rest: OperatorTrial['inputs']): Promise<void> => {
  await expectAgreesWithRuntime({ ...trial, inputs: [x, ...rest], roundings: 1 });
  await expectAgreesWithRuntime({ ...trial, inputs: [fixed, ...rest], roundings: 1 });
};

describe('Reshape', () => {
  test('copies sizes at 0 and infers one at -1', async () => {
    await both({ operator: 'Reshape' }, list(0, -1));
    await both({ operator: 'Reshape' }, list(4, 0, -1));
    await both({ operator: 'Reshape' }, list(24));
    await both({ operator: 'Reshape', attributes: { allowzero: int(1) } }, list(6, 4));
  });
  test('with sizes that do not fit says so', async () => {
    await expect(knownResults({ operator: 'Reshape', inputs: [fixed, list(5, -1)] })).rejects.toThrow(
      'cannot give [2, 3, 4] the shape [5, -1]',
    );
  });
});

test('Flatten cuts at an axis', async () => {
  for (const axis of [0, 1, 2, 3, -1]) await both({ operator: 'Flatten', attributes: { axis: int(axis) } });
  await both({ operator: 'Flatten' });
});

test('Transpose permutes, by default backwards', async () => {
  await both({ operator: 'Transpose' });
  await both({ operator: 'Transpose', attributes: { perm: ints(1, 2, 0) } });
});

test('Squeeze and Unsqueeze take axes as attribute or input', async () => {
  const thin = argument('thin', 1, 3, 1, 2);
  await expectAgreesWithRuntime({ operator: 'Squeeze', inputs: [thin] });
  await expectAgreesWithRuntime({ operator: 'Squeeze', inputs: [thin, list(-2)] });
  await expectAgreesWithRuntime({ operator: 'Squeeze', inputs: [thin], attributes: { axes: ints(0) }, opset: 11 });
  await both({ operator: 'Unsqueeze' }, list(0, -1));
  await both({ operator: 'Unsqueeze', attributes: { axes: ints(3, 1) }, opset: 11 });
});

test('Concat joins traced and known parts', async () => {
  const attributes = { axis: int(-2) };
  await expectAgreesWithRuntime({ operator: 'Concat', inputs: [x, argument('y', 2, 1, 4), fixed], attributes });
  await expectAgreesWithRuntime({ operator: 'Concat', inputs: [list(1, 2), list(3)], attributes: { axis: int(0) } });
});

test('Split into equal parts, given sizes, or parts of which the last is smaller', async () => {
  await both({ operator: 'Split', attributes: { axis: int(2) }, outputs: 2 });
  await both({ operator: 'Split', attributes: { axis: int(-1) }, outputs: 3 }, list(1, 2, 1));
  await both({ operator: 'Split', attributes: { axis: int(1), split: ints(2, 1) }, outputs: 2, opset: 11 });
  await both({ operator: 'Split', attributes: { axis: int(1), num_outputs: int(2) }, outputs: 2, opset: 18 });
});

describe('Slice', () => {
  test.each([
    ['from the front', [1], [3], [2], [1]],
    ['to the far end', [1, 0], [farthest, farthest], [1, 2], [1, 1]],
    ['with steps', [0, 1], [3, 4], [1, 2], [2, 2]],
    ['counted from the end', [-3], [-1], [-1], [1]],
    ['backwards', [-1], [-farthest], [2], [-1]],
    ['backwards with steps', [3, 5], [-farthest, 0], [2, 1], [-2, -1]],
  ] as const)('%s', (_, starts, ends, axes, steps) =>
    both({ operator: 'Slice' }, list(...starts), list(...ends), list(...axes), list(...steps)),
  );
  test('of nothing', () => both({ operator: 'Slice', differentiable: false }, list(2), list(1), list(2)));
  test('of the first axes where none are named', () => both({ operator: 'Slice' }, list(0, 1), list(1, 3)));
});

describe('Pad', () => {
  test.each(['constant', 'reflect', 'edge'])('%s', (mode) =>
    both({ operator: 'Pad', attributes: { mode: text(mode) } }, list(0, 1, 2, 1, 0, 3)),
  );
  test('wraps around', () =>
    both({ operator: 'Pad', attributes: { mode: text('wrap') }, opset: 19 }, list(0, 1, 2, 1, 0, 3)));
  test('with another value, with negative widths, and along named axes', async () => {
    await both({ operator: 'Pad' }, list(0, 1, 2, 1, 0, 3), known('float', [], [1.5]));
    await both({ operator: 'Pad' }, list(0, -1, 2, 1, 0, -2));
    await both({ operator: 'Pad', attributes: { mode: text('edge') } }, list(0, -1, 2, 1, 0, -2));
    await both({ operator: 'Pad', opset: 18 }, list(1, 2, 0, 3), known('float', [], [0]), list(-1, 1));
  });
});

test('Expand grows either operand', async () => {
  const column = argument('column', 3, 1);
  await expectAgreesWithRuntime({ operator: 'Expand', inputs: [column, list(2, 1, 4)] });
  await expectAgreesWithRuntime({ operator: 'Expand', inputs: [known('int', [], [3]), list(2, 2)] });
});

test('Tile repeats along every axis', () => both({ operator: 'Tile' }, list(2, 1, 3)));

test.each(['DCR', 'CRD'])('DepthToSpace in %s order', (mode) =>
  expectAgreesWithRuntime({
    operator: 'DepthToSpace',
    inputs: [image],
    attributes: { blocksize: int(2), mode: text(mode) },
  }),
);

test('SpaceToDepth undoes it', () =>
  expectAgreesWithRuntime({ operator: 'SpaceToDepth', inputs: [image], attributes: { blocksize: int(2) } }));
