import { decode } from 'fast-png';
import { parseHTML } from 'linkedom';
import { beforeAll, describe, expect, test } from 'vitest';

import type { InspectArrays, InspectResult } from '../../experiments/inspect-result.ts';
import { imagePicture } from '../png.ts';
import { loadCanvas, standaloneSvg, type Canvas } from '../svg.ts';
import { inspectFigures } from '../inspect-figures.ts';
import { axesSource, cosineSource, gaussianInspect } from '../gaussian-inspect.fixture.ts';
import { rankCurveFigure } from './rank-curve.ts';
import { samplesFigure } from './samples.ts';
import { singularVectorsFigure } from './singular-vectors.ts';
import { spectraFigure } from './spectra.ts';
import { sampleAt } from './tiles.ts';
import { trajectoryFigure } from './trajectory.ts';

const WIDTHS = [760, 350];

let canvas: Canvas;
let images: { result: InspectResult; arrays: InspectArrays };
let vectors: { result: InspectResult; arrays: InspectArrays };

beforeAll(async () => {
  canvas = await loadCanvas();
  images = gaussianInspect(cosineSource(8, 12));
  vectors = gaussianInspect(axesSource(48, 6), { levels: 12, kept: 8, samples: 5, images: 1 });
});

/** The part of a DOM element that these tests read. */
interface SvgElement {
  readonly textContent: string | null;
  readonly parentElement: SvgElement | null;
  getAttribute(name: string): string | null;
}

/** Elements of an SVG text. */
function all(svg: string, selector: string): SvgElement[] {
  const found: Iterable<SvgElement> = parseHTML(`<html><body>${svg}</body></html>`).document.querySelectorAll(selector);
  return [...found];
}

function texts(svg: string): string[] {
  return all(svg, 'text').map((node) => node.textContent ?? '');
}

/** Vertices of a path of straight lines. */
function vertices(path: SvgElement): [number, number][] {
  return [...(path.getAttribute('d') ?? '').matchAll(/[ML]([-\d.]+),([-\d.]+)/g)].map((m) => [
    Number(m[1]),
    Number(m[2]),
  ]);
}

