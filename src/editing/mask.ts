import type { Pixels } from '../data/images.ts';
import { sha256Hex } from '../data/sha256.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { showShape, sizeOf } from '../tensor/tensor.ts';

/** Where an edit may act: one flag a pixel, shared by all channels. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  /** [height * width], row by row: 1 inside, 0 outside. */
  readonly inside: Uint8Array;
}

/** Pixels of an image. */
export type MaskSize = Pick<Mask, 'height' | 'width'>;

/** A place in pixels from the upper left corner, x to the right, y down; the centre of pixel (row i, column j) is (j + 1/2, i + 1/2). */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle in pixels by its upper left corner and its size. */
export interface Box extends Point, MaskSize {}

/**
 * The pixels whose centres lie in a rectangle, its upper and left edge included; what reaches beyond the image is cut off.
 * @throws DomainError on a side that is not positive or a number not finite
 */
export function boxMask(size: MaskSize, box: Box): Mask {
  const { x, y, width, height } = box;
  if (![x, y, width, height].every(Number.isFinite) || width <= 0 || height <= 0) {
    const got = `x ${x}, y ${y}, width ${width}, height ${height}`;
    throw new DomainError('boxMask', `expected finite numbers with width and height > 0, got ${got}.`);
  }
  return maskOf(size, (p) => p.x >= x && p.x < x + width && p.y >= y && p.y < y + height);
}

/**
 * The pixels whose centres lie in one polygon or more: the union of the polygons.
 * Each is closed by itself and filled by the nonzero rule, so that an outline drawn by hand stays full where it crosses itself.
 * Polygons that share an edge share no pixel.
 * @param polygons  three points or more each
 * @throws DomainError on none, on a polygon of fewer points or a number not finite
 */
export function polygonMask(size: MaskSize, polygons: readonly (readonly Point[])[]): Mask {
  if (polygons.length === 0) throw new DomainError('polygonMask', 'expected one polygon or more, got none.');
  polygons.forEach((points) => checkPoints('polygonMask', points, 3));
  return maskOf(size, (p) => polygons.some((points) => windingNumber(p, points) !== 0));
}

/**
 * The pixels whose centres lie within a radius of a path: a brush stroke, the union of the capsules about its segments.
 * @param points  one or more; a single one gives a disc
 * @param radius  pixels, > 0; below 1/2 the stroke may pass between centres
 * @throws DomainError on no point, a radius that is not positive or a number not finite
 */
export function strokeMask(size: MaskSize, points: readonly Point[], radius: number): Mask {
  checkPoints('strokeMask', points, 1);
  if (!(radius > 0 && radius < Infinity)) {
    throw new DomainError('strokeMask', `expected a finite radius > 0 pixels, got ${radius}.`);
  }
  return maskOf(size, (p) =>
    points.some((b, i) => squaredDistance(p, points[Math.max(0, i - 1)] as Point, b) <= radius * radius),
  );
}

/**
 * The mask that a picture of the image's own size shows: pixels above half of white are inside, channels averaged.
 * @param where  name of the file, for messages
 * @throws ShapeError where the sizes differ
 */
export function pixelsMask(where: string, { channels, data, max, ...own }: Pixels, size: MaskSize): Mask {
  if (own.height !== size.height || own.width !== size.width) {
    const wanted = `${size.width}x${size.height}`;
    throw new ShapeError(
      where,
      `expected a mask of ${showSize(size)} pixels (height x width) as the image, got ${showSize(own)}. ` +
        `Resize it, for instance with: magick mask.png -sample '${wanted}!' mask-${wanted}.png`,
    );
  }
  const inside = new Uint8Array(size.height * size.width);
  inside.forEach((_, p) => {
    const sum = data.subarray(p * channels, (p + 1) * channels).reduce((a, b) => a + b, 0);
    inside[p] = sum > (channels * max) / 2 ? 1 : 0;
  });
  return { height: size.height, width: size.width, inside };
}

/** The pixels that a mask leaves out. */
export function complementOf({ height, width, inside }: Mask): Mask {
  return { height, width, inside: inside.map((flag) => 1 - flag) };
}

/**
 * The pixels inside one mask or more.
 * @throws DomainError on no mask; ShapeError where sizes differ
 */
export function unionOf(masks: readonly Mask[]): Mask {
  const [first] = masks;
  if (first === undefined) throw new DomainError('unionOf', 'expected one mask or more, got none.');
  const other = masks.find(({ height, width }) => height !== first.height || width !== first.width);
  if (other !== undefined) {
    throw new ShapeError(
      'unionOf',
      `expected masks of one size, got ${showSize(first)} and ${showSize(other)} pixels.`,
    );
  }
  const { height, width } = first;
  return { height, width, inside: first.inside.map((_, p) => (masks.some(({ inside }) => inside[p] === 1) ? 1 : 0)) };
}

/**
 * Refuses what no edit can use: a mask of another size than the image, or one that holds no pixel or all of them.
 * @param where  what asks, for messages
 * @param sampleShape  [C, H, W]
 * @throws ShapeError on a sample that is no image or a mask of another size; DomainError on an empty or full mask, or flags besides 0 and 1
 */
