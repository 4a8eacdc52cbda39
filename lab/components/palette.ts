import * as Plot from '@observablehq/plot';

/** How values become colours: black to white, blue to white to red around 0, or dark to light. */
export type Palette = 'grey' | 'diverging' | 'viridis';

const STEPS = 256;
const schemes = { diverging: 'RdBu', viridis: 'viridis' } as const;
const tables = new Map<Palette, Uint8ClampedArray>();

/** 256 colours, red, green and blue each, from the lowest value to the highest. */
export function colorsOf(palette: Palette): Uint8ClampedArray {
  const known = tables.get(palette) ?? makeTable(palette);
  tables.set(palette, known);
  return known;
}

function makeTable(palette: Palette): Uint8ClampedArray {
  const table = new Uint8ClampedArray(3 * STEPS);
  const scale =
    palette === 'grey'
      ? undefined
      : Plot.scale({ color: { type: 'linear', scheme: schemes[palette], domain: [0, STEPS - 1] } });
  for (let i = 0; i < STEPS; i++) {
    // RdBu runs from red to blue; positive values are red here, as in the reports.
    const color =
      scale === undefined ? [i, i, i] : channels(String(scale.apply(palette === 'diverging' ? STEPS - 1 - i : i)));
    table.set(color, 3 * i);
  }
  return table;
}

/** Channels of `#rrggbb` or `rgb(r, g, b)`. */
function channels(color: string): number[] {
  const hex = /^#(..)(..)(..)$/.exec(color);
  if (hex !== null) return hex.slice(1).map((part) => Number.parseInt(part, 16));
  return (color.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}

/** Values [C, H, W] with C = 1 or 3 as the pixels of a canvas; three channels are colours themselves. */
export function pixelsOf(
  values: ArrayLike<number>,
  { channels: count, low, high, palette }: { channels: number; low: number; high: number; palette: Palette },
): Uint8ClampedArray<ArrayBuffer> {
  const size = values.length / count;
  const pixels = new Uint8ClampedArray(4 * size).fill(255);
  const level = (value: number): number => Math.round(((STEPS - 1) * (value - low)) / (high - low));
  const table = colorsOf(palette);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) {
      const at = Math.min(STEPS - 1, Math.max(0, level(values[count === 3 ? c * size + i : i] as number)));
      pixels[4 * i + c] = count === 3 ? at : (table[3 * at + c] as number);
    }
  }
  return pixels;
}
