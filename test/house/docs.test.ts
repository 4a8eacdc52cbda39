import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';

import { describe, expect, it } from 'vitest';

import { commands } from '../../src/cli/commands.ts';
import { literalUnion, namedCommands, namedScripts, relativeLinks } from './docs.ts';
import { floorOf } from './floors.ts';
import { LAST_DOCUMENTED_FLOOR } from './house-rules.ts';
import { readSource } from './source-file.ts';
import { readTree, ROOT } from './tree.ts';

const read = (path: string): string => readFileSync(`${ROOT}/${path}`, 'utf8');

const pages = new Map([
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].map((path) => [path, read(path)] as const),
  ...readTree('docs', '.md'),
]);

describe('the documentation', () => {
  it('has a comment on every export of the documented floors', () => {
    const bare = [...readTree('src', '.ts')]
      .filter(([path]) => !path.endsWith('.test.ts') && (floorOf(path) ?? Infinity) <= LAST_DOCUMENTED_FLOOR)
      .flatMap(([path, text]) =>
        readSource(path, text).undocumented.map((e) => `${path}:${e.line}: say in one sentence what ${e.name} is.`),
      );
    expect(bare).toEqual([]);
  });

  it('explains every error code, and no other', () => {
    const codes = literalUnion(read('src/errors/errors.ts'), 'ErrorCode');
    const explained = [...read('docs/errors.md').matchAll(/^\| `(E_[A-Z]+)` *\|/gm)].map((m) => m[1]);
    expect(codes.length).toBeGreaterThan(5);
    expect(explained.toSorted()).toEqual(codes.toSorted());
  });

  it('links only to files that exist', () => {
    const dead = [...pages].flatMap(([page, text]) =>
      relativeLinks(text)
        .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target} does not exist.`),
    );
    expect(dead).toEqual([]);
  });

  it('names only commands and scripts that exist', () => {
    const known = new Set(commands.map((c) => c.name));
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const unknown = [...pages]
      .filter(([page]) => page === 'README.md' || page === 'CONTRIBUTING.md')
      .flatMap(([page, text]) => [
        ...namedCommands(text)
          .filter((name) => !known.has(name))
          .map((name) => `${page}: no command ${name}.`),
        ...namedScripts(text)
          .filter((name) => !(name in scripts))
          .map((name) => `${page}: no script ${name}.`),
      ]);
    expect(unknown).toEqual([]);
  });
});

describe('readSource()', () => {
  it('finds exports without a comment, and takes one of any kind for enough', () => {
    const text = '/** Said. */\nexport const a = 1;\nexport const b = 2;\nconst c = 3;\nexport function d(): void {}\n';
    expect(readSource('x.ts', text).undocumented).toEqual([
      { name: 'b', line: 3 },
      { name: 'd', line: 5 },
    ]);
  });
});

describe('relativeLinks()', () => {
  it('returns links and pictures into the repository, not addresses, anchors or code', () => {
    const text = '[a](docs/a.md#part) ![b](b.png) <img src="c.svg"> [d](https://d.org) [e](#e)\n```\n[f](f.md)\n```\n';
    expect(relativeLinks(text)).toEqual(['docs/a.md', 'b.png', 'c.svg']);
  });
});

describe('namedCommands() and namedScripts()', () => {
  it('read code blocks and inline code, not prose', () => {
    const text =
      'eigenlens measures. Run `npx eigenlens data fashion`:\n```sh\nnpm ci && npm start\neigenlens inspect\n```\n`npm run bench`';
    expect(namedCommands(text)).toEqual(['data', 'inspect']);
    expect(namedScripts(text)).toEqual(['start', 'bench']);
  });
});
