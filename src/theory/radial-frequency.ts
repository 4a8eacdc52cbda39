import { ShapeError } from '../errors/errors.ts';
import { showShape, sizeOf } from '../tensor/tensor.ts';

/**
 * Mean spatial frequency of an image, weighted by its Fourier energy.
 * @param image  flat [C, H, W]
 * @param shape  [C, H, W]
 * @returns cycles per pixel, 0 for a constant image to sqrt(1/2) for a chequerboard; NaN for an image of zeros
 * @throws ShapeError if the shape is not that of an image or the sizes disagree
 * @precision a few eps of the largest frequency times H + W
 */
export function meanRadialFrequency(image: ArrayLike<number>, shape: readonly number[]): number {
  const [channels = 0, height = 0, width = 0] = shape;
  if (shape.length !== 3 || sizeOf(shape) !== image.length || image.length === 0) {
    throw new ShapeError('meanRadialFrequency', `expected a flat image of shape ${showShape(shape)} = [C, H, W].`);
  }
  const [alongRows, alongColumns] = [waves(width), waves(height)];
  let energy = 0;
  let weighted = 0;
  for (let c = 0; c < channels; c++) {
    const pixels = Float64Array.from({ length: height * width }, (_, i) => image[c * height * width + i] as number);
    const powers = fourierPowers(pixels, height, width, alongRows, alongColumns);
    powers.forEach((power, i) => {
      const [y, x] = [folded(Math.floor(i / width), height), folded(i % width, width)];
      energy += power;
      weighted += power * Math.hypot(y, x);
    });
  }
  return weighted / energy;
}

interface Waves {
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

/** cos and sin of 2 pi i / n. */
function waves(n: number): Waves {
  const angle = (i: number): number => (2 * Math.PI * i) / n;
  return {
    cosines: Float64Array.from({ length: n }, (_, i) => Math.cos(angle(i))),
    sines: Float64Array.from({ length: n }, (_, i) => Math.sin(angle(i))),
  };
}

/** Squared moduli of the discrete Fourier transform, first along rows, then along columns: images are small. */
function fourierPowers(pixels: Float64Array, height: number, width: number, rows: Waves, columns: Waves): Float64Array {
  const real = new Float64Array(height * width);
  const imaginary = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < width; k++) {
      let [a, b] = [0, 0];
      for (let x = 0; x < width; x++) {
        const value = pixels[y * width + x] as number;
        a += value * (rows.cosines[(k * x) % width] as number);
        b -= value * (rows.sines[(k * x) % width] as number);
      }
      real[y * width + k] = a;
      imaginary[y * width + k] = b;
    }
  }
  const powers = new Float64Array(height * width);
  for (let l = 0; l < height; l++) {
    for (let k = 0; k < width; k++) {
      let [a, b] = [0, 0];
      for (let y = 0; y < height; y++) {
        const [cosine, sine] = [columns.cosines[(l * y) % height] as number, columns.sines[(l * y) % height] as number];
        const [re, im] = [real[y * width + k] as number, imaginary[y * width + k] as number];
        a += re * cosine + im * sine;
        b += im * cosine - re * sine;
      }
      powers[l * width + k] = a * a + b * b;
    }
  }
  return powers;
}

function folded(k: number, n: number): number {
  return Math.min(k, n - k) / n;
}
