import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { build } from 'vite';

import type { PageCalls } from './page.ts';

/** Chromium without a window is a program of its own; the full one opens pages of its own beside each of ours. */
const usualPlaces = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** Chromium on this machine: the one that CHROMIUM names, or where distributions put it. */
export const chromiumPath: string | undefined = [process.env['CHROMIUM'] ?? '', ...usualPlaces].find(existsSync);

/** For the title of the tests: where they run, or why they do not. */
export const chromiumNote: string =
  chromiumPath ?? `skipped: no Chromium at ${usualPlaces.join(' or ')}; install it, or set CHROMIUM to its path`;

/** Bundles the page as an application would be. @returns the folder, for the caller to remove */
export async function buildPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eigenlens-page-'));
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'esnext',
      minify: false,
      modulePreload: false,
      rolldownOptions: { input: join(import.meta.dirname, 'page.html') },
    },
    worker: { format: 'es' },
  });
  return folder;
}

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The files of a folder and a few made ones over HTTP. */
export interface Site extends AsyncDisposable {
  readonly url: string;
}

/**
 * Serves `folder`, and `made` by path, on a free port.
 * @param isolated  whether to send the headers that let a page share memory between threads
 */
export async function serveSite(
  folder: string,
  made: ReadonlyMap<string, Uint8Array>,
  isolated: boolean,
): Promise<Site> {
  const headers = isolated
    ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
    : {};
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const known = made.get(path);
    const bytes = known === undefined ? readFile(join(folder, path)) : Promise.resolve(known);
    bytes.then(
      (body) => {
        response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream', ...headers });
        response.end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How Chromium is started. */
export interface ChromiumOptions {
  /** WebGPU, which runs on the processor where there is no card (SwiftShader). Default true. */
  readonly webgpu?: boolean;
}

/** Starts Chromium. */
export function launchChromium({ webgpu = true }: ChromiumOptions = {}): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: ['--no-sandbox', ...(webgpu ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : [])],
  });
}

/** A page that is ready to be called. */
export interface OpenPage {
  call<K extends keyof PageCalls>(name: K, ...given: Parameters<PageCalls[K]>): ReturnType<PageCalls[K]>;
  /** Uncaught errors and errors on the console. */
  readonly complaints: readonly string[];
}

/** Opens the built page. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(() => 'eigenlens' in globalThis);
  return {
    complaints,
    call: <K extends keyof PageCalls>(name: K, ...given: Parameters<PageCalls[K]>) =>
      page.evaluate(`eigenlens[${JSON.stringify(name)}](...${JSON.stringify(given)})`) as ReturnType<PageCalls[K]>,
  };
}

/** Removes a built page. */
export function removePage(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
