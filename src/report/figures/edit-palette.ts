import type { Rgb } from '../colors.ts';

/** Colours of parts, told apart on white, on black and on pictures; blue and orange first, safe for colour-blind readers. */
const PARTS: readonly Rgb[] = [
  [31, 131, 201],
  [217, 115, 13],
  [15, 157, 116],
  [194, 100, 159],
  [122, 111, 208],
  [184, 149, 0],
  [214, 69, 69],
  [138, 122, 102],
];

/** Colour of a part by its index; they begin again after eight. */
export function partRgb(part: number): Rgb {
  return PARTS[part % PARTS.length] as Rgb;
}

/** The same for CSS. */
export function partColor(part: number): string {
  return `rgb(${partRgb(part).join(',')})`;
}
