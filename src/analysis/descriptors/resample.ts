/** For each output place, the input places that it averages and their shares, which add up to 1. */
type Weights = readonly (readonly (readonly [index: number, weight: number])[])[];

/**
 * Images at another size, by linear interpolation between pixel centres; where they shrink, the triangle widens to cover what it skips.
 * The image is stretched, not cut.
 * @param planes  [count, height, width] flat
 * @returns [count, target height, target width] flat
 * @precision float64 sums, rounded once; constant images stay constant
 * @source the filter of Pillow's and torchvision's antialiased bilinear resize
 */
export function resample(
  planes: Float32Array,
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): Float32Array {
  if (height === toHeight && width === toWidth) return planes;
  const [down, across] = [triangleWeights(height, toHeight), triangleWeights(width, toWidth)];
  const count = planes.length / (height * width);
  const out = new Float32Array(count * toHeight * toWidth);
  const narrow = new Float64Array(height * toWidth);
  for (let plane = 0; plane < count; plane++) {
    const from = plane * height * width;
    for (let y = 0; y < height; y++) {
      across.forEach((taps, x) => {
        let sum = 0;
        for (const [i, weight] of taps) sum += weight * (planes[from + y * width + i] as number);
        narrow[y * toWidth + x] = sum;
      });
    }
    const to = plane * toHeight * toWidth;
    down.forEach((taps, y) => {
      for (let x = 0; x < toWidth; x++) {
        let sum = 0;
        for (const [i, weight] of taps) sum += weight * (narrow[i * toWidth + x] as number);
        out[to + y * toWidth + x] = sum;
      }
    });
  }
  return out;
}

function triangleWeights(from: number, to: number): Weights {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const taps: [number, number][] = [];
    for (let j = Math.max(0, Math.ceil(centre - reach)); j <= Math.min(from - 1, Math.floor(centre + reach)); j++) {
      const weight = 1 - Math.abs(j - centre) / reach;
      if (weight > 0) taps.push([j, weight]);
    }
    const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
    return taps.map(([j, weight]) => [j, weight / total] as const);
  });
}
