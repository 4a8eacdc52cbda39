import type { EnergyRuleName } from '../analysis/rank.ts';
import type { InspectArrays, InspectPoint, InspectResult } from '../experiments/inspect-result.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';

/** N(mean, V^T diag(values) V + tail (I - V^T V)): what the synthetic inspection looks at. */
export interface GaussianSource {
  readonly sampleShape: readonly number[];
  readonly mean: Float64Array;
  /** R leading variances, descending. */
  readonly values: readonly number[];
  /** R orthonormal rows. */
  readonly vectors: readonly Float64Array[];
  /** Variance of all other directions. */
  readonly tail: number;
  /** Clean samples that stand for held-out ones; drawn where absent. */
  readonly heldout?: readonly Float64Array[];
}

/** Cosine modes with variances falling as 1 / index^2: smooth bumps on a grid of `side` x `side`, one channel. */
export function cosineSource(side: number, modes: number): GaussianSource {
  const pairs = Array.from({ length: modes }, (_, i) => [Math.floor(i / 4), i % 4] as const);
  const vectors = pairs.map(([a, b]) => {
    const v = Float64Array.from({ length: side * side }, (_, p) => {
      const [y, x] = [Math.floor(p / side), p % side];
      return Math.cos((Math.PI * a * (y + 0.5)) / side) * Math.cos((Math.PI * b * (x + 0.5)) / side);
    });
    const norm = Math.hypot(...v);
    return v.map((value) => value / norm);
  });
  const values = vectors.map((_, i) => 20 / (i + 1) ** 2);
  return { sampleShape: [1, side, side], mean: new Float64Array(side * side), values, vectors, tail: 1e-3 };
}

/** Variance 1 along the first `rank` of `dimension` axes and almost none along the others: rank ratio rank / dimension at every noise level. */
export function axesSource(dimension: number, rank: number): GaussianSource {
  const vectors = Array.from({ length: 2 * rank }, (_, k) =>
    Float64Array.from({ length: dimension }, (_, i) => Number(i === k)),
  );
  const values = vectors.map((_, k) => (k < rank ? 1 : 1e-9));
  return { sampleShape: [dimension], mean: new Float64Array(dimension), values, vectors, tail: 1e-9 };
}

/** A complete result of `inspect` for the optimal denoiser of a Gaussian, in closed form: what figures and the page are tried on. */
export function gaussianInspect(
  source: GaussianSource,
  sizes = { levels: 12, kept: 8, samples: 16, images: 2 },
): { result: InspectResult; arrays: InspectArrays } {
  const { sampleShape, mean, values, vectors, tail } = source;
  const { levels: L, kept: K, samples: M, images: I } = sizes;
  const D = mean.length;
  const sigmas = edmLevels(L);
  const filter = (z: Float64Array, offset: Float64Array, g: (variance: number) => number): Float64Array =>
    filterAlong(source, z, offset, g);
  const denoise = (x: Float64Array, sigma: number): Float64Array => filter(x, mean, (l) => l / (l + sigma ** 2));
  const draw = (name: string, i: number): Float64Array => normal(randomKey(1, name, i), [D]).data;
  const origin = new Float64Array(D);
  const clean = Array.from({ length: I }, (_, i) => source.heldout?.[i] ?? filter(draw('clean', i), origin, Math.sqrt));
  const noisy = sigmas.map((s, l) => clean.map((x, i) => draw(`noise${l}`, i).map((n, p) => (x[p] as number) + s * n)));
  const start = draw('start', 0);
  const states = sigmas.map((s) => filter(start, origin, (l) => Math.sqrt(l + s ** 2)));
  const spectrum = (s: number): Float64Array =>
    Float64Array.from({ length: D }, (_, i) => (values[i] ?? tail) / ((values[i] ?? tail) + s ** 2));
  const left = (images: number): Tensor<'float64'> =>
    stack(
      Array.from({ length: L * images * K }, (_, n) => vectors[n % K] as Float64Array),
      [L, images, K, D],
    );
  const spectra = (images: number): Tensor<'float64'> =>
    stack(
      sigmas.flatMap((s) => Array.from({ length: images }, () => spectrum(s))),
      [L, images, D],
    );
  const arrays: InspectArrays = {
    sigmas: tensor('float64', [L], Float64Array.from(sigmas)),
    heldout: stack(clean, [I, ...sampleShape]),
    noisy: stack(noisy.flat(), [L, I, ...sampleShape]),
    denoised: stack(
      noisy.flatMap((row, l) => row.map((x) => denoise(x, sigmas[l] as number))),
      [L, I, ...sampleShape],
    ),
    spectra_heldout: spectra(I),
    spectra_trajectory: spectra(1),
    left_heldout: left(I),
    right_heldout: left(I),
    left_trajectory: left(1),
    right_trajectory: left(1),
    trajectory_sigmas: tensor('float64', [L], Float64Array.from(sigmas)),
    trajectory_x: stack(states, [L, ...sampleShape]),
    trajectory_denoised: stack(
      states.map((x, l) => denoise(x, sigmas[l] as number)),
      [L, ...sampleShape],
    ),
    samples: stack(
      Array.from({ length: M }, (_, m) => filter(draw('sample', m), origin, Math.sqrt)),
      [M, ...sampleShape],
    ),
  };
  return { result: { ...rows(sigmas, I, K, D, spectrum), sampleShape, dimension: D, sigmas, ...HEADER }, arrays };
}

