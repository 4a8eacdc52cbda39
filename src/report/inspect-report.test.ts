import { parseHTML } from 'linkedom';
import { beforeAll, expect, test } from 'vitest';

import type { InspectArrays, InspectResult } from '../experiments/inspect-result.ts';
import { renderReport } from './inspect-report.ts';
import { renderFigureFiles } from './inspect-figures.ts';
import { keyNumbers, lowestRow } from './key-numbers.ts';
import { escapeText, showMeasured, showNumber } from './svg.ts';
import { axesSource, cosineSource, gaussianInspect } from './gaussian-inspect.fixture.ts';

let images: { result: InspectResult; arrays: InspectArrays };

beforeAll(() => {
  images = gaussianInspect(cosineSource(8, 12));
});

test('renderReport() has every figure with a title and a reading, the table and the definitions', async () => {
  const { document } = parseHTML(await renderReport(images.result, images.arrays));
  const sections = [...document.querySelectorAll('section')];
  expect(sections.map((section: { id: string }) => section.id)).toEqual([
    'rank-curve',
    'singular-vectors',
    'spectra',
    'trajectory',
    'samples',
    'linearity',
    'symmetry',
    'numbers',
    'notes',
  ]);
  for (const section of sections.slice(0, 7)) {
    expect(section.querySelector('h2')?.textContent).toMatch(/\w/);
    expect(section.querySelector('.reading')?.textContent).toMatch(/\.$/);
    expect(section.querySelectorAll('figure > div > svg')).toHaveLength(2);
  }
  expect(document.querySelectorAll('tbody tr')).toHaveLength(12);
  expect(document.querySelector('h1')?.textContent).toBe('gaussian:fashion');
  expect(document.querySelector('pre')?.textContent).toBe('eigenlens inspect gaussian:fashion --seed 0');
});

test('renderReport() needs nothing but itself: no address, no script, no file beside it', async () => {
  const html = await renderReport(images.result, images.arrays);
  expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/i);
  const targets = [...html.matchAll(/\s(?:src|href)="([^"]*)"/g)].map((m) => m[1] ?? '');
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.every((target) => target.startsWith('data:image/png;base64,'))).toBe(true);
});

test('renderReport() escapes every text that comes from outside', async () => {
  const hostile = '<img src=x onerror="alert(1)">&\'';
  const html = await renderReport(
    {
      ...images.result,
      model: hostile,
      dataset: { name: hostile, hash: hostile },
      command: hostile,
      files: [hostile],
      startedAt: hostile,
      versions: { eigenlens: hostile, node: hostile },
      reference: { name: hostile, rankCurve: [{ sigma: 1, ratio: 0.5, rule: 'sqrt-energy-0.99' }] },
    },
    images.arrays,
  );
  expect(html).not.toContain('<img');
  const { document } = parseHTML(html);
  expect(document.querySelector('h1')?.textContent).toBe(hostile);
  expect(document.querySelector('pre')?.textContent).toBe(hostile);
});

test('renderReport() of the same result is the same text', async () => {
  expect(await renderReport(images.result, images.arrays)).toBe(await renderReport(images.result, images.arrays));
});

test('renderReport() shows vectors too, and says when a set of triplets did not converge', async () => {
  const { result, arrays } = gaussianInspect(axesSource(48, 6), { levels: 4, kept: 8, samples: 4, images: 1 });
  const triplets = result.triplets.map((t, i) => (i === 0 ? { ...t, status: 'maxIterations' as const } : t));
  const html = await renderReport({ ...result, triplets }, arrays);
  expect(html).not.toContain('<image');
  expect(html).toContain('1 of 8 sets not converged');
  expect(await renderReport(result, arrays)).toContain('all converged');
});

test('keyNumbers() takes means over images and the worst of both sites', () => {
  const at = { sigma: 2, image: 0 } as const;
  const rows = keyNumbers({
    ...images.result,
    dimension: 10,
    sigmas: [2],
    rankCurve: [
      { ...at, site: 'heldout', rule: 'sqrt-energy-0.99', rank: 2, ratio: 0.2 },
      { ...at, image: 1, site: 'heldout', rule: 'sqrt-energy-0.99', rank: 3, ratio: 0.3 },
      { ...at, site: 'trajectory', rule: 'energy-0.99', rank: 7, ratio: 0.7 },
    ],
    triplets: [
      { ...at, site: 'heldout', values: [0.9, 0.1], residuals: [1e-6, 3e-6], bounds: [0, 0], status: 'converged' },
      { ...at, site: 'trajectory', values: [0.8], residuals: [2e-6], bounds: [0], status: 'converged' },
    ],
    symmetryDefect: [
      { ...at, site: 'heldout', defect: 0.1 },
      { ...at, site: 'trajectory', defect: 0.4 },
    ],
  });
  expect(rows).toEqual([
    {
      sigma: 2,
      ranks: {
        heldout: { 'sqrt-energy-0.99': 2.5, 'energy-0.99': undefined },
        trajectory: { 'sqrt-energy-0.99': undefined, 'energy-0.99': 7 },
      },
      ratio: 0.25,
      leading: 0.9,
      residual: 3e-6,
      defect: 0.4,
    },
  ]);
  expect(lowestRow(rows)).toBe(rows[0]);
  expect(lowestRow([])).toBeUndefined();
});

test('renderFigureFiles() gives an SVG for every figure, and a PNG of the samples where they are images', async () => {
  const files = await renderFigureFiles(images.result, images.arrays);
  expect([...files.keys()].sort()).toEqual([
    'linearity.svg',
    'rank-curve.svg',
    'samples.png',
    'samples.svg',
    'singular-vectors.svg',
    'spectra.svg',
    'symmetry.svg',
    'trajectory.svg',
  ]);
  const { result, arrays } = gaussianInspect(axesSource(48, 6), { levels: 4, kept: 8, samples: 4, images: 1 });
  expect([...(await renderFigureFiles(result, arrays)).keys()]).not.toContain('samples.png');
});

test('showNumber() drops zeros at the end, showMeasured() keeps them; neither rounds away whole digits', () => {
  expect([0.002, 80, 1, 784, 0.82345, 1e-7, 12345, 123456, 0, -0.5].map((v) => showNumber(v))).toEqual([
    '0.002',
    '80',
    '1',
    '784',
    '0.823',
    '1e\u22127',
    '12345',
    '1.23e5',
    '0',
    '\u22120.5',
  ]);
  expect([1, 0.1, 784, 8e-9, 0.0124, 0, 9.99].map((v) => showMeasured(v))).toEqual([
    '1.0',
    '0.10',
    '784',
    '8.0e\u22129',
    '0.012',
    '0',
    '10',
  ]);
});

test('escapeText() leaves nothing that HTML or SVG could read as markup', () => {
  expect(escapeText(`<a b="c" d='e'>&`)).toBe('&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;');
});
