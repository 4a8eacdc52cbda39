/**
 * The middle of some numbers, the mean of both middles where they are even in number.
 * @returns undefined for none
 */
export function median(values: Iterable<number>): number | undefined {
  const sorted = Float64Array.from(values).sort();
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