describe('every figure', () => {
  test('svg() is well-formed at both widths, of the stated width, without NaN or an address outside', () => {
    for (const { result, arrays } of [images, vectors]) {
      for (const figure of inspectFigures(canvas, result, arrays)) {
        for (const width of WIDTHS) {
          const svg = figure.svg(width);
          expect(svg.startsWith('<svg'), figure.name).toBe(true);
          expect(svg, figure.name).toContain(`width="${width}"`);
          expect(svg, figure.name).not.toMatch(/NaN|undefined|Infinity|https?:/);
          const opened = svg.match(/<[a-zA-Z][^>]*[^/]>|<g>/g)?.length;
          expect(svg.match(/<\//g)?.length, figure.name).toBe(opened);
        }
      }
    }
  });

  test('reading is one sentence and svg() draws the same twice', () => {
    for (const figure of inspectFigures(canvas, images.result, images.arrays)) {
      expect(figure.reading).toMatch(/^[^.]*(\d\.\d[^.]*)*\.$/);
      expect(figure.svg(760)).toBe(figure.svg(760));
    }
  });

  test('standaloneSvg() names the SVG name space once and brings its colours', () => {
    const svg = standaloneSvg(rankCurveFigure(canvas, images.result).svg(760));
    expect(svg.match(/xmlns="http:\/\/www\.w3\.org\/2000\/svg"/g)).toHaveLength(1);
    for (const variable of new Set([...svg.matchAll(/var\((--[\w-]+)\)/g)].map((m) => m[1]))) {
      expect(svg).toContain(`${variable}:`);
    }
  });
});

describe('rankCurveFigure()', () => {
  test('draws a line for each site and rule through every noise level, and one circle at each minimum', () => {
    const svg = rankCurveFigure(canvas, images.result).svg(760);
    const lines = all(svg, 'g[aria-label="line"] path');
    expect(lines).toHaveLength(4);
    expect(lines.map((line) => vertices(line).length)).toEqual([12, 12, 12, 12]);
    expect(all(svg, 'circle[fill="var(--ground)"], g[fill="var(--ground)"] circle')).toHaveLength(4);
  });

  test('places a constant ratio of 0.125 where the axis says 0.125', () => {
    const svg = rankCurveFigure(canvas, vectors.result).svg(760);
    const ys = all(svg, 'g[aria-label="line"] path').flatMap((line) => vertices(line).map(([, y]) => y));
    expect(Math.max(...ys) - Math.min(...ys)).toBe(0);
    const ticks = all(svg, 'g[aria-label="y-axis tick label"] text').map((node) => ({
      value: Number(node.textContent),
      y: Number(/,([-\d.]+)\)/.exec(node.getAttribute('transform') ?? '')?.[1]),
    }));
    const [zero, top] = [ticks[0], ticks.at(-1)];
    const expected = (zero?.y ?? 0) + ((0.125 - 0) / (top?.value ?? 1)) * ((top?.y ?? 0) - (zero?.y ?? 0));
    expect(Math.abs((ys[0] as number) - expected)).toBeLessThan(0.05); // coordinates keep two digits
    expect(texts(svg)).toContain('held-out samples, \u221aenergy 0.99: lowest 0.125 at \u03c3 80');
  });

  test('labels the powers of ten of sigma and draws the reference where there is one', () => {
    const rankCurve = images.result.rankCurve.filter((row) => row.site === 'trajectory');
    const reference = { name: 'A <closed> form', rankCurve };
    const svg = rankCurveFigure(canvas, { ...images.result, reference }).svg(760);
    expect(all(svg, 'g[aria-label="x-axis tick label"] text').map((n) => n.textContent)).toEqual([
      '0.01',
      '0.1',
      '1',
      '10',
    ]);
    expect(all(svg, 'path[stroke="var(--reference)"], g[stroke="var(--reference)"] path')).toHaveLength(2);
    expect(svg).toContain('A &#60;closed&#62; form');
  });
});

describe('spectraFigure()', () => {
  test('draws one falling line a noise level and site, and a dot at each rank', () => {
    const { result, arrays } = images;
    const svg = spectraFigure(canvas, result, arrays).svg(760);
    const lines = all(svg, 'g[aria-label="line"] path');
    expect(lines).toHaveLength(2 * 12);
    for (const line of lines) {
      const ys = vertices(line).map(([, y]) => y);
      expect(ys.every((y, i) => i === 0 || y >= (ys[i - 1] as number))).toBe(true);
    }
    expect(all(svg, 'g[aria-label="dot"] circle')).toHaveLength(2 * 12);
    expect(
      new Set(lines.map((line) => line.getAttribute('stroke') ?? line.parentElement?.getAttribute('stroke'))).size,
    ).toBe(12);
  });
});

describe('figures of tiles', () => {
  /** The picture of one `<image>`, decoded. */
  function decodeTile(tile: SvgElement | undefined): ReturnType<typeof decode> {
    return decode(Buffer.from((tile?.getAttribute('href') ?? '').split(',')[1] ?? '', 'base64'));
  }

  test('singularVectorsFigure() has the pair and K vectors in each row, with their singular values beneath', () => {
    const { result, arrays } = images;
    const svg = singularVectorsFigure(result, arrays).svg(760);
    const tiles = all(svg, 'image');
    expect(tiles).toHaveLength(12 * (2 + 8));
    // Second tile of the third row: the denoised image at the third noise level.
    const level = 2;
    const expected = imagePicture(sampleAt(arrays.denoised, level * 2, 64), [1, 8, 8], [-1, 1]);
    expect(decodeTile(tiles[level * 10 + 1]).data).toEqual(expected.data.filter((_, i) => i % 3 === 0));
    const value = result.triplets.find((t) => t.sigma === result.sigmas[11])?.values[0] ?? 0;
    expect(value).toBeCloseTo(20 / (20 + 0.002 ** 2), 12);
    expect(texts(svg).filter((t) => t === '1.0').length).toBeGreaterThan(0);
    expect(all(singularVectorsFigure(result, arrays).svg(350), 'image').length / 12).toBeLessThan(10);
  });

  test('trajectoryFigure() shows every state with its answer and noise level, within the width', () => {
    const { result, arrays } = images;
    for (const width of WIDTHS) {
      const svg = trajectoryFigure(result, arrays).svg(width);
      const tiles = all(svg, 'image');
      expect(tiles).toHaveLength(2 * 12);
      for (const tile of tiles) {
        expect(Number(tile.getAttribute('x')) + Number(tile.getAttribute('width'))).toBeLessThanOrEqual(width);
      }
      expect(texts(svg)).toEqual(expect.arrayContaining(['80', '0.002', 'x', 'D(x)']));
    }
  });

  test('samplesFigure() puts the nearest training sample and its distance under each sample', () => {
    const { result, arrays } = images;
    const nearest_distance = { shape: [16], dtype: 'float64', data: new Float64Array(16).fill(0.25) } as const;
    const plain = samplesFigure(result, arrays);
    const twins = samplesFigure(result, { ...arrays, nearest: arrays.samples, nearest_distance });
    expect(all(plain.svg(760), 'image')).toHaveLength(16);
    const tiles = all(twins.svg(760), 'image');
    expect(tiles).toHaveLength(32);
    expect(tiles[0]?.getAttribute('href')).toBe(tiles[1]?.getAttribute('href'));
    expect(texts(twins.svg(760)).filter((t) => t === '0.25')).toHaveLength(16);
    expect(twins.title).not.toBe(plain.title);
  });

  test('vectors are drawn as one bar an element', () => {
    const { result, arrays } = vectors;
    const svg = samplesFigure(result, arrays).svg(760);
    expect(all(svg, 'image')).toHaveLength(0);
    const bars = all(svg, 'path[stroke="var(--heldout)"]');
    expect(bars).toHaveLength(5);
    expect(bars.map((bar) => bar.getAttribute('d')?.match(/v/g)?.length)).toEqual([48, 48, 48, 48, 48]);
  });
});
