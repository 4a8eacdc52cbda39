import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, permutation, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Points of a union of random subspaces with the subspace of each. */
export interface UnionOfSubspaces {
  /** [K * perCluster, n], in random order. */
  readonly points: Tensor<'float64'>;
  readonly labels: Int32Array;
  /** [d, n] each, orthonormal rows. */
  readonly bases: readonly Tensor<'float64'>[];
}

/**
 * Noise-free points on K random d-dimensional subspaces of R^n, standard normal inside each; with probability one the subspaces are
 * independent where K d <= n.
 * @param perCluster  points of each subspace
 * @throws as `orthonormalRows` and `tensor` on sizes that are no whole numbers >= 1
 */
export function unionOfSubspaces(
  { K, d, n, perCluster }: { readonly K: number; readonly d: number; readonly n: number; readonly perCluster: number },
  seed: number,
): UnionOfSubspaces {
  const bases = Array.from({ length: K }, (_, k) => orthonormalRows(normal(randomKey(seed, 'basis', k), [d, n])).q);
  const order = permutation(randomKey(seed, 'order'), K * perCluster);
  const points = tensor('float64', [K * perCluster, n], new Float64Array(K * perCluster * n));
  const labels = new Int32Array(K * perCluster);
  bases.forEach((basis, k) => {
    const drawn = matmul(normal(randomKey(seed, 'points', k), [perCluster, d]), basis);
    for (let i = 0; i < perCluster; i++) {
      const to = order[k * perCluster + i] as number;
      points.data.set(slice(drawn, i, i + 1).data, to * n);
      labels[to] = k;
    }
  });
  return { points, labels, bases };
}
