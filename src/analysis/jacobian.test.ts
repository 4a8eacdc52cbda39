import { describe, expect, test } from 'vitest';
import { CancelledError } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { computeJacobian } from './jacobian.ts';
import { estimateSymmetryDefect, symmetryDefect } from './symmetry.ts';

/** The operator of a matrix [rows, columns], by definition. */
function operatorOf(matrix: Tensor<'float64'>, onApply: (count: number) => void = () => undefined): LinearOperator {
  const [rows = 0, columns = 0] = matrix.shape;
  const at = (i: number, j: number): number => matrix.data[i * columns + j] as number;
  const product = (v: FloatTensor, size: number, entry: (i: number, j: number) => number): Promise<FloatTensor> => {
    const [count = 0, width = 0] = v.shape;
    const out = zeros('float64', [count, size]);
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < size; i++) {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += entry(i, j) * (v.data[k * width + j] as number);
        out.data[k * size + i] = sum;
      }
    }
    return Promise.resolve(out);
  };
  return {
    rows,
    columns,
    epsilon: Number.EPSILON,
    apply: (v) => {
      onApply(v.shape[0] as number);
      return product(v, rows, at);
    },
    applyTranspose: (u) => product(u, columns, (i, j) => at(j, i)),
  };
}

const matrix = normal(randomKey(1, 'jacobian'), [5, 7]);

describe('computeJacobian()', () => {
  test('computeJacobian() gives back the matrix of an operator bit for bit, at any block size, by rows and by columns', async () => {
    for (const blockSize of [1, 3, 7, 16]) {
      for (const by of ['rows', 'columns'] as const) {
        const jacobian = await computeJacobian(operatorOf(matrix), { blockSize, by });
        expect(jacobian.shape).toEqual([5, 7]);
        expect(jacobian.data).toEqual(matrix.data);
      }
    }
  });

  test('computeJacobian() asks for ceil(n / block) products and tells its progress column by column', async () => {
    const sizes: number[] = [];
    const progress: number[] = [];
    await computeJacobian(
      operatorOf(matrix, (count) => sizes.push(count)),
      { blockSize: 3, by: 'columns', onProgress: (done, total) => progress.push(done, total) },
    );
    expect(sizes).toEqual([3, 3, 1]);
    expect(progress).toEqual([3, 7, 6, 7, 7, 7]);
  });

  test('computeJacobian() stops between products when it is aborted', async () => {
    const controller = new AbortController();
    let products = 0;
    const op = operatorOf(matrix, () => {
      products++;
      controller.abort();
    });
    const work = computeJacobian(op, { blockSize: 1, inFlight: 1, by: 'columns', signal: controller.signal });
    await expect(work).rejects.toThrow(CancelledError);
    expect(products).toBe(1);
  });

  test('computeJacobian() hears an interrupt though every product is there at once', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 0);
    const work = computeJacobian(operatorOf(matrix), { blockSize: 1, signal: controller.signal });
    await expect(work).rejects.toThrow(CancelledError);
  });

  test('computeJacobian() reports a failing product once no other is under way', async () => {
    let running = 0;
    const broken = operatorOf(matrix);
    const op: LinearOperator = {
      ...broken,
      async apply(v) {
        running++;
        await new Promise((resolve) => setTimeout(resolve, running));
        running--;
        if ((v.data[1] as number) === 1) throw new RangeError('product 1');
        return broken.apply(v);
      },
    };
    await expect(computeJacobian(op, { blockSize: 1, inFlight: 3, by: 'columns' })).rejects.toThrow('product 1');
    expect(running).toBe(0);
  });

  test('computeJacobian() takes float32 products', async () => {
    const double = operatorOf(matrix);
    const op = { ...double, apply: async (v: FloatTensor) => castFloat(await double.apply(v), 'float32') };
    expect((await computeJacobian(op, { by: 'columns' })).data).toEqual(Float64Array.from(matrix.data, Math.fround));
  });
});

describe('symmetryDefect()', () => {
  test('symmetryDefect() is 0 for symmetric, 2 for antisymmetric and sqrt(2) for a shift', () => {
    const a = (...data: number[]): Tensor<'float64'> => tensor('float64', [2, 2], Float64Array.from(data));
    expect(symmetryDefect(a(1, 5, 5, -3))).toBe(0);
    expect(symmetryDefect(a(0, 4, -4, 0))).toBe(2);
    expect(symmetryDefect(a(0, 1, 0, 0))).toBe(Math.SQRT2);
    expect(symmetryDefect(a(0, 0, 0, 0))).toBe(0);
    expect(() => symmetryDefect(matrix)).toThrow('symmetryDefect');
  });
});

describe('estimateSymmetryDefect()', () => {
  test('estimateSymmetryDefect() holds the exact defect in its 95 % interval for about 95 % of seeds', async () => {
    const square = normal(randomKey(2, 'square'), [12, 12]);
    const exact = symmetryDefect(square);
    let held = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { value, interval, probes } = await estimateSymmetryDefect(operatorOf(square), { seed });
      expect(probes).toBe(32);
      expect(interval[0] <= value && value <= interval[1]).toBe(true);
      if (interval[0] <= exact && exact <= interval[1]) held++;
    }
    // Binomial(60, 0.95): 57 +- 1.7; five standard deviations below.
    expect(held).toBeGreaterThanOrEqual(48);
  });

  test('estimateSymmetryDefect() of a symmetric and of the zero operator is exactly 0', async () => {
    const symmetric = tensor('float64', [2, 2], Float64Array.of(2, 1, 1, 2));
    for (const a of [symmetric, zeros('float64', [2, 2])]) {
      expect(await estimateSymmetryDefect(operatorOf(a), { seed: 1 })).toEqual({
        value: 0,
        interval: [0, 0],
        probes: 32,
      });
    }
  });
});
