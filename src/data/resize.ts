import type { Pixels } from './images.ts';

/**
 * Cuts the largest centred part of the wanted proportions and averages it down by area (box filter).
 * Where the wanted size is larger, the same rule repeats pixels.
 */
export function cropAndResize(image: Pixels, width: number, height: number): Pixels {
  if (image.width === width && image.height === height) return image;
  const scale = Math.min(image.width / width, image.height / height);
  const across = boxWeights(image.width, width, scale);
  const down = boxWeights(image.height, height, scale);
  const { channels } = image;
  const narrow = new Float64Array(image.height * width * channels);
  for (let y = 0; y < image.height; y++) {
    across.forEach((taps, x) => {
      for (const [from, weight] of taps) {
        for (let c = 0; c < channels; c++) {
          const value = image.data[(y * image.width + from) * channels + c] as number;
          const at = (y * width + x) * channels + c;
          narrow[at] = (narrow[at] as number) + weight * value;
        }
      }
    });
  }
  const out = new Float64Array(height * width * channels);
  const line = width * channels;
  down.forEach((taps, y) => {
    for (const [from, weight] of taps) {
      for (let i = 0; i < line; i++) {
        out[y * line + i] = (out[y * line + i] as number) + weight * (narrow[from * line + i] as number);
      }
    }
  });
  return { ...image, width, height, data: Float32Array.from(out) };
}

/** For each of `to` output pixels, the input pixels under its box and their shares, which add up to 1. */
function boxWeights(from: number, to: number, scale: number): [index: number, weight: number][][] {
  const offset = (from - to * scale) / 2;
  return Array.from({ length: to }, (_, i) => {
    const [low, high] = [offset + i * scale, offset + (i + 1) * scale];
    const taps: [number, number][] = [];
    for (let j = Math.max(0, Math.floor(low)); j < Math.min(from, Math.ceil(high)); j++) {
      const overlap = Math.min(high, j + 1) - Math.max(low, j);
      if (overlap > 0) taps.push([j, overlap / scale]);
    }
    return taps;
  });
}
