import { expect, test } from 'vitest';
import { countOf, opsOf } from '../../graph.fixture.ts';
import type { OperatorTrial } from './agreement.fixture.ts';
import { argument, expectAgreesWithRuntime, float, int, ints, known, list, text } from './agreement.fixture.ts';
import { graphsOf } from './traced.fixture.ts';

const image = argument('image', 1, 2, 5, 4);
const scales = (...data: number[]) => known('float', [data.length], data.map(Math.fround));
const nearest = (transformation: string, rounding: string) => ({
  mode: text('nearest'),
  coordinate_transformation_mode: text(transformation),
  nearest_mode: text(rounding),
});

const transformations = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

test.each(transformations.flatMap((t) => roundings.map((r) => [t, r] as const)))(
  'Resize to the nearest neighbour agrees with the runtime: %s, %s',
  async (transformation, rounding) => {
    const attributes = nearest(transformation, rounding);
    for (const factors of [scales(1, 1, 2, 2), scales(1, 1, 1.4, 0.6)]) {
      await expectAgreesWithRuntime({ operator: 'Resize', inputs: [image, undefined, factors], attributes });
    }
    const inputs = [image, undefined, undefined, list(1, 2, 7, 9)];
    await expectAgreesWithRuntime({ operator: 'Resize', inputs, attributes });
  },
);

const trials: readonly (OperatorTrial & { readonly title: string })[] = [
  {
    title: 'upsampling as PyTorch writes it',
    operator: 'Resize',
    opset: 13,
    inputs: [image, undefined, scales(1, 1, 2, 2)],
    attributes: nearest('asymmetric', 'floor'),
  },
  {
    title: 'an empty roi as in opset 11',
    operator: 'Resize',
    opset: 11,
    inputs: [image, known('float', [0], []), scales(1, 1, 3, 2)],
    attributes: nearest('asymmetric', 'floor'),
  },
  {
    title: 'tf_half_pixel_for_nn',
    operator: 'Resize',
    opset: 11,
    inputs: [image, known('float', [0], []), scales(1, 1, 3, 0.5)],
    attributes: nearest('tf_half_pixel_for_nn', 'floor'),
  },
  {
    title: 'chosen axes',
    operator: 'Resize',
    opset: 18,
    inputs: [image, undefined, undefined, list(8, 10)],
    attributes: { axes: ints(-1, 2), mode: text('linear') },
  },
  {
    title: 'sizes not larger',
    operator: 'Resize',
    opset: 18,
    inputs: [image, undefined, undefined, list(10, 10)],
    attributes: { axes: ints(2, 3), mode: text('nearest'), keep_aspect_ratio_policy: text('not_larger') },
  },
  {
    title: 'sizes not smaller',
    operator: 'Resize',
    opset: 18,
    inputs: [image, undefined, undefined, list(7, 7)],
    attributes: { axes: ints(2, 3), mode: text('nearest'), keep_aspect_ratio_policy: text('not_smaller') },
  },
  {
    title: 'linear',
    operator: 'Resize',
    inputs: [image, undefined, scales(1, 1, 2, 2)],
    attributes: { mode: text('linear') },
  },
  {
    title: 'linear, aligned corners',
    operator: 'Resize',
    inputs: [image, undefined, undefined, list(1, 2, 8, 3)],
    attributes: { mode: text('linear'), coordinate_transformation_mode: text('align_corners') },
  },
  {
    title: 'linear, symmetric',
    operator: 'Resize',
    opset: 19,
    inputs: [image, undefined, scales(1, 1, 1.3, 0.7)],
    attributes: { mode: text('linear'), coordinate_transformation_mode: text('half_pixel_symmetric') },
  },
  {
    title: 'linear, last axis',
    operator: 'Resize',
    inputs: [image, undefined, undefined, list(1, 2, 5, 7)],
    attributes: { mode: text('linear'), coordinate_transformation_mode: text('pytorch_half_pixel') },
  },
  {
    title: 'cubic',
    operator: 'Resize',
    inputs: [image, undefined, scales(1, 1, 2, 1.5)],
    attributes: { mode: text('cubic') },
  },
  {
    title: 'cubic without outside',
    operator: 'Resize',
    inputs: [image, undefined, scales(1, 1, 2, 0.8)],
    attributes: { mode: text('cubic'), cubic_coeff_a: float(-0.5), exclude_outside: int(1) },
  },
];

test.each(trials)('Resize agrees with the runtime: $title', async (trial) => {
  await expectAgreesWithRuntime(trial);
});

test('Resize by whole factors is one upsampling, and its adjoint one average pool', async () => {
  const { forward, jvp, vjp } = await graphsOf(trials[0] as OperatorTrial);
  expect([opsOf(forward), opsOf(jvp)]).toEqual([['upsample'], ['upsample']]);
  expect(countOf(vjp, 'averagePool')).toBe(1);
});

test('Resize to every second element gathers nothing', async () => {
  const even = argument('even', 1, 2, 4, 6);
  const { forward, vjp } = await graphsOf({
    operator: 'Resize',
    inputs: [even, undefined, scales(1, 1, 0.5, 0.5)],
    attributes: nearest('asymmetric', 'floor'),
  });
  expect(countOf(forward, 'gather') + countOf(vjp, 'scatterAdd')).toBe(0);
});

test.each([
  [{ antialias: int(1) }, 'antialiases'],
  [{ mode: text('sinc') }, "does not know mode 'sinc'"],
  [
    { coordinate_transformation_mode: text('tf_crop_and_resize') },
    "coordinate_transformation_mode 'tf_crop_and_resize'",
  ],
  [{ nearest_mode: text('up') }, "does not know nearest_mode 'up'"],
] as const)('Resize with %j is refused', async (attributes, words) => {
  await expect(
    graphsOf({ operator: 'Resize', inputs: [image, undefined, scales(1, 1, 1.5, 1.5)], attributes }),
  ).rejects.toThrow(words);
});
