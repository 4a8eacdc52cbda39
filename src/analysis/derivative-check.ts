import type { Denoiser } from '../denoisers/denoiser.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, reshape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** How well the derivatives of a denoiser agree with each other and with its values. */
export interface DerivativeCheck {
  /** |<u, J v> - <J^T u, v>| / (|J v| |u|) for random unit u, v: rounding where both products are of one Jacobian. */
  readonly adjointDefect: number;
  /** |J v - (D(x + h v) - D(x - h v)) / 2h| / |J v|: rounding of the differences, curvature and kinks. */
  readonly differenceDefect: number;
}

/**
 * Checks the products of a Jacobian at one point with one random vector each.
 * @param x  [...sampleShape], data units
 * @precision central differences in float32 that move each pixel by sigma / 100 hold three digits on smooth networks; where kinks lie
 *   within that step, one a tenth as long counts
 */
export async function checkDerivatives(
  denoiser: Denoiser,
  x: FloatTensor,
  sigma: number,
  seed: number = 0,
): Promise<DerivativeCheck> {
  const dimension = sizeOf(denoiser.sampleShape);
  const v = unitVector(seed, 'tangent', dimension);
  const u = unitVector(seed, 'cotangent', dimension);
  const op = denoiser.linearize(x, sigma);
  const [jv, jtu] = await Promise.all([op.apply(v), op.applyTranspose(u)]);
  const size = norm(jv.data);
  const defects: number[] = [];
  for (const share of [100, 1000]) {
    // A unit vector moves a pixel by 1 / sqrt(D): this step moves each by about sigma / share.
    const h = (sigma / share) * Math.sqrt(dimension);
    const moved = (sign: number): FloatTensor => {
      const data = Float64Array.from(x.data, (value, i) => value + sign * h * (v.data[i] as number));
      return castFloat(tensor('float64', [1, ...denoiser.sampleShape], data), denoiser.dtype) as FloatTensor;
    };
    const [plus, minus] = await Promise.all([denoiser.denoise(moved(1), sigma), denoiser.denoise(moved(-1), sigma)]);
    const residual = Float64Array.from(
      plus.data,
      (value, i) => (value - (minus.data[i] as number)) / (2 * h) - (jv.data[i] as number),
    );
    defects.push(norm(residual) / size);
  }
  return {
    adjointDefect: Math.abs(dot(u.data, jv.data) - dot(jtu.data, v.data)) / size,
    differenceDefect: Math.min(...defects),
  };
}

function unitVector(seed: number, name: string, dimension: number): Tensor<'float64'> {
  const z = normal(randomKey(seed, 'derivative-check', name), [dimension]);
  const length = norm(z.data);
  return reshape({ ...z, data: z.data.map((value) => value / length) }, [1, dimension]);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}
