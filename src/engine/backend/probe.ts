import { BackendError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { GraphBuilder } from '../builder.ts';
import { lower } from '../lower/lower.ts';
import type { LoweredModel } from '../lower/lower.ts';
import type { Backend } from './session.ts';

/** Side of the square image, and channels in and out. */
const [side, inputs, outputs] = [8, 2, 3];

/**
 * Largest error of a value over the largest value. In float32 the 18 + 8 + 1 products and sums behind a value stay below 27 x 2^-23 = 3e-6;
 * arithmetic that rounds operands to 10 bits (TF32), as graphics cards offer, misses by 1e-4.
 */
const tolerance = 1e-5;

/**
 * Whether a device really computes: a convolution, a matrix product and a sum in float32, all of them there, compared with float64.
 * @throws BackendError saying what differs, or with the runtime's message
 */
export async function proveBackend(backend: Backend): Promise<void> {
  const draw = (name: string, shape: readonly number[]): Tensor<'float32'> =>
    castFloat(normal(randomKey(0, 'probe', name), shape), 'float32');
  const [x, w] = [draw('x', [1, inputs, side, side]), draw('w', [outputs, inputs, 3, 3])];
  const [m, b] = [draw('m', [1, outputs, side, side]), draw('b', [1, outputs, 1, 1])];
  const model = probeModel(w, m, b);
  const names = { inputs: model.inputs.map((i) => i.name), outputs: model.outputs.map((o) => o.name) };
  await using session = await backend.createSession(model.bytes, names, { threads: 1, fallback: 'none' });
  const [got] = (await session.run([x])) as [Tensor];
  const wanted = expected(x.data, w.data, m.data, b.data);
  const scale = Math.max(...wanted.map(Math.abs));
  const error = Math.max(...wanted.map((v, i) => Math.abs(v - (got.data[i] ?? NaN)))) / scale;
  if (error <= tolerance) return;
  const found = `an error of ${error.toExponential(1)}`;
  throw new BackendError(
    backend.name,
    `expected float32 arithmetic, got ${found}. Update the driver, or use another device.`,
  );
}

/** conv(x, w) m + b. */
function probeModel(w: Tensor, m: Tensor, b: Tensor): LoweredModel {
  const g = new GraphBuilder();
  const shape = [1, outputs, side, side];
  const around = [1, 1] as const;
  const image = g.input(0, [1, inputs, side, side], 'float32', false);
  const kernel = { strides: [1, 1], pads: [around, around], dilations: [1, 1], group: 1 };
  const convolved = g.node('conv', [image, g.constant(w, 'float32')], kernel, shape, 'float32');
  const plain = { transposeA: false, transposeB: false };
  const product = g.node('matmul', [convolved, g.constant(m, 'float32')], plain, shape, 'float32');
  return lower([g.node('add', [product, g.constant(b, 'float32')], null, shape, 'float32')]);
}

/** The same in float64, written out. */
function expected(x: Float32Array, w: Float32Array, m: Float32Array, b: Float32Array): number[] {
  const at = (c: number, i: number, j: number): number =>
    i < 0 || j < 0 || i >= side || j >= side ? 0 : (x[(c * side + i) * side + j] as number);
  const convolved = (o: number, i: number, j: number): number => {
    let sum = 0;
    for (let c = 0; c < inputs; c++) {
      for (let k = 0; k < 9; k++) {
        const weight = w[(o * inputs + c) * 9 + k] as number;
        sum += weight * at(c, i + Math.floor(k / 3) - 1, j + (k % 3) - 1);
      }
    }
    return sum;
  };
  return Array.from({ length: outputs * side * side }, (_, n) => {
    const [o, i, j] = [Math.floor(n / side ** 2), Math.floor(n / side) % side, n % side];
    let sum = b[o] as number;
    for (let k = 0; k < side; k++) sum += convolved(o, i, k) * (m[(o * side + k) * side + j] as number);
    return sum;
  });
}
