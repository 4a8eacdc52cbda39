import { seriesColor } from '../../components/plot.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import type { Fit, Moment } from './learn.ts';
import { projector } from './projection.ts';
import type { Camera, Projected } from './projection.ts';
import type { Scene } from './scene.ts';

/** Points, true subspaces and, where there are any yet, learned ones. */
export interface SpaceData {
  readonly scene: Scene | undefined;
  readonly moment: Moment | undefined;
  readonly camera: Camera;
}

type Attributes = Readonly<Record<string, string | number>>;
type Project = ReturnType<typeof projector>;

/** How far subspaces are drawn, over the norm of the farthest point: each kind ends elsewhere, so that all can be seen where they agree. */
const REACH = { truth: 1.02, clustering: 0.93, network: 0.82 } as const;

/** The scene as SVG. */
export function drawSpace({ scene, moment, camera }: SpaceData, width: number): SVGSVGElement {
  const height = Math.round(Math.min(460, Math.max(300, width * 0.72)));
  const svg = element('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'font-size': 12 });
  if (scene === undefined) return svg;
  const radius = Math.max(1, ...norms(scene.points));
  const project = projector(camera, radius);
  const scale = Math.min(width, height) / (2.25 * radius);
  const middle = group(svg, 'scene', { transform: `translate(${width / 2} ${height / 2}) scale(${scale})` });
  const thin = 1 / scale;
  drawAxes(group(middle, 'axes', { stroke: 'var(--line)', 'stroke-width': thin }), project, radius);
  const draw = (
    name: keyof typeof REACH,
    bases: readonly Tensor<'float64'>[],
    style: (k: number) => Attributes,
  ): void => {
    const into = group(middle, name, { 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
    bases.forEach((basis, k) => into.append(flat(basis, REACH[name] * radius, project, style(k))));
  };
  draw('truth', scene.truth, () => ({ fill: 'none', stroke: 'var(--edge)', 'stroke-width': 1.2 * thin }));
  if (moment !== undefined) {
    draw('network', moment.network.bases, (k) => ({ fill: seriesColor(k), 'fill-opacity': 0.13, stroke: seriesColor(k), 'stroke-width': 3.2 * thin })); // prettier-ignore
    draw('clustering', moment.clustering.bases, (k) => ({ fill: 'none', stroke: seriesColor(k), 'stroke-width': 2 * thin, 'stroke-dasharray': `${5 * thin} ${5 * thin}` })); // prettier-ignore
  }
  drawPoints(group(middle, 'points', {}), scene, moment?.network, project, thin);
  drawKey(group(svg, 'key', { transform: `translate(8 ${height - 60})` }));
  return svg;
}

/** A line through the origin, or a disc about it. */
function flat(basis: Tensor<'float64'>, reach: number, project: Project, style: Attributes): SVGElement {
  const [d = 1] = basis.shape;
  const at = (a: number, b: number): Projected => {
    const [x, y, z] = [0, 1, 2].map((j) => a * (basis.data[j] as number) + b * (basis.data[3 + j] ?? 0)) as [number, number, number]; // prettier-ignore
    return project(x, y, z);
  };
  if (d === 1) return path([at(-reach, 0), at(reach, 0)], false, style);
  const angles = Array.from({ length: 72 }, (_, i) => (i * Math.PI) / 36);
  return path(angles.map((angle) => at(reach * Math.cos(angle), reach * Math.sin(angle))), true, style); // prettier-ignore
}

function path(points: readonly Projected[], closed: boolean, style: Attributes): SVGElement {
  const d = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(4)} ${y.toFixed(4)}`).join('');
  return element('path', { d: closed ? `${d}Z` : d, ...style });
}

function drawAxes(into: SVGElement, project: Project, radius: number): void {
  for (const [x, y, z] of [
    [radius, 0, 0],
    [0, radius, 0],
    [0, 0, radius],
  ] as const) {
    into.append(path([project(-x, -y, -z), project(x, y, z)], false, {}));
  }
}

/** Far points first; a point that the network takes for another component is hollow. */
function drawPoints(
  into: SVGElement,
  { points, classes }: Scene,
  fit: Fit | undefined,
  project: Project,
  thin: number,
): void {
  // prettier-ignore
  const at = (i: number, j: number): number => points.data[3 * i + j] as number;
  const placed = Array.from(classes, (k, i) => ({ k, wrong: fit !== undefined && fit.found[i] !== k, ...project(at(i, 0), at(i, 1), at(i, 2)) })); // prettier-ignore
  placed.sort((a, b) => b.depth - a.depth);
  for (const { k, wrong, x, y, factor } of placed) {
    const color = seriesColor(k);
    into.append(
      element('circle', {
        cx: x.toFixed(4),
        cy: y.toFixed(4),
        r: (2.9 * thin * factor).toFixed(4),
        opacity: Math.min(1, Math.max(0.3, 0.75 + 2 * (factor - 1))).toFixed(2),
        ...(wrong
          ? { fill: 'var(--ground)', stroke: color, 'stroke-width': 1.3 * thin, class: 'wrong' }
          : { fill: color }),
      }),
    );
  }
}

function drawKey(into: SVGElement): void {
  const rows = [
    ['network', { stroke: 'var(--ink)', 'stroke-width': 3.2 }],
    ['K-subspaces', { stroke: 'var(--ink)', 'stroke-width': 2, 'stroke-dasharray': '5 4' }],
    ['true', { stroke: 'var(--edge)', 'stroke-width': 1.2 }],
  ] as const;
  rows.forEach(([name, style], i) => {
    const y = 8 + 17 * i;
    const text = element('text', { x: 34, y: y + 4, fill: 'var(--quiet)' });
    text.textContent = name;
    into.append(element('line', { x1: 0, x2: 26, y1: y, y2: y, ...style }), text);
  });
}

function norms({ shape, data }: Tensor<'float64'>): number[] {
  return Array.from({ length: shape[0] as number }, (_, i) => Math.hypot(...data.subarray(3 * i, 3 * i + 3)));
}

function group(into: SVGElement, mark: string, attributes: Attributes): SVGElement {
  const made = element('g', { 'data-mark': mark, ...attributes });
  into.append(made);
  return made;
}

function element<K extends keyof SVGElementTagNameMap>(name: K, attributes: Attributes): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
