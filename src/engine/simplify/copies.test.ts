import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sizeOf } from '../../tensor/tensor.ts';
import type { Jax, Trial } from '../agreement.fixture.ts';
import { draws, expectAgreement } from '../agreement.fixture.ts';
import { GraphBuilder } from '../builder.ts';
import { nodesOf } from '../graph.fixture.ts';
import type { GraphNode } from '../graph.ts';
import type { JaxArray } from '../jax.ts';
import { broadcast, reshape } from './movement.ts';

const channels = 4;
const sizes = { x: [2, channels, 6, 6], w: [channels, channels, 3, 3] } as const;

/** Every kind of operation that a U-Net holds, jitted functions of the library among them. */
function network({ numpy: np, lax, nn }: Jax, x: JaxArray, w: JaxArray): JaxArray {
  const convolved = nn.silu(lax.conv(x, w.ref, [1, 1], 'SAME'));
  const joined = np.concatenate([convolved.ref, np.flip(convolved, [2])], 1);
  const padded = np.pad(joined, [
    [0, 0],
    [0, 0],
    [1, 0],
    [1, 1],
  ]);
  const cropped = padded.slice([], [0, channels], [1, 7], [1, 7]);
  const logits = np.einsum('bcxy,bcuv->bxyuv', cropped.ref, cropped.ref).reshape([2, 36, 36]);
  const weights = nn.softmax(logits.mul(0.1), -1);
  const mixed = np.einsum('bcp,bqp->bcq', cropped.reshape([2, channels, 36]), weights);
  const centred = mixed.ref.sub(np.max(mixed, -1, { keepdims: true })).reshape([2, channels, 6, 6]);
  return lax.conv(centred, w, [2, 2], 'SAME');
}

const block: Trial['apply'] = (jax, x, w, tangents) =>
  jax.vmap((t: JaxArray) => jax.jvp((u: JaxArray) => network(jax, u, w.ref), [x.ref], [t])[1])(tangents);

it('a block of tangents holds the primal pass once, whatever vmap makes of it', async () => {
  const count = 5;
  const specs = [{ shape: sizes.x }, { shape: sizes.w }, { shape: [count, ...sizes.x], linear: true }];
  const nodes = await nodesOf(specs, (jax, ...inputs) => block(jax, ...inputs));
  const single = await nodesOf(
    specs.map((s, i) => (i === 2 ? { ...s, shape: [1, ...sizes.x] } : s)),
    (jax, ...inputs) => block(jax, ...inputs),
  );
  const computes = (n: GraphNode): boolean => n.inputs.length > 0 && n.op !== 'transpose' && n.op !== 'reshape';
  const primal = (all: typeof nodes): number =>
    all.filter((n) => !n.linear && computes(n)).reduce((sum, n) => sum + sizeOf(n.shape), 0);
  const tangent = (all: typeof nodes): number =>
    all.filter((n) => n.linear).reduce((sum, n) => sum + sizeOf(n.shape), 0);
  // Beside a block, coefficients of small size are gathered that a single tangent meets one by one; transposes come with a fifth axis.
  expect(primal(nodes)).toBeLessThan(1.05 * primal(single));
  expect(tangent(nodes)).toBeLessThan(1.1 * count * tangent(single));
});

it('a block of tangents of every kind of operation equals jax-js', async () => {
  const inputs = [
    draws('x', sizes.x, 'float32'),
    draws('w', sizes.w, 'float32'),
    draws('t', [3, ...sizes.x], 'float32'),
  ];
  await expectAgreement([{ inputs, apply: block }], 512);
});

it('reshape() of copies copies the reshape, for random shapes and splits', () => {
  const axis = fc.integer({ min: 1, max: 4 });
  const property = fc.property(
    fc.array(fc.tuple(axis, fc.boolean()), { minLength: 1, maxLength: 5 }),
    fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }),
    (axes, cuts) => {
      const g = new GraphBuilder();
      const shape = axes.map(([d]) => d);
      const source = axes.map(([d, isCopied]) => (isCopied ? 1 : d));
      const target = shape.flatMap((d, i) => splitOf(d, cuts[i] as number));
      const copies = broadcast(g, g.input(0, source, 'float32', false), shape);
      const result = reshape(g, copies, target);
      expect(result.shape).toEqual(target);
      // Axis by axis nothing is mixed, so that no copy is ever made below the outermost node.
      if (sizeOf(source) < sizeOf(shape)) expect(result.op).toBe('broadcast');
      let below = result.inputs[0];
      while (below !== undefined) {
        expect(sizeOf(below.shape)).toBe(sizeOf(source));
        below = below.inputs[0];
      }
    },
  );
  fc.assert(property, { seed: 3, numRuns: 300 });
});

/** The axis itself, with an axis of size 1 before or after it, or split in two. */
function splitOf(d: number, cut: number): number[] {
  return [[d], [1, d], [d, 1], d === 4 ? [2, 2] : [d]][cut] as number[];
}

it('slices, pads, flips, joins and extremes of copies equal jax-js', async () => {
  const trials = (['float32', 'float64'] as const).map((dtype) => ({
    inputs: [draws('x', [2, 1, 3, 1], dtype), draws('y', [2, 1, 3, 4], dtype)],
    apply: ({ numpy: np }: Jax, x: JaxArray, y: JaxArray) => {
      const copies = (v: JaxArray): JaxArray => np.broadcastTo(v, [2, 5, 3, 4]);
      const pads = (a: number, b: number): [number, number][] => [
        [0, a],
        [b, 0],
        [a, 0],
        [0, b],
      ];
      return [
        copies(x.ref).slice([1, 2], [2, 4], [], [0, 3]),
        copies(y.ref).slice([], [2, 4], [1, 3], [1, 3]),
        np.pad(copies(x.ref), pads(0, 1)),
        np.pad(copies(x.ref), pads(2, 0)),
        np.flip(copies(x.ref), [1, 2]),
        np.flip(copies(y.ref), [1, 3]),
        np.concatenate(
          [
            copies(x.ref),
            copies(y.ref),
            np.ones([2, 5, 3, 4], { dtype: dtype === 'float64' ? np.float64 : np.float32 }),
          ],
          2,
        ),
        np.concatenate([copies(x.ref), copies(y.ref)], 1),
        np.max(copies(x.ref), [1, 2]),
        np.min(copies(x.ref), 3),
        np.prod(copies(x.ref), [1, 2]),
        np.sum(copies(y), 2),
        np.einsum('abc,adc->abd', copies(x.ref).reshape([2, 5, 12]), copies(x).reshape([2, 5, 12])),
      ];
    },
  }));
  await expectAgreement(trials, 64);
});
