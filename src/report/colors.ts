/** One colour, each channel 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Ten colours of viridis (matplotlib, CC0) at equal steps, dark to light; perceptually even and safe for colour-blind readers. */
const VIRIDIS: readonly Rgb[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37],
];

/** Ends of the diverging map (RdBu of ColorBrewer): most negative blue, zero white, most positive red. */
const NEGATIVE: readonly Rgb[] = [
  [247, 247, 247],
  [146, 197, 222],
  [67, 147, 195],
  [5, 48, 97],
];
const POSITIVE: readonly Rgb[] = [
  [247, 247, 247],
  [244, 165, 130],
  [214, 96, 77],
  [103, 0, 31],
];

/** Number of steps of the noise-level colours. */
const SIGMA_STEPS = 32;

/** Colour of viridis at t in [0, 1]; clipped outside. */
export function viridis(t: number): Rgb {
  return ramp(VIRIDIS, t);
}

/** Blue to white to red at t in [-1, 1]; clipped outside, white for NaN. */
export function diverging(t: number): Rgb {
  return t < 0 ? ramp(NEGATIVE, -t) : ramp(POSITIVE, t);
}

/**
 * The CSS variables that every figure draws with, light and dark. Series colours are Okabe and Ito's (safe for colour-blind readers),
 * lightened on dark; `--sigma-0` (least noise) to `--sigma-31` are viridis without the end that the ground would swallow.
 */
export function colorVariables(): { light: string; dark: string } {
  const light = { heldout: '#0072b2', trajectory: '#c4570a', reference: '#6b6b6b' };
  const dark = { heldout: '#56b4e9', trajectory: '#f0a05a', reference: '#9a9a9a' };
  return { light: declare(light, 0, 0.86), dark: declare(dark, 0.3, 1) };
}

/** CSS colour of a noise level among `sigmas`, even in the order of the levels: grids crowd at high noise, where even log sigma would blur them. */
export function sigmaColor(sigma: number, sigmas: readonly number[]): string {
  const rank = sigmas.filter((other) => other < sigma).length;
  return `var(--sigma-${Math.round((rank / Math.max(1, sigmas.length - 1)) * (SIGMA_STEPS - 1))})`;
}

function declare(series: Readonly<Record<string, string>>, from: number, to: number): string {
  const levels = Array.from({ length: SIGMA_STEPS }, (_, i) => {
    const [r, g, b] = viridis(from + ((to - from) * i) / (SIGMA_STEPS - 1));
    return `--sigma-${i}:rgb(${r},${g},${b})`;
  });
  return [...Object.entries(series).map(([name, color]) => `--${name}:${color}`), ...levels].join(';');
}

function ramp(stops: readonly Rgb[], t: number): Rgb {
  const at = Math.min(1, Math.max(0, Number.isNaN(t) ? 0 : t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  const [a, b] = [stops[i] as Rgb, stops[i + 1] as Rgb];
  const mix = (k: 0 | 1 | 2): number => Math.round(a[k] + (b[k] - a[k]) * (at - i));
  return [mix(0), mix(1), mix(2)];
}
