import type { GraphBuilder } from '../builder.ts';
import type { GraphNode } from '../graph.ts';
import { add } from './elementwise.ts';
import { concatenate, pad, reshape, slice } from './movement.ts';

interface Windows {
  /** Axes before the pooled ones. */
  readonly lead: number;
  readonly outer: readonly number[];
  readonly offsets: readonly (readonly number[])[];
}

function windowsOf(shape: readonly number[], window: readonly number[], strides: readonly number[]): Windows {
  const lead = shape.length - window.length;
  const outer = window.map((k, i) => Math.floor(((shape[lead + i] as number) - k) / (strides[i] as number)) + 1);
  let offsets: number[][] = [[]];
  for (const k of window) offsets = offsets.flatMap((o) => Array.from({ length: k }, (_, j) => [...o, j]));
  return { lead, outer, offsets };
}

/** All windows of the trailing axes: [..., H, W] to [..., outH, outW, kH, kW]; equal non-overlapping windows are a reshape away. */
export function pool(g: GraphBuilder, x: GraphNode, window: readonly number[], strides: readonly number[]): GraphNode {
  const { lead, outer, offsets } = windowsOf(x.shape, window, strides);
  const head = x.shape.slice(0, lead);
  const parts = offsets.map((offset) => {
    const starts = x.shape.map((_, i) => (i < lead ? 0 : (offset[i - lead] as number)));
    const steps = x.shape.map((_, i) => (i < lead ? 1 : (strides[i - lead] as number)));
    const ends = x.shape.map((d, i) =>
      i < lead ? d : (starts[i] as number) + ((outer[i - lead] as number) - 1) * (steps[i] as number) + 1,
    );
    return reshape(g, slice(g, x, starts, ends, steps), [...head, ...outer, 1]);
  });
  return reshape(g, concatenate(g, parts, lead + window.length), [...head, ...outer, ...window]);
}

/** Adjoint of `pool`: the windows added back into their places. */
export function poolTranspose(
  g: GraphBuilder,
  x: GraphNode,
  inShape: readonly number[],
  window: readonly number[],
  strides: readonly number[],
): GraphNode {
  const { lead, outer, offsets } = windowsOf(inShape, window, strides);
  const head = inShape.slice(0, lead);
  const flat = reshape(g, x, [...head, ...outer, offsets.length]);
  const last = flat.shape.length - 1;
  return offsets
    .map((offset, k) => {
      const starts = flat.shape.map((_, i) => (i === last ? k : 0));
      const ends = flat.shape.map((d, i) => (i === last ? k + 1 : d));
      const part = reshape(g, slice(g, flat, starts, ends), [...head, ...outer]);
      const spread = spreadOut(g, part, lead, strides);
      const widths = inShape.map((d, i) =>
        i < lead
          ? ([0, 0] as const)
          : ([offset[i - lead] as number, d - (spread.shape[i] as number) - (offset[i - lead] as number)] as const),
      );
      return pad(g, spread, widths);
    })
    .reduce((a, b) => add(g, a, b));
}

/** Puts `stride - 1` zeros between neighbours along the trailing axes. */
function spreadOut(g: GraphBuilder, x: GraphNode, lead: number, strides: readonly number[]): GraphNode {
  if (strides.every((s) => s === 1)) return x;
  const head = x.shape.slice(0, lead);
  const sizes = x.shape.slice(lead);
  const split = reshape(g, x, [...head, ...sizes.flatMap((d) => [d, 1])]);
  const widths = split.shape.map((_, i) =>
    i >= lead && (i - lead) % 2 === 1 ? ([0, (strides[(i - lead - 1) / 2] as number) - 1] as const) : ([0, 0] as const),
  );
  const merged = reshape(g, pad(g, split, widths), [...head, ...sizes.map((d, i) => d * (strides[i] as number))]);
  const ends = merged.shape.map((d, i) => (i < lead ? d : d - (strides[i - lead] as number) + 1));
  return slice(
    g,
    merged,
    ends.map(() => 0),
    ends,
  );
}
