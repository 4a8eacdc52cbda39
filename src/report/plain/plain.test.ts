import { parseHTML } from 'linkedom';
import { beforeAll, expect, test } from 'vitest';

import type { Curve, CurveFigure, HeatmapFigure, ImagesFigure, PlainFigure } from '../../experiments/plain-figure.ts';
import { plainSvg } from '../figures/plain.ts';
import { plainFigureFiles } from '../plain-files.ts';
import { loadCanvas, type Canvas } from '../svg.ts';

let canvas: Canvas;

beforeAll(async () => {
  canvas = await loadCanvas();
});

function curve(name: string, style: Curve['style'], x = [1, 2, 3]): Curve {
  return { name, style, x, y: x.map((v) => v / 10) };
}

function figure(curves: readonly Curve[], options: Partial<CurveFigure> = {}): CurveFigure {
  return { kind: 'curves', title: 'Curves', xLabel: 'points N', yLabel: 'error', curves, ...options };
}

const grid: HeatmapFigure = {
  kind: 'heatmap',
  title: 'A grid',
  xLabel: 'N',
  yLabel: 'd',
  x: [2, 3],
  y: [2, 3],
  values: [
    [0, 1],
    [0.5, 1],
  ],
  label: 'share of successes',
  domain: [0, 1],
  boundary: { name: 'N = d', x: [2, 3], y: [2, 3] },
};

const pictures: ImagesFigure = {
  kind: 'images',
  title: 'Pictures',
  shape: [1, 2, 2],
  range: [-1, 1],
  columns: ['noisy', 'clean'],
  rows: [{ caption: 'all white', images: [[1, 1, 1, 1], [1, 1, 1, 1]] }], // prettier-ignore
};

function texts(svg: string, within = ''): string[] {
  const found: Iterable<{ readonly textContent: string | null }> = parseHTML(
    `<html><body>${svg}</body></html>`,
  ).document.querySelectorAll(`${within} text`);
  return [...found].map((node) => node.textContent ?? '');
}

test('plainSvg() names each colour once and each style once where all families have the same styles', () => {
  const curves = [1, 2].flatMap((i) => [
    curve(`direction ${i}, closed form`, 'line'),
    curve(`direction ${i}, learned`, 'points'),
  ]);
  const names = texts(plainSvg(canvas, figure(curves), 760), '.legend');
  expect(names).toEqual(['direction 1', 'direction 2', 'closed form', 'learned']);
});

test('plainSvg() names every curve where their styles differ, and none where there is one', () => {
  const curves = [curve('network', 'line'), curve('network, expected', 'points'), curve('clustering', 'line')];
  expect(texts(plainSvg(canvas, figure(curves), 760), '.legend')).toEqual(curves.map(({ name }) => name));
  expect(texts(plainSvg(canvas, figure(curves.slice(0, 1)), 760), '.legend')).toEqual([]);
});

test('plainSvg() has ticks at whole numbers where all x are counts, and powers of ten on a long log axis', () => {
  const ticks = (svg: string, axis: string): string[] => texts(svg, `g[aria-label="${axis}-axis tick label"]`);
  const counts = plainSvg(canvas, figure([curve('a', 'line'), curve('b', 'line')]), 760);
  expect(ticks(counts, 'x')).toEqual(['1', '2', '3']);
  const wide = figure([curve('a', 'line', [1e-5, 1e5])], { xScale: 'log' });
  expect(ticks(plainSvg(canvas, wide, 760), 'x')).toEqual(
    ['10⁻⁵', '10⁻⁴', '0.001', '0.01', '0.1', '1', '10', '100', '1000', '10000', '10⁵'], // prettier-ignore
  );
});

test('plainSvg() explains the colours of a grid and its boundary, and heads the columns of pictures', () => {
  expect(texts(plainSvg(canvas, grid, 760), '.legend')).toEqual(['share of successes, 0 to 1', 'N = d']);
  const svg = plainSvg(canvas, pictures, 760);
  expect(texts(svg)).toEqual(['noisy', 'clean', 'all white']);
  expect(svg.match(/<image /g)).toHaveLength(2);
  expect(svg.match(/<rect [^>]*stroke="currentColor"/g)).toHaveLength(2);
});

test('plainSvg() draws the cells of an uneven grid so that each meets the next half-way, without gaps or overlap', () => {
  const x = [16, 64, 256, 1024];
  const uneven: HeatmapFigure = { ...grid, x, values: [[0, 0.2, 0.4, 0.6], [0, 0.2, 0.4, 0.6]] }; // prettier-ignore
  const { document } = parseHTML(`<html><body>${plainSvg(canvas, uneven, 760)}</body></html>`);
  const cells: Iterable<{ getAttribute(name: string): string | null }> = document.querySelectorAll('g[aria-label="rect"] rect');
  const drawn = [...cells].slice(0, x.length).map((cell) => ['x', 'width'].map((name) => Number(cell.getAttribute(name))));
  const unit = (760 - 48 - 20) / (1408 + 8); // from 16 - 24 to 1024 + 384
  const edges = [-8, 40, 160, 640, 1408];
  drawn.forEach(([left = NaN, width = NaN], i) => {
    expect(left).toBeCloseTo(48 + ((edges[i] as number) + 8) * unit + 0.5, 1);
    expect(left + width).toBeCloseTo(48 + ((edges[i + 1] as number) + 8) * unit - 0.5, 1);
  });
  expect(drawn).toHaveLength(x.length);
}); // prettier-ignore

test('plainFigureFiles() writes the title into each file, in lines that fit', async () => {
  const title = `${'A title of many words '.repeat(8)}<end>`;
  const figures: Record<string, PlainFigure> = { curves: { ...figure([curve('a', 'line')]), title }, grid, pictures };
  const files = await plainFigureFiles(figures);
  expect([...files.keys()]).toEqual(['curves.svg', 'grid.svg', 'pictures.svg']);
  const lines = texts(files.get('curves.svg') ?? '', '.title');
  expect(lines.join(' ')).toBe(title);
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(93);
  expect(texts(files.get('grid.svg') ?? '', '.title')).toEqual(['A grid']);
  for (const svg of files.values()) expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
