import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';

import { builtLab } from '../../src/server/built-lab.ts';
import { startLabServer } from '../../src/server/lab-server.ts';
import { launchChromium } from '../browser/browser.ts';

/** A page of the lab and what is wrong with it. */
export interface LabPage {
  readonly page: Page;
  /** Uncaught errors, errors and warnings of the console, and requests that failed or left this machine. */
  readonly complaints: readonly string[];
  /**
   * In light and in dark, 1280 and 390 px wide: what axe finds serious or critical, and whether the page is wider than its window or the name
   * of the room out of sight; a line each.
   */
  readonly flaws: () => Promise<string[]>;
}

/** How a page is opened. */
export interface LabPageOptions {
  /** Address after the page's name, `#correlation.1?p=100`. */
  readonly hash?: string;
  /** Runs in the page before its own scripts. */
  readonly script?: string;
}

/** The built lab, served, in a browser. */
export interface TestLab extends AsyncDisposable {
  readonly url: string;
  /** All that were opened; they close with the lab. */
  readonly pages: readonly LabPage[];
  open(options?: LabPageOptions): Promise<LabPage>;
}

/** Builds the lab where it is out of date, serves it and starts Chromium. @param runs  folder of runs, default one that does not exist */
export async function startLab(runs: string = 'no-such-folder'): Promise<TestLab> {
  await using started = new AsyncDisposableStack();
  const site = await builtLab({ say: () => undefined });
  const server = started.use(await startLabServer({ site, runs, port: 0, say: () => undefined }));
  const browser = await launchChromium();
  started.defer(() => browser.close());
  const all = started.move();
  const pages: LabPage[] = [];
  return {
    url: server.url,
    pages,
    open: async (options = {}) => {
      const opened = await openPage(browser, server.url, options);
      pages.push(opened);
      return opened;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function openPage(browser: Browser, url: string, { hash = '', script }: LabPageOptions): Promise<LabPage> {
  const page = await browser.newPage({ viewport: { width: looks[0].width, height: 900 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('requestfailed', (request) => {
    // A page that is left, or a room that is closed, cancels what it asked for: nothing failed.
    const failure = request.failure()?.errorText;
    if (failure !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${failure}`);
  });
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url))
      complaints.push(`left: ${request.url()}`);
  });
  if (script !== undefined) await page.addInitScript(script);
  await page.goto(`${url}${hash}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { page, complaints, flaws: () => flawsOf(page) };
}

const looks = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 390 },
  { colorScheme: 'dark', width: 390 },
] as const;

async function flawsOf(page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.locator('.katex').first().waitFor({ timeout: 60_000 });
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    const flaws = await violationsOf(page);
    const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth'); // prettier-ignore
    if (beyond > 0) flaws.push(`${beyond} px wider than its window`);
    const [left, right] = await page.evaluate<[number, number]>('(({ left, right }) => [left, innerWidth - right])(document.querySelector("nav [aria-current]").getBoundingClientRect())'); // prettier-ignore
    if (left < 0 || right < 0) flaws.push('the name of the room is out of sight');
    found.push(...flaws.map((flaw) => `${colorScheme}, ${width} px: ${flaw}`));
  }
  await page.emulateMedia({ colorScheme: looks[0].colorScheme });
  await page.setViewportSize({ width: looks[0].width, height: 900 });
  return found;
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
  }[];
}

async function violationsOf(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResult>('axe.run(document)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target.join(' ')}`));
}
