import { decode } from 'fast-png';
import { parseHTML } from 'linkedom';
import { beforeAll, describe, expect, test } from 'vitest';

import { boxMask } from '../../editing/mask.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { editRun } from '../edit-run.fixture.ts';
import { imagePicture } from '../png.ts';
import { loadCanvas, type Canvas } from '../svg.ts';
import { changesFigure } from './edit-changes.ts';
import { compositionFigure } from './edit-composition.ts';
import { directionsFigure } from './edit-directions.ts';
import { partColor } from './edit-palette.ts';
import { partsFigure } from './edit-parts.ts';
import { slopesFigure } from './edit-slopes.ts';
import { stripsFigure } from './edit-strips.ts';
import { EditTiles, evenColumns, maskOf, tileSize } from './edit-tiles.ts';
import type { EditShown } from './edit-tiles.ts';
import { transferFigure } from './edit-transfer.ts';
import { decibels, shortened, signed } from './edit-words.ts';
import type { Figure } from './figure.ts';

const WIDTHS = [760, 350];

let canvas: Canvas;

beforeAll(async () => {
  canvas = await loadCanvas();
});

/** The part of a DOM element that these tests read. */
interface SvgElement {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}

function all(svg: string, selector: string): SvgElement[] {
  const found: Iterable<SvgElement> = parseHTML(`<html><body>${svg}</body></html>`).document.querySelectorAll(selector);
  return [...found];
}

function texts(svg: string): string[] {
  return all(svg, 'text').map((node) => node.textContent ?? '');
}

function noise(name: string, count: number, shape: readonly number[]): Tensor<'float32'> {
  const { data } = normal(randomKey(5, name), [count, ...shape]);
  return tensor(
    'float32',
    [count, ...shape],
    Float32Array.from(data, (v) => 0.4 * v),
  );
}

const size = { height: 12, width: 16 };
const parts = [boxMask(size, { x: 1, y: 1, width: 6, height: 5 }), boxMask(size, { x: 9, y: 6, width: 5, height: 4 })];
const images = editRun({ images: noise('x', 4, [3, 12, 16]), goals: noise('y', 4, [3, 12, 16]), masks: parts, judged: true }); // prettier-ignore
const global = editRun({ images: noise('x', 1, [1, 8, 8]), goals: noise('y', 2, [1, 8, 8]) });
const points = editRun({ images: noise('x', 3, [7]), goals: noise('y', 3, [7]) });

function figuresOf(shown: EditShown): { figures: Figure[]; tiles: EditTiles } {
  const tiles = new EditTiles(shown);
  const figures = [
    partsFigure(shown, tiles),
    stripsFigure(shown, tiles),
    directionsFigure(shown, tiles),
    slopesFigure(canvas, shown.result),
    changesFigure(canvas, shown.result),
    ...transferFigure(shown, tiles),
    ...compositionFigure(shown, tiles),
  ];
  return { figures, tiles };
}

/** Names of the tiles of a figure in order. */
function tilesOf(svg: string): string[] {
  return all(svg, 'use').map((node) => (node.getAttribute('href') ?? '').replace('#tile-', ''));
}

/** Left, top and scale of a tile. */
function placeOf(node: SvgElement): number[] {
  return [...(node.getAttribute('transform') ?? '').matchAll(/-?[\d.]+/g)].map(Number);
}

