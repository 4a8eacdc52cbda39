import type { Mask, Point } from '../../editing/mask.ts';

/** The outlines of a mask as an SVG path in pixels: filled by the even-odd rule it covers what is inside. */
export function outlinePath(mask: Mask): string {
  return outlines(mask)
    .map((loop) => `M${loop.map(({ x, y }) => `${x} ${y}`).join('L')}z`)
    .join('');
}

/** Closed outlines with a corner where they turn, the inside to their right. */
function outlines({ height, width, inside }: Mask): Point[][] {
  const at = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] === 1;
  const key = ({ x, y }: Point): number => y * (width + 1) + x;
  const edges = new Map<number, Point[]>();
  const add = (from: Point, to: Point): void => void edges.set(key(from), [...(edges.get(key(from)) ?? []), to]);
  inside.forEach((_, p) => {
    const [x, y] = [p % width, Math.floor(p / width)];
    if (!at(x, y)) return;
    if (!at(x, y - 1)) add({ x, y }, { x: x + 1, y });
    if (!at(x + 1, y)) add({ x: x + 1, y }, { x: x + 1, y: y + 1 });
    if (!at(x, y + 1)) add({ x: x + 1, y: y + 1 }, { x, y: y + 1 });
    if (!at(x - 1, y)) add({ x, y: y + 1 }, { x, y });
  });
  const loops: Point[][] = [];
  for (const [start, ends] of edges) {
    while (ends.length > 0) {
      const loop: Point[] = [];
      let next = ends.pop();
      while (next !== undefined) {
        loop.push(next);
        next = key(next) === start ? undefined : edges.get(key(next))?.pop();
      }
      loops.push(
        loop.filter((point, i) => turns(loop.at(i - 1) as Point, point, loop[(i + 1) % loop.length] as Point)),
      );
    }
  }
  return loops;
}

function turns(before: Point, at: Point, after: Point): boolean {
  return (at.x - before.x) * (after.y - at.y) !== (at.y - before.y) * (after.x - at.x);
}
