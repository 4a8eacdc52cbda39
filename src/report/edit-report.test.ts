import { parseHTML } from 'linkedom';
import { beforeAll, expect, test } from 'vitest';

import { openDataset } from '../data/open.ts';
import { boxMask, strokeMask } from '../editing/mask.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { renderEditReport } from './edit-report.ts';
import { editRun } from './edit-run.fixture.ts';
import type { EditShown } from './figures/edit-tiles.ts';
import { showMeasured } from './svg.ts';

let faces: EditShown;
let page: string;

beforeAll(async () => {
  const data = await openDataset('faces-heldout');
  const read = async (...indices: number[]): Promise<Tensor<'float32'>> => castFloat(await data.read(indices), 'float32'); // prettier-ignore
  const size = { height: 32, width: 32 };
  const masks = [
    boxMask(size, { x: 10, y: 16, width: 12, height: 9 }),
    strokeMask(size, [{ x: 9, y: 13 }, { x: 23, y: 13 }], 3), // prettier-ignore
  ];
  const [images, goals] = [await read(3, 11, 17), await read(50, 51, 52, 53, 54, 55)];
  faces = editRun({ images, goals, masks, judged: true });
  page = await renderEditReport(faces);
});

/** A small run of points. */
function points(): EditShown {
  const wave = (count: number, step: number): Tensor<'float32'> =>
    tensor(
      'float32',
      [count, 6],
      Float32Array.from({ length: 6 * count }, (_, i) => 0.8 * Math.sin(step * i)),
    );
  return editRun({ images: wave(2, 0.7), goals: wave(2, 0.3) });
}

function cells(html: string, section: string): string[][] {
  const { document } = parseHTML(html);
  const rows: Iterable<{ querySelectorAll(s: string): Iterable<{ textContent: string | null }> }> =
    document.querySelectorAll(`#${section} tbody tr`);
  return [...rows].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''));
}

test('renderEditReport() has every figure with a title and a reading, the tables, remarks and definitions', () => {
  const { document } = parseHTML(page);
  const sections = [...document.querySelectorAll('section')];
  const figures = ['parts', 'strips', 'directions', 'slopes', 'changes', 'transfer', 'composition'];
  expect(sections.map((section: { id: string }) => section.id)).toEqual([...figures, 'numbers', 'attributes', 'remarks', 'notes']); // prettier-ignore
  for (const section of sections.slice(0, figures.length)) {
    expect(section.querySelector('h2')?.textContent).toMatch(/\w/);
    expect(section.querySelector('.reading')?.textContent).toMatch(/\.$/);
    expect(section.querySelectorAll('figure > div > svg')).toHaveLength(2);
  }
  expect(document.querySelector('h1')?.textContent).toBe('faces-heldout 0, edited');
  expect(document.querySelector('pre')?.textContent).toBe('eigenlens edit faces 3 --seed 0');
  expect(document.querySelector('#notes')?.textContent).toContain('arXiv:2409.02374');
});

test('renderEditReport() needs nothing but itself, holds each picture once, and stays small', () => {
  expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/i);
  const targets = [...page.matchAll(/\s(?:src|href)="([^"]*)"/g)].map((m) => m[1] ?? '');
  const pictures = targets.filter((target) => !target.startsWith('#'));
  expect(pictures.every((target) => target.startsWith('data:image/png;base64,'))).toBe(true);
  // The image, noise, 3 reconstructions, 6 directions and their changes, 6 x 7 edits, 6 x 2 x 2 transfers, 3 composed and their sum.
  expect(pictures).toHaveLength(1 + 1 + 3 + 6 + 6 + 42 + 24 + 4);
  const ids = new Set([...page.matchAll(/ id="((?:tile|mask)-[^"]*)"/g)].map((m) => `#${m[1] ?? ''}`));
  expect(new Set(targets.filter((target) => target.startsWith('#')))).toEqual(ids);
  expect(page.length).toBeLessThan(500_000);
});

