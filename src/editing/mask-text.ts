import { isImageName } from '../data/images.ts';
import { nearest } from '../data/nearest.ts';
import { SpecError } from '../errors/errors.ts';
import { boxMask, polygonMask, strokeMask } from './mask.ts';
import type { Box, Mask, MaskSize, Point } from './mask.ts';

/** What the text of a mask asks for; nothing is drawn or read yet. */
export type MaskRequest =
  | { readonly kind: 'box'; readonly box: Box }
  | { readonly kind: 'polygon'; readonly polygons: readonly (readonly Point[])[] }
  | { readonly kind: 'stroke'; readonly radius: number; readonly points: readonly Point[] }
  /** An automatic part of the image, counted from 1. */
  | { readonly kind: 'part'; readonly part: number }
  /** A PNG or JPEG file of the image's size. */
  | { readonly kind: 'picture'; readonly path: string };

/** A request that needs nothing but the size of the image. */
export type ShapeRequest = Extract<MaskRequest, { kind: 'box' | 'polygon' | 'stroke' }>;

/** One form of the text, `kind:argument`. */
interface MaskForm {
  /** What is right, with what to write. */
  readonly expected: string;
  /** Undefined where the argument is not of this form. */
  readonly read: (argument: string) => MaskRequest | undefined;
}

const forms: Readonly<Record<string, MaskForm>> = {
  box: {
    expected: 'box:x,y,width,height in pixels with width and height > 0, such as box:8,4,12,6',
    read: readBox,
  },
  polygon: {
    expected:
      'polygon: with three points x,y or more in pixels, such as polygon:2,3 20,3 11,18, and ; between polygons',
    read: readPolygons,
  },
  stroke: {
    expected: 'stroke: with a radius > 0 and points x,y in pixels, such as stroke:2.5 4,6 12,9 20,6',
    read: readStroke,
  },
  part: { expected: 'part:N with N from 1, such as part:2', read: readPart },
};

/** Masks in the words of the help. */
export const maskForms: readonly string[] = [
  'box:x,y,w,h',
  'polygon:x,y x,y x,y[; ...]',
  'stroke:radius x,y x,y ...',
  'part:N',
  'FILE.png',
];

/**
 * Reads the text of a mask: `box:x,y,w,h`, `polygon:x,y x,y x,y` (several by `;`), `stroke:radius x,y x,y ...`, `part:N` (an automatic
 * part, from 1) or the path of a PNG or JPEG file. Coordinates are pixels from the upper left corner and may lie outside of the image.
 * @throws SpecError saying the form, with an example
 */
export function parseMaskText(text: string): MaskRequest {
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(0, colon)).trim();
  if (Object.hasOwn(forms, kind)) {
    const { expected, read } = forms[kind] as MaskForm;
    const request = read(text.slice(colon + 1));
    if (request === undefined) throw new SpecError('mask', `expected ${expected}, got '${text}'.`);
    return request;
  }
  if (isImageName(text)) return { kind: 'picture', path: text };
  const near = colon > 0 ? nearest(kind, Object.keys(forms)) : undefined;
  const remedy = near === undefined ? 'Write it like box:8,4,12,6.' : `Did you mean '${near}:'?`;
  throw new SpecError('mask', `expected ${maskForms.join(' or ')}, got '${text}'. ${remedy}`);
}

function readBox(argument: string): MaskRequest | undefined {
  const [x, y, width, height, ...rest] = readNumbers(argument);
  if (x === undefined || y === undefined || width === undefined || height === undefined) return undefined;
  return rest.length === 0 && width > 0 && height > 0 ? { kind: 'box', box: { x, y, width, height } } : undefined;
}

function readPolygons(argument: string): MaskRequest | undefined {
  const polygons = argument.split(';').map((polygon) => readPoints(words(polygon)));
  return polygons.every((points) => points.length >= 3) ? { kind: 'polygon', polygons } : undefined;
}

function readStroke(argument: string): MaskRequest | undefined {
  const [first = '', ...rest] = words(argument);
  const [radius, ...others] = readNumbers(first);
  const points = readPoints(rest);
  if (radius === undefined || others.length > 0 || radius <= 0 || points.length === 0) return undefined;
  return { kind: 'stroke', radius, points };
}

function readPart(argument: string): MaskRequest | undefined {
  const part = /^\s*\d+\s*$/.test(argument) ? Number(argument) : 0;
  return Number.isSafeInteger(part) && part >= 1 ? { kind: 'part', part } : undefined;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Points of words `x,y`; none where one of them is something else. */
function readPoints(pairs: readonly string[]): Point[] {
  const points = pairs.map((pair) => readNumbers(pair));
  return points.every((numbers) => numbers.length === 2) ? points.map(([x, y]) => ({ x, y }) as Point) : [];
}

/** Decimal numbers between commas; none where one of them is something else. */
function readNumbers(text: string): number[] {
  const items = text.split(',').map((item) => item.trim());
  return items.every((item) => /^[+-]?(\d+\.?\d*|\.\d+)$/.test(item)) ? items.map(Number) : [];
}

/** The pixels inside a box, polygons or a stroke. @param size  of the image, in pixels */
export function shapeMask(request: ShapeRequest, size: MaskSize): Mask {
  switch (request.kind) {
    case 'box':
      return boxMask(size, request.box);
    case 'polygon':
      return polygonMask(size, request.polygons);
    case 'stroke':
      return strokeMask(size, request.points, request.radius);
  }
}
