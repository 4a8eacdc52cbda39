import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FloatDType } from '../../tensor/tensor.ts';
import type { Jax, Trial } from '../agreement.fixture.ts';
import { compiled, draws, eagerly, expectAgreement, expectClose } from '../agreement.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { loadJax } from '../jax.ts';
import { trace } from '../trace.ts';
import type { GraphNode } from '../graph.ts';

/** Sums of at most 2 x 3 x 9 products, forward and back. */
const roundings = 64;

interface Geometry {
  readonly batch: number;
  readonly groups: number;
  readonly channels: number;
  readonly outs: number;
  readonly size: [number, number];
  readonly kernel: [number, number];
  readonly strides: [number, number];
  readonly dilation: [number, number];
  readonly pads: [[number, number], [number, number]];
}

const upTo = (max: number, min: number = 1): fc.Arbitrary<number> => fc.integer({ min, max });
const two = (max: number, min: number = 1): fc.Arbitrary<[number, number]> => fc.tuple(upTo(max, min), upTo(max, min));

/** Images are large enough for every kernel here, dilated and cropped: 3 + 2 x 1 <= 7 - 2. */
const geometries: fc.Arbitrary<Geometry> = fc.record({
  batch: upTo(2),
  groups: upTo(2),
  channels: upTo(3),
  outs: upTo(3),
  size: two(9, 7),
  kernel: two(3),
  strides: two(3),
  dilation: two(2),
  pads: fc.tuple(two(2, -1), two(2, -1)),
});

const convOf =
  ({ lax }: Jax, a: Geometry) =>
  (x: JaxArray, w: JaxArray): JaxArray =>
    lax.convGeneralDilated(x, w, a.strides, a.pads, { rhsDilation: a.dilation, featureGroupCount: a.groups });

function operandsOf(a: Geometry, dtype: FloatDType, lead: { x?: number[]; w?: number[] } = {}): Trial['inputs'] {
  const x = [...(lead.x ?? []), a.batch, a.groups * a.channels, ...a.size];
  const w = [...(lead.w ?? []), a.groups * a.outs, a.channels, ...a.kernel];
  return [draws('x', x, dtype), draws('w', w, dtype)];
}

/** The result and both gradients of the sum of its squares, which take the cotangent through each adjoint. */
const withGradients = (a: Geometry, dtype: FloatDType): Trial => ({
  inputs: operandsOf(a, dtype),
  apply: (jax, x, w) => {
    const loss = (u: JaxArray, v: JaxArray): JaxArray => jax.numpy.sum(jax.numpy.square(convOf(jax, a)(u, v)));
    const gradients = jax.grad(loss, { argnums: [0, 1] })(x.ref, w.ref) as JaxArray[];
    return [convOf(jax, a)(x, w), ...gradients];
  },
});

/** Mapped over images with one kernel, over kernels with one image batch, over both, and over both in turn. */
const mappedTrials = (a: Geometry, dtype: FloatDType): Trial[] => [
  {
    inputs: operandsOf(a, dtype, { x: [3] }),
    apply: (jax, x, w) => jax.vmap(convOf(jax, a), [0, null])(x, w),
  },
  {
    inputs: operandsOf(a, dtype, { w: [3] }),
    apply: (jax, x, w) => jax.vmap(convOf(jax, a), [null, 0])(x, w),
  },
  {
    inputs: operandsOf(a, dtype, { x: [3], w: [3] }),
    apply: (jax, x, w) => jax.vmap(convOf(jax, a), [0, 0])(x, w),
  },
  {
    inputs: operandsOf(a, dtype, { x: [2], w: [3] }),
    apply: (jax, x, w) => {
      const inner = (u: JaxArray, v: JaxArray): JaxArray => jax.vmap(convOf(jax, a), [null, 0])(u, v);
      return jax.vmap(inner, [0, null])(x, w);
    },
  },
];

