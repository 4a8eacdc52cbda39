import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ROOT } from '../../test/house/tree.ts';
import { createRunFolder } from '../store/run-folder.ts';
import { LAB_POLICY } from './headers.ts';
import { startLabServer } from './lab-server.ts';
import type { LabServer } from './lab-server.ts';
import type { RunListing } from './runs.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: LabServer;
let folder: string;
const SECRET = 'nobody may read this';
const resources = new AsyncDisposableStack();

/** Sends a request as it is written, unlike `fetch`, which mends paths and headers. */
function ask(
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request(
      { host: '127.0.0.1', port: server.port, path: target, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are. @returns the status line, or nothing where the server hangs up */
function askRaw(text: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      socket.end();
    });
    socket.on('error', () => resolve(said));
    socket.on('close', () => resolve(said.split('\r\n')[0] ?? ''));
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-server-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const [site, runs] = [join(folder, 'site'), join(folder, 'runs')];
  await mkdir(join(site, 'assets'), { recursive: true });
  await writeFile(join(site, 'index.html'), '<!doctype html><title>lab</title>');
  await writeFile(join(site, 'assets', 'main-abc.js'), 'export {};');
  await writeFile(join(site, 'assets', 'x.wasm'), '');
  await mkdir(join(site, 'api'));
  await writeFile(join(site, 'api', 'runs'), 'null');
  await writeFile(join(site, '.hidden'), SECRET);
  await writeFile(join(folder, 'secret.txt'), SECRET);
  await symlink(join(folder, 'secret.txt'), join(site, 'link.txt'));
  await symlink(folder, join(site, 'up'));
  await using run = await createRunFolder(join(runs, 'a', 'b c'));
  await run.write('report.html', '<script>alert(1)</script>');
  await run.writeJson('spec.json', { command: 'inspect', name: 'test' });
  await run.commit();
  await writeFile(join(runs, 'a', 'b c', 'notes.txt'), SECRET);
  await using linked = await createRunFolder(join(runs, 'linked'));
  await linked.write('figure.svg', '<svg/>');
  await linked.commit();
  await rm(join(runs, 'linked', 'figure.svg'));
  await symlink(join(folder, 'secret.txt'), join(runs, 'linked', 'figure.svg'));
  await symlink(join(runs, 'a'), join(runs, 'round'));
  server = await startLabServer({ site, runs, port: 0, say: () => undefined });
  resources.use(server);
});
afterAll(() => resources.disposeAsync());

