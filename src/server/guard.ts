import type { IncomingMessage } from 'node:http';

/** Why a request is not served. */
export interface Refusal {
  readonly status: number;
  /** One sentence. */
  readonly reason: string;
}

/**
 * What is wrong with a request before its path is looked at: whom it names, who sent it, what it wants to do.
 * A page of another site can make a browser send requests here; its name, its origin and what the browser says of the fetch betray it.
 * @param port  that this server listens on
 */
export function refusalOf(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  port: number,
): Refusal | undefined {
  const here = ownHosts(port);
  const { host, origin } = headers;
  if (host === undefined || !here.includes(host.toLowerCase())) {
    return { status: 403, reason: `This server is for this machine: expected the host ${here[0]}.` };
  }
  if (origin !== undefined && !here.some((name) => origin.toLowerCase() === `http://${name}`)) {
    return { status: 403, reason: 'This server answers its own pages only.' };
  }
  if (isForeignFetch(headers)) return { status: 403, reason: 'This server answers its own pages only.' };
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, reason: 'This server only hands out files: expected GET or HEAD.' };
  }
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
    return { status: 413, reason: 'This server takes nothing in: expected a request without a body.' };
  }
  return undefined;
}

/** Names of this server; a loopback address has several. */
function ownHosts(port: number): string[] {
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  return [...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])];
}

/** Whether another site's page fetches; following a link to here is fine. */
function isForeignFetch(headers: IncomingMessage['headers']): boolean {
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  return !isOwn && !(headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document');
}