test('renderEditReport() says the key numbers: directions, round trip, median ratio, least cosine', () => {
  const { document } = parseHTML(page);
  const keys = [...document.querySelectorAll('.keys dd')].map((node: { textContent: string | null }) => node.textContent ?? ''); // prettier-ignore
  const ratios = faces.result.directions.map(({ ratio }) => ratio ?? 0).sort((a, b) => a - b);
  const median = ((ratios[2] ?? 0) + (ratios[3] ?? 0)) / 2;
  expect(keys[0]).toMatch(/^6in 2 parts of the image, 41\.5 s; one is applied in 2\.25 s/);
  expect(keys[1]).toMatch(/^38\.3\u00a0dB.*others from 36\.3\u00a0dB$/);
  expect(keys[2]?.startsWith(`${showMeasured(median)}\u00d7`)).toBe(true);
  expect(keys[3]).toMatch(/^0\.968.*direction 6/);
});

test('renderEditReport() has a line a direction with all its numbers, and a line an attribute with its R^2', () => {
  const rows = cells(page, 'numbers');
  expect(rows).toHaveLength(6);
  const last = faces.result.directions[5];
  const ssim = ((last?.changes[0]?.ssim ?? 0) + (last?.changes.at(-1)?.ssim ?? 0)) / 2;
  expect(rows[5]?.slice(0, 10)).toEqual(['6', 'part 2', '0.153', '1.5e\u22125', '0.960', '0.150', '0.011', '0.135', '0.975', '0.968']); // prettier-ignore
  expect(Number(rows[5]?.[11])).toBeCloseTo(ssim, 1);
  expect(rows[5]?.[12]).toBe('0.65');
  expect(rows[5]?.[13]).toContain(last?.attributes?.[0]?.name);
  const attributes = cells(page, 'attributes');
  expect(attributes.map(([name]) => name)).toEqual(Object.keys(faces.result.judge ?? {}));
  const smile = faces.result.directions.map(({ attributes: a }) => a?.find(({ name }) => name === 'smile'));
  const shifts = smile.map((a) => ((a?.plus ?? 0) - (a?.minus ?? 0)).toFixed(1).replace('-', '\u2212'));
  expect(attributes[0]?.slice(2).map((text) => text.replace('+', ''))).toEqual(shifts);
});

test('renderEditReport() names methods where they differ, and a perceptual distance where there is one', async () => {
  const directions = faces.result.directions.map((d, i) => ({
    ...d,
    method: i === 0 ? ('random' as const) : d.method,
    value: i === 0 ? null : d.value,
    changes: d.changes.map((c) => ({ ...c, perceptual: 0.25 })),
  }));
  const html = await renderEditReport({ ...faces, result: { ...faces.result, directions } });
  const [first, second] = cells(html, 'numbers');
  expect(first?.slice(2, 4)).toEqual(['random', '\u2013']);
  expect(second?.[2]).toBe('loco');
  expect(first?.[13]).toBe('0.25');
  expect(html).toContain('found at random and by LOCO Edit');
});

test('renderEditReport() shows samples that are no images, without pictures or an outside', async () => {
  const html = await renderEditReport(points());
  expect(html).not.toMatch(/<image|NaN|undefined/);
  expect(html).toContain('2 edit directions in the whole sample, found by the Jacobian of the posterior mean');
  expect(html).toContain('Measured over predicted');
  expect(cells(html, 'numbers')[0]?.slice(10, 12)).toEqual(['\u2013', '\u2013']);
});

test('renderEditReport() escapes every text that comes from outside', async () => {
  const hostile = '<img src=x onerror="alert(1)">&\'';
  const { result, arrays } = points();
  const html = await renderEditReport({
    arrays,
    result: {
      ...result,
      spec: { ...result.spec, mask: hostile },
      model: { name: hostile, hash: hostile },
      images: result.images.map((image) => ({ ...image, name: hostile })),
      parts: [{ name: hostile, share: 1 }],
      judge: { [hostile]: 0.5 },
      directions: result.directions.map((d) => ({ ...d, attributes: [{ name: hostile, minus: -1, plus: 1 }] })),
      notes: [hostile],
      versions: { [hostile]: hostile },
      startedAt: hostile,
      command: hostile,
      files: [hostile],
    },
  });
  expect(html).not.toContain('<img');
  expect(parseHTML(html).document.querySelector('pre')?.textContent).toBe(hostile);
});

test('renderEditReport() of the same result is the same text', async () => {
  expect(await renderEditReport(faces)).toBe(page);
});
