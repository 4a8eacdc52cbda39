import type { CurvePlace } from './curve.ts';

/** A sweep of `generalization` jobs as a file would say it, and where each of its jobs stands on the curve, in the same order. */
export interface CurveSweep {
  readonly input: {
    readonly job: 'generalization';
    readonly name: string;
    readonly base: Readonly<Record<string, unknown>>;
    readonly cases: readonly Readonly<Record<string, unknown>>[];
  };
  readonly places: readonly CurvePlace[];
}

/** Sizes, widths and settings of one curve. */
export interface CurveSettings {
  readonly name: string;
  readonly sizes: readonly number[];
  /** Channels of each network, from narrow to wide. */
  readonly widths: readonly (readonly number[])[];
  /** First places, in the shuffled order of `fashion-train`, of disjoint parts of it. */
  readonly parts: readonly number[];
  readonly base: Readonly<Record<string, unknown>>;
}

/** U-Nets of two widths on two disjoint halves of the shipped images at 14 x 14. */
export const fullCurve: CurveSettings = {
  name: 'memorization-curve',
  sizes: [16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
  widths: [
    [8, 16],
    [16, 32],
  ],
  parts: [0, 4500],
  base: {
    imageSize: 14,
    attention: false,
    steps: 4000,
    batchSize: 32,
    learningRate: 0.003,
    noiseMean: -0.4,
    emaHalfLife: 10_000,
  },
};

/** The same in seconds: perceptrons of one width, wider than the images have pixels, at the two ends. */
export const tinyCurve: CurveSettings = {
  name: 'memorization-curve-tiny',
  sizes: [4, 256],
  widths: [[112]],
  parts: [0, 4500],
  base: {
    imageSize: 6,
    architecture: 'mlp',
    depth: 1,
    steps: 1500,
    batchSize: 32,
    learningRate: 0.005,
    noiseMean: -0.4,
    emaHalfLife: 1000,
    warmup: 20,
    samples: 64,
    images: 32,
  },
};

/** The jobs of a curve. Sets nest in the larger ones of their part, and models of one set differ in width alone. */
export function curveSweep({ name, sizes, widths, parts, base }: CurveSettings): CurveSweep {
  const jobs = sizes.flatMap((size) =>
    parts.flatMap((start, part) =>
      widths.map((channels) => ({
        place: { size, width: channels.join('-'), part },
        fields: { data: `fashion-train:${start}-${start + size}`, channels, seed: part },
      })),
    ),
  );
  return {
    input: { job: 'generalization', name, base, cases: jobs.map(({ fields }) => fields) },
    places: jobs.map(({ place }) => place),
  };
}