/** The levels of EDM from 80 to 0.002 with rho 7. */
function edmLevels(count: number): number[] {
  const [high, low] = [80 ** (1 / 7), 0.002 ** (1 / 7)];
  return Array.from({ length: count }, (_, i) => (high + (i / (count - 1)) * (low - high)) ** 7);
}

/** mean + g(variance) applied to z - offset along every eigenvector. */
function filterAlong(
  { mean, values, vectors, tail }: GaussianSource,
  z: Float64Array,
  offset: Float64Array,
  g: (variance: number) => number,
): Float64Array {
  const centred = z.map((v, i) => v - (offset[i] as number));
  const out = mean.map((m, i) => m + g(tail) * (centred[i] as number));
  vectors.forEach((v, k) => {
    const along = v.reduce((sum, vi, i) => sum + vi * (centred[i] as number), 0);
    const weight = (g(values[k] as number) - g(tail)) * along;
    v.forEach((vi, i) => (out[i] = (out[i] as number) + weight * vi));
  });
  return out;
}

function stack(rows: readonly Float64Array[], shape: readonly number[]): Tensor<'float64'> {
  return tensor('float64', shape, Float64Array.from(rows.flatMap((row) => [...row])));
}

const HEADER = {
  model: 'gaussian:fashion',
  dataset: { name: 'fashion', hash: '0123456789abcdef' },
  seed: 0,
  coordinates: 'VE',
  dtype: 'float64',
  versions: { eigenlens: '0.1.0', node: '24.0.0' },
  startedAt: '2026-01-02T03:04:05.000Z',
  wallMs: 41_250,
  command: 'eigenlens inspect gaussian:fashion --seed 0',
  valueRange: [-1, 1],
  files: ['arrays.npz', 'report.html', 'result.json'],
} as const;

function rows(
  sigmas: readonly number[],
  images: number,
  kept: number,
  D: number,
  spectrum: (sigma: number) => Float64Array,
): Pick<InspectResult, 'rankCurve' | 'triplets' | 'linearity' | 'symmetryDefect'> {
  const points = sigmas.flatMap((sigma): InspectPoint[] => [
    ...Array.from({ length: images }, (_, image): InspectPoint => ({ sigma, site: 'heldout', image })),
    { sigma, site: 'trajectory', image: 0 },
  ]);
  const rankOf = (sigma: number, part: number): number => {
    const squares = spectrum(sigma).map((s) => s ** 2);
    const total = squares.reduce((a, b) => a + b, 0);
    let sum = 0;
    return squares.findIndex((q) => (sum += q) > part * total) + 1;
  };
  const rules: [EnergyRuleName, number][] = [
    ['sqrt-energy-0.99', 0.9801],
    ['energy-0.99', 0.99],
  ];
  return {
    rankCurve: points.flatMap((p) =>
      rules.map(([rule, part]) => ({ ...p, rule, rank: rankOf(p.sigma, part), ratio: rankOf(p.sigma, part) / D })),
    ),
    triplets: points.map((p) => ({
      ...p,
      values: [...spectrum(p.sigma).subarray(0, kept)],
      residuals: Array.from({ length: kept }, (_, k) => 1e-9 * (k + 1)),
      bounds: Array.from({ length: kept }, (_, k) => 1e-9 * (k + 1)),
      status: 'converged' as const,
    })),
    linearity: points.map((p) => ({
      ...p,
      steps: [0.1, 1, 10].map((length) => ({ length, cosine: 1, normRatio: 1, remainder: 1e-9 })),
    })),
    symmetryDefect: points.map((p) => ({ ...p, defect: 1e-16 })),
  };
}
