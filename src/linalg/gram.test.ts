import { describe, expect, it } from 'vitest';
import { normal, randomKey } from '../tensor/random.ts';
import { gramKernel } from './gram.ts';
import { matmul } from './matmul.ts';

describe('gramKernel', () => {
  // One strip, strips of 112 with a rest, and a rest of one.
  it.each([
    [3, 5],
    [112, 7],
    [225, 20],
  ])('gramKernel.add() adds A A^T below the diagonal for A [%i, %i]', (D, K) => {
    const a = normal(randomKey(1, D), [D, K]);
    const expected = matmul(a, a, { transposeB: true }).data;
    const scatter = new Float64Array(D * D).fill(1);
    gramKernel.add(a.data, D, K, scatter);
    for (let i = 0; i < D; i++) {
      for (let j = 0; j <= i; j++) {
        const error = Math.abs((scatter[i * D + j] as number) - 1 - (expected[i * D + j] as number));
        expect(error).toBeLessThan(4 * K * Number.EPSILON);
      }
    }
  });
});
