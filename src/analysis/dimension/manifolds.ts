import { DomainError } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey, uniform } from '../../tensor/random.ts';
import type { RandomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Shapes of known dimension that the estimators are checked on. */
export type ManifoldKind = 'subspace' | 'sphere' | 'torus' | 'swissRoll' | 'product';

/** What to draw. */
export interface ManifoldOptions {
  readonly kind: ManifoldKind;
  /** Of the shape; the Swiss roll has 2, the product of a sphere, a circle and a segment 4. */
  readonly dimension: number;
  /** Numbers in one sample. */
  readonly ambient: number;
  readonly count: number;
  /** Standard deviation of normal noise in every ambient direction, default 0. */
  readonly noise?: number;
  readonly seed: number;
}

type Draw = (key: (part: string) => RandomKey, d: number, count: number) => Tensor<'float64'>;

const draws: Readonly<Record<ManifoldKind, { readonly fixed?: number; readonly draw: Draw }>> = {
  subspace: { draw: (key, d, count) => normal(key('subspace'), [count, d]) },
  sphere: { draw: (key, d, count) => sphere(key('sphere'), d, count) },
  torus: { draw: (key, d, count) => circles(key('torus'), d, count) },
  swissRoll: { fixed: 2, draw: (key, _, count) => swissRoll(key('roll'), count) },
  product: {
    fixed: 4,
    draw: (key, _, count) =>
      beside(
        beside(sphere(key('sphere'), 2, count), circles(key('circle'), 1, count)),
        uniform(key('line'), [count, 1]),
      ),
  },
};

/**
 * Samples of a shape of known dimension in a randomly turned copy of it: standard normal points of a subspace, even ones of the unit sphere
 * S^d, of a product of d unit circles, of the Swiss roll, and of a product of sphere, circle and segment.
 * @returns [count, ambient]
 * @throws DomainError where the shape does not fit the ambient space, or has another dimension
 */
export function drawManifold({ kind, dimension, ambient, count, noise = 0, seed }: ManifoldOptions): Tensor<'float64'> {
  const { fixed, draw } = draws[kind];
  if (!Number.isInteger(dimension) || dimension < 1 || (fixed !== undefined && dimension !== fixed)) {
    throw new DomainError('drawManifold', `expected dimension ${fixed ?? '1 or more'} of ${kind}, got ${dimension}.`);
  }
  const x = draw((part) => randomKey(seed, 'manifold', part), dimension, count);
  const own = x.shape[1] as number;
  if (own > ambient) {
    throw new DomainError('drawManifold', `expected an ambient dimension of at least ${own}, got ${ambient}.`);
  }
  const frame = orthonormalRows(normal(randomKey(seed, 'manifold', 'frame'), [own, ambient])).q;
  const turned = matmul(x, frame);
  if (noise === 0) return turned;
  const z = normal(randomKey(seed, 'manifold', 'noise'), turned.shape).data;
  return tensor(
    'float64',
    turned.shape,
    turned.data.map((value, i) => value + noise * (z[i] as number)),
  );
}

function sphere(key: RandomKey, d: number, count: number): Tensor<'float64'> {
  const x = normal(key, [count, d + 1]);
  for (let i = 0; i < count; i++) {
    const row = x.data.subarray(i * (d + 1), (i + 1) * (d + 1));
    const norm = Math.hypot(...row);
    row.forEach((value, j) => (row[j] = value / norm));
  }
  return x;
}

function circles(key: RandomKey, d: number, count: number): Tensor<'float64'> {
  const angles = uniform(key, [count, d]).data;
  const data = new Float64Array(2 * count * d);
  angles.forEach((u, i) => data.set([Math.cos(2 * Math.PI * u), Math.sin(2 * Math.PI * u)], 2 * i));
  return tensor('float64', [count, 2 * d], data);
}

/** Tenenbaum, de Silva and Langford 2000: angle 3 pi / 2 to 9 pi / 2, height 21. */
function swissRoll(key: RandomKey, count: number): Tensor<'float64'> {
  const u = uniform(key, [count, 2]).data;
  const data = new Float64Array(3 * count);
  for (let i = 0; i < count; i++) {
    const t = 1.5 * Math.PI * (1 + 2 * (u[2 * i] as number));
    data.set([t * Math.cos(t), 21 * (u[2 * i + 1] as number), t * Math.sin(t)], 3 * i);
  }
  return tensor('float64', [count, 3], data);
}

function beside(a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> {
  const [count, m, n] = [a.shape[0] as number, a.shape[1] as number, b.shape[1] as number];
  const data = new Float64Array(count * (m + n));
  for (let i = 0; i < count; i++) {
    data.set(a.data.subarray(i * m, (i + 1) * m), i * (m + n));
    data.set(b.data.subarray(i * n, (i + 1) * n), i * (m + n) + m);
  }
  return tensor('float64', [count, m + n], data);
}
