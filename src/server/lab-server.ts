import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

import { LabError, StoreError } from '../errors/errors.ts';
import { refusalOf } from './guard.ts';
import { COMMON, LAB_POLICY, RUN_POLICY, typeOf } from './headers.ts';
import { openInside } from './open-inside.ts';
import type { OpenFile } from './open-inside.ts';
import { listing, openRunFile } from './runs.ts';
import { pathParts } from './target.ts';

/** What is served, and where. */
export interface LabServerOptions {
  /** Folder of the built lab. */
  readonly site: string;
  /** Folder of runs; it need not exist. */
  readonly runs: string;
  /** First port to try; 0 takes any that is free. */
  readonly port: number;
  /** Hears one line for each port that is taken. */
  readonly say: (line: string) => void;
}

/** A server that listens; disposing ends it and every connection. */
export interface LabServer extends AsyncDisposable {
  readonly port: number;
  /** Address of the lab. */
  readonly url: string;
}

/** Only programs of this machine reach it. */
const ADDRESS = '127.0.0.1';
/** Ports that are tried one after another. */
const PORTS = 20;

/**
 * Serves the built lab and the files of runs on the loopback address, to this machine's browser alone.
 * @throws StoreError where no port is free
 */
export async function startLabServer({ site, runs, port, say }: LabServerOptions): Promise<LabServer> {
  const server = createServer((request, response) => {
    const own = (server.address() as { port: number }).port;
    answer(request, response, { site, runs, port: own }).catch(() => response.destroy());
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  const found = await listenOnFirst(server, port, say);
  return {
    port: found,
    url: `http://${ADDRESS}:${found}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listenOnFirst(server: Server, first: number, say: (line: string) => void): Promise<number> {
  const last = first === 0 ? 0 : Math.min(65_535, first + PORTS - 1);
  for (let port = first; port <= last; port++) {
    const failure = await listen(server, port);
    if (failure === undefined) return (server.address() as { port: number }).port;
    if (failure.code !== 'EADDRINUSE') {
      throw new StoreError(`port ${port}`, `cannot be listened on (${failure.code}). Give another --port.`, {
        cause: failure,
      });
    }
    if (port < last) say(`port ${port} is taken: trying ${port + 1}`);
  }
  throw new StoreError(`port ${first}`, `is taken, and so are all up to ${last}. Give another --port.`);
}

function listen(server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, ADDRESS, () => {
      server.removeListener('error', resolve);
      resolve(undefined);
    });
  });
}

interface Served {
  readonly site: string;
  readonly runs: string;
  readonly port: number;
}

async function answer(request: IncomingMessage, response: ServerResponse, { site, runs, port }: Served): Promise<void> {
  const refusal = refusalOf(request, port);
  if (refusal !== undefined) {
    // Whatever else comes on this connection is not wanted.
    response.shouldKeepAlive = false;
    sendText(request, response, refusal.status, refusal.reason, refusal.status === 405 ? { Allow: 'GET, HEAD' } : {});
    return;
  }
  const parts = pathParts(request.url ?? '');
  if (parts === undefined) {
    sendText(request, response, 400, 'Expected a plain path.');
    return;
  }
  const [area, kind, ...rest] = parts;
  if (area === 'api' && kind === 'runs') {
    await (rest.length === 0 ? sendRuns(request, response, runs) : sendRunFile(request, response, runs, rest));
    return;
  }
  const names = parts.length === 0 ? ['index.html'] : parts;
  // Names of built files hold a hash of their content.
  const caching = area === 'assets' ? 'public, max-age=31536000, immutable' : 'no-cache';
  const headers = { 'Cache-Control': caching, 'Content-Security-Policy': LAB_POLICY };
  await sendFile(request, response, names.at(-1) as string, await openInside(site, names), headers);
}

async function sendRuns(request: IncomingMessage, response: ServerResponse, folder: string): Promise<void> {
  try {
    const body = JSON.stringify(await listing(folder));
    send(request, response, 200, body, { 'Content-Type': typeOf('runs.json'), 'Cache-Control': 'no-store' });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    sendText(request, response, 500, error.message);
  }
}

async function sendRunFile(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  parts: readonly string[],
): Promise<void> {
  const headers = { 'Cache-Control': 'no-store', 'Content-Security-Policy': RUN_POLICY };
  await sendFile(request, response, parts.at(-1) as string, await openRunFile(folder, parts), headers);
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  file: OpenFile | undefined,
  headers: Record<string, string>,
): Promise<void> {
  if (file === undefined) {
    sendText(request, response, 404, 'There is no such file.');
    return;
  }
  await using handle = file.handle;
  response.writeHead(200, { ...COMMON, ...headers, 'Content-Type': typeOf(name), 'Content-Length': file.bytes });
  if (request.method === 'HEAD' || file.bytes === 0) {
    response.end();
    return;
  }
  // A file that grows meanwhile is sent as long as it was.
  await pipeline(handle.createReadStream({ autoClose: false, end: file.bytes - 1 }), response);
}

function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  send(request, response, status, `${text}\n`, {
    'Content-Type': typeOf('answer.txt'),
    'Cache-Control': 'no-store',
    ...headers,
  });
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string>,
): void {
  const body = Buffer.from(text);
  response.writeHead(status, { ...COMMON, ...headers, 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
