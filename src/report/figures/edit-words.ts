import type { AttributeShift, EditPart, EditResult } from '../../experiments/edit-result.ts';
import { percent } from '../copy-words.ts';
import { isImageShape } from '../png.ts';
import { showNumber } from '../svg.ts';

/** A number with its sign, and with decimals where they are asked for. */
export function signed(value: number, decimals?: number): string {
  const text = decimals === undefined ? showNumber(Math.abs(value)) : Math.abs(value).toFixed(decimals);
  // What rounds to zero has no sign.
  return `${Number(text) === 0 ? '' : value > 0 ? '+' : '\u2212'}${text}`;
}

/** How an attribute changes at both ends of the strengths, in standard deviations: `-1.1 to +0.9`. */
export function shiftText({ minus, plus }: AttributeShift): string {
  return `${signed(minus, 1)} to ${signed(plus, 1)}`;
}

/** The end of a name of more than `most` characters, where paths differ. */
export function shortened(name: string, most: number): string {
  return name.length <= most ? name : `\u2026${name.slice(1 - Math.floor(most))}`;
}

/** Characters of a part's name in a head. */
const NAME = 40;

/** A part and how much of the image it is. */
export function partText({ name, share }: EditPart): string {
  const short = shortened(name, NAME);
  return share < 1 ? `${short}, ${percent(share)} of the pixels` : short;
}

/** What a sample is called. */
export function sampleName({ sampleShape }: EditResult): 'image' | 'sample' {
  return isImageShape(sampleShape) ? 'image' : 'sample';
}

/** Decibels; where nothing differs there is no number. */
export function decibels(value: number | null | undefined): string {
  if (value === undefined) return '\u2013';
  return value === null ? 'lossless' : `${value.toFixed(1)}\u00a0dB`;
}