describe('every figure of an edit', () => {
  test('svg() is well-formed at both widths, of the stated width, without NaN or an address outside, and the same twice', () => {
    for (const shown of [images, global, points]) {
      for (const figure of figuresOf(shown).figures) {
        for (const width of WIDTHS) {
          const svg = figure.svg(width);
          expect(svg.startsWith('<svg'), figure.name).toBe(true);
          expect(svg, figure.name).toContain(`width="${width}"`);
          expect(svg, figure.name).not.toMatch(/NaN|undefined|Infinity|https?:/);
          const opened = svg.match(/<[a-zA-Z][^>]*[^/]>|<g>/g)?.length;
          expect(svg.match(/<\//g)?.length, figure.name).toBe(opened);
          expect(figure.svg(width)).toBe(svg);
        }
      }
    }
  });

  test('tiles lie within the width, and definitions() holds each that is referred to once', () => {
    const { figures, tiles } = figuresOf(images);
    const used = figures.flatMap((figure) =>
      WIDTHS.flatMap((width) => {
        const nodes = all(figure.svg(width), 'use');
        for (const node of nodes.filter((n) => n.getAttribute('transform') !== null)) {
          const [left = -1, , scale = 0] = placeOf(node);
          expect(left).toBeGreaterThanOrEqual(0);
          expect(left + 16 * scale, figure.name).toBeLessThanOrEqual(width + 0.01);
        }
        return nodes.map((node) => node.getAttribute('href')?.slice(1) ?? '');
      }),
    );
    const defined = all(tiles.definitions(), 'defs > *').map((node) => node.getAttribute('id'));
    expect(new Set(defined).size).toBe(defined.length);
    expect(new Set(defined)).toEqual(new Set(used));
  });

  test('samples that are no images are bars, one a value, and need no definitions', () => {
    const { figures, tiles } = figuresOf(points);
    const strips = figures.find(({ name }) => name === 'strips')?.svg(760) ?? '';
    const bars = all(strips, 'path[stroke="var(--heldout)"]');
    expect(bars).toHaveLength(3 * (2 + 7));
    expect(bars.every((bar) => bar.getAttribute('d')?.match(/v/g)?.length === 7)).toBe(true);
    expect(tiles.definitions()).not.toContain('<image');
    expect(figures.every(({ title, reading }) => !/\bimages?\b/.test(title + reading))).toBe(true);
  });
});

describe('stripsFigure()', () => {
  test('has the image, the direction and every strength in a row, under an axis, rows in the colours of their parts', () => {
    const svg = stripsFigure(images, new EditTiles(images)).svg(760);
    const expected = [0, 1, 2, 3].flatMap((d) => {
      const outline = `#mask-${Math.floor(d / 2)}`;
      return ['images-0', outline, outline, `direction-${d}`, ...[0, 1, 2, 3, 4, 5, 6].map((s) => `edits-${7 * d + s}`)]; // prettier-ignore
    });
    expect(tilesOf(svg)).toEqual(expected);
    const labels = texts(svg);
    expect(labels.slice(0, 10)).toEqual(['image', 'direction', 'strength of the edit', '\u22124', '\u22122', '\u22121', '0', '+1', '+2', '+4']); // prettier-ignore
    expect(labels).toEqual(expect.arrayContaining(['part 1, 16 % of the pixels', '1', 's 0.918', '4']));
    const attribute = images.result.directions[3]?.attributes?.[0];
    expect(labels).toContain(attribute?.name);
    expect(labels).toContain(`${signed(attribute?.minus ?? 0, 1)} to ${signed(attribute?.plus ?? 0, 1)}`);
    const bars = all(svg, 'rect[x="0"]').map((node) => node.getAttribute('fill'));
    expect(bars).toEqual([partColor(0), partColor(1)]);
  });

  test('leaves strengths out where there is no room, but neither the ends nor 0', () => {
    const strengths = Array.from({ length: 31 }, (_, i) => i - 15);
    const changes = (images.result.directions[0]?.changes ?? []).slice(0, 0);
    const many: EditShown = {
      result: { ...images.result, directions: images.result.directions.slice(0, 1).map((d) => ({ ...d, changes })) },
      arrays: {
        ...images.arrays,
        strengths: tensor('float64', [31], Float64Array.from(strengths)),
        edits: noise('many', 31, [3, 12, 16]),
      },
    };
    for (const width of WIDTHS) {
      const shown = tilesOf(stripsFigure(many, new EditTiles(many)).svg(width)).filter((name) =>
        name.startsWith('edits'),
      );
      expect(shown.length).toBeGreaterThan(6);
      expect(shown.length).toBeLessThan(20);
      expect(shown).toEqual(expect.arrayContaining(['edits-0', 'edits-15', 'edits-30']));
    }
  });
});

describe('slopesFigure()', () => {
  /** Dots of the left panel: x, y and colour. */
  function dots(svg: string): { x: number; y: number }[] {
    return all(svg, 'svg[aria-label^="Measured"] g[aria-label="dot"] circle').map((node) => ({
      x: Number(node.getAttribute('cx')),
      y: Number(node.getAttribute('cy')),
    }));
  }

  test('puts a direction on the diagonal where its slope is the predicted one, and below it where it is less', () => {
    const slopes = [1, 1, 0.5, 0.9];
    for (const spread of [1, 20]) {
      const directions = images.result.directions.map((d, i) => {
        const gain = 0.3 * spread ** (i / 3) + 0.1 * i;
        return { ...d, gain, slope: gain * (slopes[i] ?? 1) };
      });
      const svg = slopesFigure(canvas, { ...images.result, directions }).svg(760);
      const line = all(svg, 'svg[aria-label^="Measured"] g[aria-label="line"] path')[0]?.getAttribute('d') ?? '';
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [...line.matchAll(/[\d.]+/g)].map(Number);
      const above = dots(svg).map(({ x, y }) => y - (y0 + ((x - x0) / (x1 - x0)) * (y1 - y0)));
      expect(above).toHaveLength(4);
      expect(Math.abs(above[0] ?? 9)).toBeLessThan(0.05); // coordinates keep two digits
      expect(Math.abs(above[1] ?? 9)).toBeLessThan(0.05);
      expect(above[2]).toBeGreaterThan(20);
      expect(above[3]).toBeGreaterThan(2);
    }
  });

  test('numbers no two dots that lie on each other', () => {
    const directions = images.result.directions.map((d) => ({ ...d, gain: 0.5, slope: 0.5 }));
    const svg = slopesFigure(canvas, { ...images.result, directions }).svg(760);
    const numbers = all(svg, 'svg[aria-label^="Measured"] g[aria-label="text"] text');
    expect(numbers.map((node) => node.textContent)).toEqual(['1']);
  });
});

describe('changesFigure()', () => {
  test('draws inside and outside of every direction, and the inside alone where there is no outside', () => {
    const lines = (svg: string): number => all(svg, 'g[aria-label="line"] path').length;
    expect(lines(changesFigure(canvas, images.result).svg(760))).toBe(8);
    expect(texts(changesFigure(canvas, images.result).svg(760))).toContain('outside');
    expect(lines(changesFigure(canvas, global.result).svg(760))).toBe(2);
    expect(texts(changesFigure(canvas, global.result).svg(760))).not.toContain('outside');
  });
});

describe('transferFigure()', () => {
  test('has every image over its pairs, column by column, and as many images as fit', () => {
    const [figure] = transferFigure(images, new EditTiles(images));
    const expected = [0, 1, 2, 3].flatMap((m) => [
      `reconstructions-${m}`,
      ...[0, 1, 2, 3].flatMap((d) =>
        m === 0
          ? [`edits-${7 * d}`, `edits-${7 * d + 6}`]
          : [0, 1].map((end) => `transfers-${(3 * d + m - 1) * 2 + end}`),
      ),
    ]);
    expect(tilesOf(figure?.svg(760) ?? '')).toEqual(expected);
    const narrow = tilesOf(figure?.svg(350) ?? '');
    expect(narrow).toEqual(expected.slice(0, narrow.length));
    expect(narrow.length).toBe(2 * 9);
    expect(transferFigure(global, new EditTiles(global))).toEqual([]);
  });
});

test('compositionFigure() ends with what was made at once and the sum of the single changes', () => {
  const [figure] = compositionFigure(images, new EditTiles(images));
  expect(tilesOf(figure?.svg(760) ?? '')).toEqual(['reconstructions-0', 'composition-0', 'composition-1', 'composition-2', 'composition-sum']); // prettier-ignore
  expect(texts(figure?.svg(760) ?? '')).toEqual(expect.arrayContaining(['1 at +4', '4 at \u22124', 'together', 'sum']));
  // In the fixture effects add up, so that both are one picture.
  const tiles = new EditTiles(images);
  compositionFigure(images, tiles)[0]?.svg(760);
  const uri = (name: string): string | undefined =>
    new RegExp(`id="tile-${name}"><image [^>]*href="([^"]+)"`).exec(tiles.definitions())?.[1];
  expect(uri('composition-2')).toMatch(/^data:/);
  expect(uri('composition-sum')).toBe(uri('composition-2'));
  const { composition, ...result } = images.result;
  expect(composition).toBeDefined();
  expect(compositionFigure({ ...images, result }, new EditTiles(images))).toEqual([]);
});

test('EditTiles shrinks pictures of large images by a whole factor', () => {
  const large = editRun({ images: noise('x', 1, [1, 260, 200]), goals: noise('y', 1, [1, 260, 200]) });
  const tiles = new EditTiles(large);
  tiles.sample('images', 0, { x: 0, y: 0, size: 60 });
  const [, uri = ''] = /data:image\/png;base64,([^"]+)/.exec(tiles.definitions()) ?? [];
  const { width, height, data } = decode(Buffer.from(uri, 'base64'));
  expect([width, height]).toEqual([100, 130]);
  const full = imagePicture(large.arrays.images.data, [1, 260, 200], [-1, 1]).data;
  const mean = [0, 1, 200, 201].reduce((sum, p) => sum + (full[3 * (2 * 200 * 7 + 2 * 11 + p)] ?? 0) / 4, 0);
  expect(data[7 * 100 + 11]).toBe(Math.round(mean));
});

test('maskOf() finds the mask of a part beside parts without one', () => {
  const whole = { name: 'whole image', share: 1 };
  const [first, second] = images.result.parts;
  const mixed = { ...images, result: { ...images.result, parts: [first, whole, second].flatMap((p) => p ?? []) } };
  expect([0, 1, 2].map((part) => maskOf(mixed, part)?.inside)).toEqual([parts[0]?.inside, undefined, parts[1]?.inside]);
  expect(maskOf(global, 0)).toBeUndefined();
});

test('words: numbers have signs but for zero, names keep their ends, and no loss has no decibels', () => {
  expect([2, -0.5, 0].map((v) => signed(v))).toEqual(['+2', '\u22120.5', '0']);
  expect([1.26, -0.04].map((v) => signed(v, 1))).toEqual(['+1.3', '0.0']);
  expect([shortened('masks/mouth.png', 10), shortened('mouth', 10)]).toEqual(['\u2026mouth.png', 'mouth']);
  expect([decibels(38.25), decibels(null), decibels(undefined)]).toEqual(['38.3\u00a0dB', 'lossless', '\u2013']);
});

test('tileSize() enlarges by halves of a pixel, and evenColumns() fills rows alike', () => {
  expect([70, 90, 40, 20].map((room) => tileSize(room, [3, 32, 32]))).toEqual([64, 80, 40, 20]);
  expect(tileSize(70.6, [5])).toBe(70);
  expect([[6, 4], [7, 4], [3, 8], [5, 0]].map(([count = 0, most = 0]) => evenColumns(count, most))).toEqual([3, 4, 3, 1]); // prettier-ignore
});