describe('startLabServer()', () => {
  it('serves the page, its files with their types, and lets pages share memory', async () => {
    const page = await ask('/');
    expect(page).toMatchObject({ status: 200, body: '<!doctype html><title>lab</title>' });
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    });
    const script = await ask('/assets/main-abc.js?v=1');
    expect(script).toMatchObject({ status: 200, body: 'export {};' });
    expect(script.headers['cache-control']).toContain('immutable');
    expect((await ask('/assets/x.wasm')).headers).toMatchObject({
      'content-type': 'application/wasm',
      'content-length': '0',
    });
  });

  it('answers HEAD like GET without the body', async () => {
    const [head, get] = [await ask('/', { method: 'HEAD' }), await ask('/')];
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });

  it('lists runs by their paths inside the folder, and hands out the files that a run names', async () => {
    // Not the file of the built lab, which says on other hosts that there are none.
    const answer = await ask('/api/runs');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const { runs, skipped } = JSON.parse(answer.body) as RunListing;
    expect(runs.map(({ path, job, name }) => [path, job, name])).toEqual([['a/b c', 'inspect', 'test']]);
    expect(runs[0]?.files.map((f) => f.name)).toEqual(['report.html', 'spec.json']);
    expect(answer.body).not.toContain(folder.slice(1) + '/runs/a');
    // The file behind the link is not the one that its manifest counted.
    expect(skipped.map(({ path }) => path)).toEqual(['linked']);
    const report = await ask('/api/runs/a/b%20c/report.html');
    expect(report).toMatchObject({ status: 200, body: '<script>alert(1)</script>' });
    expect((await ask('/api/runs/a/b%20c/run.json')).status).toBe(200);
  });

  it('lets reports of runs run nothing and fetch nothing', async () => {
    const policy = (await ask('/api/runs/a/b%20c/report.html')).headers['content-security-policy'];
    expect(policy).toMatch(/default-src 'none'.*sandbox$/);
  });

  it.each([
    ['another host', { Host: 'evil.example' }],
    ['another port', { Host: '127.0.0.1:1' }],
    ['a name that was pointed here', { Host: 'evil.example:80' }],
  ])('refuses %s', async (_, headers) => {
    const answer = await ask('/api/runs', { headers });
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('This server is for this machine');
  });

  it.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1', 'http://localhost.evil.example'])(
    'refuses the origin %s',
    async (origin) => {
      expect((await ask('/api/runs', { headers: { Origin: origin } })).status).toBe(403);
    },
  );

  it('serves its own pages under each of its names', async () => {
    const { port } = server;
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
      const headers = { Host: `${name}:${port}`, Origin: `http://${name}:${port}`, 'Sec-Fetch-Site': 'same-origin' };
      expect((await ask('/api/runs', { headers })).status).toBe(200);
    }
  });

  it('refuses what a page of another site fetches or embeds, and lets a link lead here', async () => {
    const from = (site: string, mode: string, dest: string): Promise<Answer> =>
      ask('/', { headers: { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode, 'Sec-Fetch-Dest': dest } });
    expect((await from('cross-site', 'no-cors', 'image')).status).toBe(403);
    expect((await from('same-site', 'no-cors', 'script')).status).toBe(403);
    expect((await from('cross-site', 'navigate', 'iframe')).status).toBe(403);
    expect((await from('cross-site', 'navigate', 'document')).status).toBe(200);
    expect((await from('none', 'navigate', 'document')).status).toBe(200);
    expect((await ask('/')).headers['cross-origin-resource-policy']).toBe('same-origin');
  });

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/%2E%2e%2fsecret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/%252e%252e/secret.txt',
    '//secret.txt',
    '/./index.html',
    '/.hidden',
    '/%2ehidden',
    '/index.html%00.js',
    '/index.html%0d%0aX:y',
    '/%ff%fe',
    '/%',
    '/link.txt',
    '/up/secret.txt',
    '/assets',
    '/assets/',
    '/nothing',
    '/api',
    '/api/other',
    '/api/runs/',
    '/api/runs/a/b%20c/notes.txt',
    '/api/runs/a/b%20c/missing.html',
    '/api/runs/a/b%20c',
    '/api/runs/a/../../secret.txt',
    '/api/runs/%2e%2e/secret.txt',
    '/api/runs/a%2fb%20c/report.html',
    '/api/runs/linked/figure.svg',
    '/api/runs/round/b%20c/report.html',
    '/api/runs/secret.txt',
  ])('hands out nothing for %s', async (target) => {
    const { status, body } = await ask(target);
    expect([400, 404]).toContain(status);
    expect(body).not.toContain(SECRET);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])('refuses %s', async (method) => {
    const answer = await ask('/api/runs', { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });

  it('takes nothing in', async () => {
    const headers = { 'Content-Length': '4' };
    expect((await ask('/', { headers, body: 'data' })).status).toBe(413);
    expect((await ask('/', { headers: { 'Transfer-Encoding': 'chunked' }, body: 'data' })).status).toBe(413);
  });

  it('serves no other form of request, and lives on', async () => {
    const { port } = server;
    const host = `Host: 127.0.0.1:${port}\r\n`;
    expect(await askRaw(`GET http://evil.example/ HTTP/1.1\r\n${host}\r\n`)).toMatch(/ 400 /);
    expect(await askRaw(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\n${host}\r\n`)).toMatch(/ 400 /);
    expect(await askRaw('GET / HTTP/1.0\r\n\r\n')).toMatch(/ 403 /);
    expect(await askRaw('GET / HTTP/1.1\r\nHost:\r\n\r\n')).toMatch(/ 403 /);
    expect(await askRaw('GET / HTTP/1.1\r\n\r\n')).toMatch(/ 400 /);
    expect(await askRaw(`OPTIONS * HTTP/1.1\r\n${host}\r\n`)).toMatch(/ 405 /);
    expect(await askRaw(`CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`)).not.toMatch(/ 200 /);
    expect(await askRaw(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`)).toMatch(/ 431 /);
    expect(await askRaw('\u0016\u0003\u0001 not http\r\n\r\n')).toMatch(/ 400 |^$/);
    expect((await ask('/')).status).toBe(200);
  });

  it('listens on the loopback address only', () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
  });

  it('takes the next port where one is taken, and says so', async () => {
    await using other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const said: string[] = [];
    await using next = await startLabServer({ site: folder, runs: folder, port, say: (line) => said.push(line) });
    expect(next.port).toBeGreaterThan(port);
    expect(said[0]).toBe(`port ${port} is taken: trying ${port + 1}`);
  });

  it('lists no runs where there is no folder of them yet', async () => {
    await using fresh = await startLabServer({
      site: folder,
      runs: join(folder, 'none'),
      port: 0,
      say: () => undefined,
    });
    const listing = (await (await fetch(`${fresh.url}api/runs`)).json()) as RunListing;
    expect(listing.runs).toEqual([]);
  });
});

it('the policy of the page itself is the one that the server sends', () => {
  const page = readFileSync(`${ROOT}/lab/index.html`, 'utf8');
  expect(page).toContain(`content="${LAB_POLICY}"`);
});
