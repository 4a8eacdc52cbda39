/** The lab in headless Chromium: first view of each room, answers of the microscope to its noise slider, and how long the page is ever busy. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { chromiumPath } from '../../test/browser/browser.ts';
import { startLab } from '../../test/lab/lab.ts';
import type { LabPage, TestLab } from '../../test/lab/lab.ts';
import { line, median } from '../measure.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
});
const rounds = Number(options.rounds);

/** In the order of the navigation. */
const rooms = ['correlation', 'subspaces', 'microscope', 'editor', 'memorizing', 'runs'] as const;
const PATIENCE = { timeout: 120_000 };

/** Run in each page before its own scripts: tasks of more than 50 ms, and when what is shown changed after a key. */
const watch = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration]))).observe({ type: 'longtask', buffered: true });
  const shown = {
    image: () => {
      const canvas = document.querySelector('[aria-label*="D(x)"] canvas');
      return canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.join();
    },
    triplets: () => document.querySelector('[aria-label="Right singular vectors"]')?.textContent,
  };
  globalThis.answers = { image: [], triplets: [] };
  addEventListener('keydown', () => {
    const began = performance.now();
    for (const [name, read] of Object.entries(shown)) {
      const before = read();
      const look = () => (read() === before ? requestAnimationFrame(look) : answers[name].push(performance.now() - began));
      requestAnimationFrame(look);
    }
  }, true);
`;

interface View {
  readonly opened: LabPage;
  /** From the request to the second frame after the first control is there, ms. */
  readonly firstMs: number;
}

/** A new context keeps nothing of the visits before. */
async function visit(lab: TestLab, room: string): Promise<View> {
  const opened = await lab.open({ hash: `#${room}`, script: watch });
  const firstMs = await opened.page.evaluate<number>(`new Promise((resolve) => {
    const look = () => {
      const isThere = document.querySelector('main :is(input, select, button)') !== null;
      requestAnimationFrame(isThere ? () => requestAnimationFrame(() => resolve(performance.now())) : look);
    };
    look();
  })`);
  return { opened, firstMs };
}

/** Longest task that began in a time of the page, ms. */
async function longest({ page }: LabPage, from: number, to: number): Promise<number> {
  const tasks = await page.evaluate<[number, number][]>('longTasks');
  return Math.max(0, ...tasks.filter(([start]) => start >= from && start < to).map(([, duration]) => duration));
}

function spread(times: readonly number[]): string {
  return `${median(times).toFixed(0)}, ${Math.max(...times).toFixed(0)}`;
}

if (chromiumPath === undefined) {
  console.log('skipped: no Chromium. Install it, or set CHROMIUM to its path.');
  process.exit();
}
await using lab = await startLab();
console.log(
  `load ${loadavg()[0]?.toFixed(1)}; times in ms, medians and most of ${rounds} visits without a cache; the longest task of the page until its first view, and in ${options.seconds} s of computing after it`,
);
console.log(line(['room', 'first view', 'task before', 'task after']));
for (const room of rooms) {
  const first: number[] = [];
  const [opening, computing]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    const { opened, firstMs } = await visit(lab, room);
    first.push(firstMs);
    await opened.page.waitForTimeout(Number(options.seconds) * 1000);
    opening.push(await longest(opened, 0, firstMs));
    computing.push(await longest(opened, firstMs, Infinity));
    await opened.page.close();
  }
  console.log(line([room, spread(first), spread(opening), spread(computing)]));
}

const { opened } = await visit(lab, 'microscope');
const { page } = opened;
await page.getByRole('img', { name: 'Model: D(x), the posterior mean' }).waitFor(PATIENCE);
const cold = [await page.evaluate<number>('performance.now()')];
await page.getByRole('group', { name: 'Right singular vectors' }).getByRole('button').first().waitFor(PATIENCE);
cold.push(await page.evaluate<number>('performance.now()'));
console.log(`\nmicroscope on WebAssembly, opened with nothing in a cache`);
['D(x)', 'leading 8 triplets'].forEach((what, i) => console.log(line([what, (cold[i] as number).toFixed(0)])));
const noise = page.getByRole('slider', { name: /^Noise/ });
await noise.focus();
await page.evaluate('longTasks.length = 0');
for (let i = 0; i < 2 * rounds; i++) {
  const before = await page.evaluate<number>('Math.min(answers.image.length, answers.triplets.length)');
  await noise.press(i % 2 === 0 ? 'PageUp' : 'PageDown');
  while ((await page.evaluate<number>('Math.min(answers.image.length, answers.triplets.length)')) === before) {
    await page.waitForTimeout(20);
  }
  await page.waitForTimeout(500);
}
console.log(`\nmicroscope on WebAssembly, ${2 * rounds} moves of the noise slider`);
for (const name of ['image', 'triplets'] as const) {
  const times = await page.evaluate<number[]>(`answers.${name}`);
  const what = { image: 'D(x)', triplets: 'leading 8 triplets' }[name];
  console.log(line([what, median(times).toFixed(0), `most ${Math.max(...times).toFixed(0)}`]));
}
console.log(line(['longest task meanwhile', (await longest(opened, 0, Infinity)).toFixed(0)]));