const check = (run: (a: Geometry, dtype: FloatDType) => Trial[], numRuns: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(geometries, { minLength: 2, maxLength: 2 }), async (both) => {
      for (const dtype of ['float32', 'float64'] as const) {
        await expectAgreement(
          both.flatMap((a) => run(a, dtype)),
          roundings,
        );
      }
    }),
    { seed: 5, numRuns, endOnFailure: true },
  );

describe('convolution', () => {
  it('conv and both its adjoints equal jax-js for strides, dilations, groups and uneven or negative pads', async () => {
    await check((a, dtype) => [withGradients(a, dtype)], 8);
  });

  it('conv under vmap equals jax-js whichever operand is mapped', async () => {
    await check(mappedTrials, 4);
  });

  it('conv of one spatial axis and its adjoints equal jax-js', async () => {
    const trials = (['float32', 'float64'] as const).map((dtype) => ({
      inputs: [draws('x', [2, 3, 9], dtype), draws('w', [4, 3, 3], dtype)],
      apply: (jax: Jax, x: JaxArray, w: JaxArray) => {
        const f = (u: JaxArray, v: JaxArray): JaxArray => jax.lax.conv(u, v, [2], [[1, 2]]);
        const loss = (u: JaxArray, v: JaxArray): JaxArray => jax.numpy.sum(jax.numpy.square(f(u, v)));
        return [f(x.ref, w.ref), ...(jax.grad(loss, { argnums: [0, 1] })(x, w) as JaxArray[])];
      },
    }));
    await expectAgreement(trials, roundings);
  });

  it('the gradient in the weights equals jax-js for large maps, one image, strides over rows, columns or both', async () => {
    const base: Geometry = {
      batch: 2,
      groups: 1,
      channels: 2,
      outs: 3,
      // 17 x 18 positions are summed image by image, those of strided results over all images at once.
      size: [17, 18],
      kernel: [3, 3],
      strides: [1, 1],
      dilation: [1, 1],
      pads: [
        [1, 1],
        [1, 1],
      ],
    };
    const geometries: Geometry[] = [
      base,
      { ...base, batch: 1 },
      { ...base, kernel: [1, 5], pads: [[0, 0], [2, 2]] }, // prettier-ignore
      { ...base, kernel: [2, 3], dilation: [2, 2], pads: [[0, 3], [-1, 1]] }, // prettier-ignore
      { ...base, strides: [1, 2] },
      { ...base, strides: [2, 1] },
      { ...base, strides: [2, 2], size: [40, 41] },
    ];
    for (const dtype of ['float32', 'float64'] as const) {
      const trials = geometries.map((a) => withGradients(a, dtype));
      // Sums over up to 2 x 306 positions.
      await expectAgreement(trials, 512);
    }
  });

  it('the gradient in the weights goes tap by tap and equals jax-js for a feature map larger than the kernel', async () => {
    const a: Geometry = {
      batch: 3,
      groups: 1,
      channels: 2,
      outs: 4,
      size: [9, 8],
      kernel: [3, 2],
      strides: [2, 1],
      dilation: [1, 2],
      pads: [
        [1, 2],
        [-1, 1],
      ],
    };
    for (const dtype of ['float32', 'float64'] as const) {
      const trial = withGradients(a, dtype);
      const wanted = eagerly(await loadJax(), trial);
      const got = await compiled(trial);
      wanted.forEach((w, i) => expectClose(got[i] as typeof w, w, 512, `result ${i}`));
    }
    const jax = await loadJax();
    const outputs = await trace(
      (...inputs) => withGradients(a, 'float32').apply(jax, ...inputs),
      operandsOf(a, 'float32').map(({ shape }) => ({ shape })),
    );
    const ops = new Set<string>();
    const visit = (node: GraphNode): void => {
      ops.add(node.op);
      node.inputs.forEach(visit);
    };
    outputs.forEach(visit);
    expect(ops).toContain('convWeights');
  });
});