export function checkMask(where: string, { height, width, inside }: Mask, sampleShape: readonly number[]): void {
  const size = imageSize(where, sampleShape);
  if (height !== size.height || width !== size.width) {
    const wanted = `a mask of ${showSize(size)} pixels (height x width) for samples ${showShape(sampleShape)}`;
    throw new ShapeError(where, `expected ${wanted}, got ${showSize({ height, width })}. Draw it for this image.`);
  }
  const pixels = height * width;
  if (inside.length !== pixels) {
    throw new ShapeError(
      where,
      `expected a mask of ${pixels} flags for ${showSize(size)} pixels, got ${inside.length}.`,
    );
  }
  const odd = inside.find((flag) => flag > 1);
  if (odd !== undefined) {
    throw new DomainError(where, `expected flags 0 (outside) and 1 (inside) in a mask, got ${odd}.`);
  }
  const count = inside.reduce((sum, flag) => sum + flag, 0);
  if (count > 0 && count < pixels) return;
  throw new DomainError(
    where,
    count === 0
      ? `expected a mask with pixels inside, got an empty one. Mark at least one of the ${showSize(size)} pixels; in a picture, white is inside.`
      : `expected a mask that leaves pixels out, got a full one. Mark fewer than ${showSize(size)} pixels, or give no mask for a global edit; in a picture, black is outside and transparent counts as white.`,
  );
}

/**
 * A mask as one flag for every value of a sample, the same in all channels.
 * @param sampleShape  [C, H, W] of the mask's size
 * @returns [C * H * W], 1 inside, 0 outside
 * @throws ShapeError on a sample that is no image or of another size
 */
export function expandMask({ height, width, inside }: Mask, sampleShape: readonly number[]): Uint8Array {
  const size = imageSize('expandMask', sampleShape);
  if (height !== size.height || width !== size.width || inside.length !== height * width) {
    const got = `${showSize({ height, width })} with ${inside.length} flags`;
    throw new ShapeError('expandMask', `expected a mask of ${showSize(size)} pixels, got ${got}.`);
  }
  return Uint8Array.from({ length: sizeOf(sampleShape) }, (_, i) => inside[i % inside.length] as number);
}

/** SHA-256 (hex) of a mask's size and flags: equal masks have equal hashes, however they were made. */
export async function hashMask({ height, width, inside }: Mask): Promise<string> {
  const header = new TextEncoder().encode(JSON.stringify({ height, width }));
  const bytes = new Uint8Array(header.length + inside.length);
  bytes.set(header);
  bytes.set(inside, header.length);
  return sha256Hex(bytes);
}

/** The pixels whose centres pass a test. @throws DomainError on a size that is no whole number of pixels */
function maskOf({ height, width }: MaskSize, isInside: (centre: Point) => boolean): Mask {
  if (![height, width].every((side) => Number.isInteger(side) && side >= 1)) {
    throw new DomainError('mask', `expected whole height and width >= 1, got ${showSize({ height, width })}.`);
  }
  const inside = Uint8Array.from({ length: height * width }, (_, p) =>
    isInside({ x: (p % width) + 0.5, y: Math.floor(p / width) + 0.5 }) ? 1 : 0,
  );
  return { height, width, inside };
}

function imageSize(where: string, sampleShape: readonly number[]): MaskSize {
  const [, height, width] = sampleShape;
  if (sampleShape.length !== 3 || height === undefined || width === undefined) {
    const remedy = 'Masks need images; leave the mask out.';
    throw new ShapeError(where, `expected samples [C, H, W] for a mask, got ${showShape(sampleShape)}. ${remedy}`);
  }
  return { height, width };
}

function checkPoints(where: string, points: readonly Point[], least: number): void {
  if (points.length < least) {
    throw new DomainError(where, `expected ${least} points or more, got ${points.length}.`);
  }
  const bad = points.find(({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y));
  if (bad !== undefined) throw new DomainError(where, `expected finite points, got (${bad.x}, ${bad.y}).`);
}

/** How often a closed polygon runs around a point, by its crossings of the ray to the right; y 0 of an edge belongs to it, y 1 does not. */
function windingNumber(p: Point, points: readonly Point[]): number {
  let turns = 0;
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length] as Point;
    const [upper, lower] = a.y < b.y ? [a, b] : [b, a];
    if (p.y < upper.y || p.y >= lower.y) return;
    const crossing = upper.x + ((p.y - upper.y) * (lower.x - upper.x)) / (lower.y - upper.y);
    if (crossing > p.x) turns += a === upper ? 1 : -1;
  });
  return turns;
}

/** From a point to the segment a to b. */
function squaredDistance(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / square));
  return (p.x - a.x - along * dx) ** 2 + (p.y - a.y - along * dy) ** 2;
}

function showSize({ height, width }: MaskSize): string {
  return `${height} x ${width}`;
}
