import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { ModelProtoSchema } from 'onnx-buf';
import { expect, it } from 'vitest';
import type { FloatDType } from '../../tensor/tensor.ts';
import type { Jax, Trial } from '../agreement.fixture.ts';
import { compiled, draws, expectAgreement } from '../agreement.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { loadJax } from '../jax.ts';
import { trace } from '../trace.ts';
import { lower } from './lower.ts';

type Shape = readonly number[];
type Apply = (jax: Jax, ...inputs: JaxArray[]) => JaxArray | JaxArray[];

const trialOf = (dtype: FloatDType, shapes: readonly Shape[], apply: Apply): Trial => ({
  inputs: shapes.map((shape, i) => draws(`operand ${i}`, shape, dtype)),
  apply,
});

/** Operators of the model that a function becomes, reshapes and the names of results left out. */
async function operators(shapes: readonly Shape[], apply: Apply): Promise<string[]> {
  const jax = await loadJax();
  const outputs = await trace(
    (...inputs) => apply(jax, ...inputs),
    shapes.map((shape) => ({ shape })),
  );
  const { graph } = fromBinary(ModelProtoSchema, lower(outputs).bytes);
  return (graph?.node ?? []).map((node) => node.opType).filter((name) => name !== 'Reshape' && name !== 'Identity');
}

const rowDot: Apply = ({ numpy: np }, a, b) => np.sum(a.mul(b), [-2, -1]);
const affine: Apply = (_, x, a, b) => x.mul(a).add(b);
const affineMinus: Apply = (_, x, a, b) => x.mul(a).sub(b);
const biased: Apply = ({ lax }, x, w, b) => lax.conv(x, w, [1, 1], 'SAME').add(b);
const softmax: Apply = ({ nn }, x) => nn.softmax(x, -1);

it('lower() gives one kernel to what one kernel computes', async () => {
  const full = [3, 4, 16, 16];
  expect(await operators([full, full], rowDot)).toEqual(['FusedMatMul']);
  expect(await operators([full, [4, 16, 16]], rowDot)).toEqual(['FusedMatMul']);
  expect(await operators([full, [3, 4, 1, 1], [3, 4, 1, 1]], affine)).toEqual(['BatchNormalization']);
  expect(await operators([full, [1, 4, 1, 1], [3, 1, 1, 1]], affine)).toEqual([
    'Expand',
    'Expand',
    'BatchNormalization',
  ]);
  expect(await operators([full, [4, 1, 1], [3, 4, 1, 1]], affineMinus)).toContain('BatchNormalization');
  expect(await operators([full, [5, 4, 3, 3], [5, 1, 1]], biased)).toEqual(['Conv']);
  expect(await operators([[2, 3, 7]], softmax)).toEqual(['Softmax']);
});

it('lower() keeps apart what is short, what is needed elsewhere and what only looks alike', async () => {
  const full = [3, 4, 16, 16];
  expect(await operators([[8, 4, 4], [8, 4, 4]], rowDot)).toEqual(['Mul', 'ReduceSum']); // prettier-ignore
  const both: Apply = (jax, a, b) => {
    const product = a.mul(b);
    return [product.ref, jax.numpy.sum(product, [-2, -1])];
  };
  expect(await operators([full, full], both)).toEqual(['Mul', 'ReduceSum']);
  // Coefficients along the last axis, and a sum over an outer one.
  expect(await operators([full, [16], [16]], affine)).toEqual(['Mul', 'Add']);
  const outer: Apply = ({ numpy: np }, a, b) => np.sum(a.mul(b), 0);
  expect(await operators([full, full], outer)).toEqual(['Mul', 'ReduceSum']);
  const weighted: Apply = ({ numpy: np }, x) => {
    const e = np.exp(x.ref.sub(np.max(x, 1, { keepdims: true })));
    return e.ref.mul(np.reciprocal(np.sum(e, -1, { keepdims: true })));
  };
  expect(await operators([[2, 3, 7]], weighted)).not.toContain('Softmax');
});

it('lower() of fused kernels computes what jax-js computes, for random shapes and ways to broadcast', async () => {
  const size = fc.integer({ min: 1, max: 3 });
  const leads = fc.tuple(size, size, fc.constantFrom(16, 17), fc.constantFrom(1, 16, 20));
  const masks = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
  const property = fc.asyncProperty(leads, masks, masks, async (shape, one, other) => {
    const masked = (mask: boolean[], to = 2): number[] => shape.map((d, i) => (i >= to || mask[i] ? 1 : d));
    const trials = (['float32', 'float64'] as const).flatMap((dtype) => [
      trialOf(dtype, [shape, masked(one)], rowDot),
      trialOf(dtype, [shape, shape.map((d, i) => (i < 2 && one[i] ? 1 : d))], rowDot),
      trialOf(dtype, [shape, masked(one), masked(other)], affine),
      trialOf(dtype, [shape, masked(one, 3), masked(other)], affineMinus),
      trialOf(dtype, [masked(one), shape, masked(other)], affine),
      // jax-js's exp has float32 precision in float64 too: that is left to the closed form below.
      ...(dtype === 'float32' ? [trialOf(dtype, [shape], softmax)] : []),
    ]);
    // Sums of up to 340 products.
    await expectAgreement(trials, 128);
  });
  await fc.assert(property, { seed: 4, numRuns: 12 });
});

it('lower() of a convolution with its bias as an argument equals jax-js, bias shared or not', async () => {
  const shapes = [[2, 3, 6, 5], [4, 3, 3, 3]]; // prettier-ignore
  const twice: Apply = (jax, x, w, b) => {
    const y = jax.lax.conv(x, w, [1, 1], 'SAME');
    return [y.ref.add(b.ref), y.mul(b)];
  };
  const trials = (['float32', 'float64'] as const).flatMap((dtype) => [
    trialOf(dtype, [...shapes, [4, 1, 1]], biased),
    trialOf(dtype, [...shapes, [1, 4, 1, 1]], twice),
    trialOf(dtype, [...shapes, [2, 4, 1, 1]], biased),
    trialOf(dtype, [...shapes, []], biased),
  ]);
  await expectAgreement(trials, 64);
});

it('lower() of softmax is finite for large arguments and keeps its derivatives', async () => {
  const apply: Apply = (jax, x, t) => {
    const far = (v: JaxArray): JaxArray => jax.nn.softmax(v.mul(100), -1);
    const [y, dy] = jax.jvp(far, [x.ref], [t.ref]);
    const [z, pull] = jax.vjp(far, [x.ref]);
    z.dispose();
    return [y, dy, (pull as (u: JaxArray) => [JaxArray])(t)[0], far(x)];
  };
  // Slopes of 100 times probabilities: rounding of the argument, 100 eps, is multiplied by 100.
  await expectAgreement([trialOf('float32', [[3, 5, 9], [3, 5, 9]], apply)], 2 ** 10); // prettier-ignore
});

it('lower() of softmax in float64 is exp(x) over its sum', async () => {
  const trial = trialOf('float64', [[4, 11]], softmax);
  const [x] = trial.inputs;
  const [y] = await compiled(trial);
  for (let row = 0; row < 4; row++) {
    const powers = Array.from(x?.data.subarray(11 * row, 11 * row + 11) ?? [], Math.exp);
    const sum = powers.reduce((a, b) => a + b);
    // One exp, a sum of 11 and a quotient.
    powers.forEach((e, i) => expect(Math.abs((y?.data[11 * row + i] as number) - e / sum)).toBeLessThan(32 * 2 ** -52));
  }
});
