import type { Rate } from '../../../src/analysis/copying/interval.ts';
import claims from '../../../repro/memorization/claims.json';

/** Channels of the two networks of the curve: 8-16 and 16-32. */
export type Width = 'narrow' | 'wide';

/** Noise levels at which the gap was measured, ascending. */
export const gapSigmas = ['0.1', '0.3', '1', '3', '10'] as const;

/** One network of the curve, trained on `size` images. */
export interface CurvePoint {
  readonly size: number;
  readonly width: Width;
  /** GL: 1 less the part of samples that are copies. */
  readonly generalization: Rate;
  /** Part of samples at cosine above 0.95 with a training image. */
  readonly close: Rate;
  /** RP of two networks of this width that share no training image. */
  readonly halves: Rate;
  /** PSNR of training images over that of held-out ones, dB, by noise level. */
  readonly gap: Readonly<Record<(typeof gapSigmas)[number], number>>;
  /** Samples by their cosine with the nearest training image, in the bins of `cosineEdges`. */
  readonly counts: readonly number[];
}

const { curve, chance: byChance, settings } = claims.values;
const names: Readonly<Record<string, Width>> = { '8-16': 'narrow', '16-32': 'wide' };

/** Numbers of training images that were measured, ascending. */
export const sizes: readonly number[] = settings.sizes;

/** Every network of the curve, as `eigenlens reproduce memorization-curve` measured it. */
export const points: readonly CurvePoint[] = curve.points.map((point) => ({
  size: point.size,
  width: names[point.width] as Width,
  generalization: point.generalization,
  close: point.memorizationPeak,
  halves: point.acrossParts,
  gap: point.gap,
  counts: point.counts,
}));

/** RP of the two widths trained on the same images. */
export const acrossWidths: readonly { readonly size: number; readonly rate: Rate }[] = curve.acrossWidths;

/** Part of held-out images at cosine above 0.95 with one of so many training images. */
export const chance: readonly { readonly size: number; readonly share: number }[] = byChance;

/** Cosine above which two samples count as the same. */
export const sameAbove: number = curve.threshold;

/** [bins + 1], from -1 to 1. */
export const cosineEdges: readonly number[] = curve.edges;

/** The network of that width trained on so many images. */
export function pointAt(size: number, width: Width): CurvePoint {
  return points.find((point) => point.size === size && point.width === width) as CurvePoint;
}
