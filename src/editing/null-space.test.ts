import { describe, expect, it } from 'vitest';

import { NumericalError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor } from '../tensor/tensor.ts';
import { withoutNullBlock } from './null-space.ts';

describe('withoutNullBlock()', () => {
  it('withoutNullBlock() leaves unit rows that are orthogonal to the block to rounding, even where little is left', () => {
    const { q } = orthonormalRows(normal(randomKey(2, 'rows'), [6, 40]));
    const block = slice(q, 0, 5);
    // Nearly within the block: 1e-5 of it points elsewhere.
    const near = tensor(
      'float64',
      [1, 40],
      q.data.slice(0, 40).map((v, i) => v + 1e-5 * (q.data[5 * 40 + i] as number)),
    );
    const { vectors, kept, orthogonality } = withoutNullBlock(near, block);
    expect(kept[0]).toBeCloseTo(1e-5, 9);
    expect(orthogonality).toBeLessThan(1e-14);
    const products = matmul(vectors, block, { transposeB: true });
    expect(Math.max(...products.data.map(Math.abs))).toBeLessThan(1e-14);
    expect(Math.hypot(...vectors.data)).toBeCloseTo(1, 14);
  });

  it('withoutNullBlock() without a block changes nothing, and refuses a direction that lies within it', () => {
    const { q } = orthonormalRows(normal(randomKey(2, 'rows'), [3, 10]));
    expect(withoutNullBlock(q, undefined)).toEqual({ vectors: q, kept: Float64Array.of(1, 1, 1), orthogonality: 0 });
    expect(() => withoutNullBlock(slice(q, 1, 2), q)).toThrow(NumericalError);
    expect(() => withoutNullBlock(slice(q, 1, 2), q)).toThrow(/direction 1 lies within the 3 leading/);
  });
});
