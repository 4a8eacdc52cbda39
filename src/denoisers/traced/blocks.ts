/** A run of rows that one graph computes. */
export interface Block {
  readonly start: number;
  readonly end: number;
  /** Size of the graph that runs it, at least end - start. */
  readonly size: number;
}

/** Cuts `count` rows into blocks: the largest size that is filled, then for the rest the smallest that holds it. */
export function cutBlocks(count: number, sizes: readonly number[]): Block[] {
  const descending = sizes.toSorted((a, b) => b - a);
  const blocks: Block[] = [];
  for (let start = 0; start < count;) {
    const left = count - start;
    const filled = descending.find((size) => size <= left && (size > 1 || left === 1));
    const size = filled ?? descending.findLast((s) => s >= left) ?? 1;
    const end = Math.min(count, start + size);
    blocks.push({ start, end, size });
    start = end;
  }
  return blocks;
}
