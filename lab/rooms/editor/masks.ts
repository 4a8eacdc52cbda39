import { partMask } from '../../../src/analysis/parts.ts';
import type { Mask, MaskSize, Point } from '../../../src/editing/mask.ts';
import { parseMaskText, shapeMask } from '../../../src/editing/mask-text.ts';
import type { MaskRequest } from '../../../src/editing/mask-text.ts';

/** Whether a text is a mask that can be drawn here: files cannot. */
export function isDrawn(text: string): boolean {
  return readMask(text) !== undefined;
}

/** What the text of a mask asks for; undefined where it is none. */
export function readMask(text: string): Exclude<MaskRequest, { kind: 'picture' }> | undefined {
  try {
    const request = parseMaskText(text);
    return request.kind === 'picture' ? undefined : request;
  } catch {
    return undefined;
  }
}

/**
 * The pixels of a mask.
 * @param labels  [height * width] of the automatic parts, where they are known
 * @returns undefined for a part that is not known, and for what is no mask
 */
export function drawMask(text: string, size: MaskSize, labels: Int32Array | undefined): Mask | undefined {
  const request = readMask(text);
  if (request?.kind === 'part') {
    return labels?.includes(request.part - 1) ? partMask(labels, request.part - 1, size) : undefined;
  }
  return request && shapeMask(request, size);
}

/** A box as text, whatever corner it was drawn from; undefined where it holds no pixel. */
export function boxText(from: Point, to: Point, { width, height }: MaskSize): string | undefined {
  const clamp = (v: number, most: number): number => Math.min(most, Math.max(0, Math.round(v)));
  const [x0, x1] = [from.x, to.x].map((x) => clamp(x, width)).sort((a, b) => a - b) as [number, number];
  const [y0, y1] = [from.y, to.y].map((y) => clamp(y, height)).sort((a, b) => a - b) as [number, number];
  return x1 > x0 && y1 > y0 ? `box:${x0},${y0},${x1 - x0},${y1 - y0}` : undefined;
}

/** Pixels from x0 to x1 of rows y0 to y1, ends excluded. */
interface Rectangle {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  y1: number;
}

/** Any mask as polygons, exactly: rectangles of equal runs of pixels, row under row. @returns undefined for an empty one */
export function polygonText({ height, width, inside }: Mask): string | undefined {
  const done: Rectangle[] = [];
  let open = new Map<string, Rectangle>();
  for (let y = 0; y < height; y++) {
    const next = new Map<string, Rectangle>();
    for (const [x0, x1] of runsOf(inside.subarray(y * width, (y + 1) * width))) {
      const key = `${x0} ${x1}`;
      const known = open.get(key);
      const rectangle = known ?? { x0, x1, y0: y, y1: y };
      rectangle.y1 = y + 1;
      if (known === undefined) done.push(rectangle);
      next.set(key, rectangle);
    }
    open = next;
  }
  if (done.length === 0) return undefined;
  return `polygon:${done.map(({ x0, x1, y0, y1 }) => `${x0},${y0} ${x1},${y0} ${x1},${y1} ${x0},${y1}`).join(';')}`;
}

/** Outline of a mask as the path of an SVG whose unit is a pixel: every edge between inside and outside. */
export function outlineOf({ height, width, inside }: Mask): string {
  const at = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] === 1;
  let path = '';
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (at(x, y) !== at(x, y - 1)) path += `M${x} ${y}h1`;
      if (at(x, y) !== at(x - 1, y)) path += `M${x} ${y}v1`;
    }
  }
  return path;
}

function runsOf(row: Uint8Array): [number, number][] {
  const runs: [number, number][] = [];
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== 1) continue;
    const last = runs.at(-1);
    if (last?.[1] === x) last[1] = x + 1;
    else runs.push([x, x + 1]);
  }
  return runs;
}
