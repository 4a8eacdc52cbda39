import { describe, expect, it } from 'vitest';

import { findBreaches } from './floors.ts';
import { readTree, scriptOf } from './tree.ts';

/** Breaches of a small house made of these files. */
const breachesOf = (files: Record<string, string>): string[] => findBreaches(new Map(Object.entries(files)));

describe('the house', () => {
  it('stands: every import of src and of the lab goes down, none runs in a circle', () => {
    const sources = readTree('src', '.ts');
    expect(sources.size).toBeGreaterThan(20);
    const components = [...readTree('lab', '.svelte')].map(([path, text]) => [path, scriptOf(text)] as const);
    expect(components.length).toBeGreaterThan(10);
    expect(findBreaches(new Map([...sources, ...readTree('lab', '.ts'), ...components]))).toEqual([]);
  });
});

describe('findBreaches()', () => {
  const errors = { 'src/errors/errors.ts': 'export const a = 1;' };

  it('accepts an import from a lower floor and from the same folder', () => {
    const files = {
      ...errors,
      'src/linalg/a.ts': "import { a } from '../errors/errors.ts';\nimport { b } from './b.ts';",
      'src/linalg/b.ts': 'export const b = 1;',
    };
    expect(breachesOf(files)).toEqual([]);
  });

  it('refuses an import upwards, even of a type', () => {
    const files = {
      'src/tensor/tensor.ts': "import type { D } from '../denoisers/denoiser.ts';",
      'src/denoisers/denoiser.ts': 'export interface D {}',
    };
    expect(breachesOf(files)).toEqual([
      expect.stringMatching(
        /^src\/tensor\/tensor\.ts:1: imports upwards, tensor \(floor 1\) from denoisers \(floor 3\)\./,
      ),
    ]);
  });

  it('refuses an import sideways, also a lazy one and a worker', () => {
    const files = {
      'src/data/a.ts': "const m = import('../linalg/b.ts');\nconst w = new URL('../linalg/b.ts', import.meta.url);",
      'src/linalg/b.ts': 'export const b = 1;',
    };
    expect(breachesOf(files)).toEqual([
      expect.stringContaining('src/data/a.ts:1: imports sideways'),
      expect.stringContaining('src/data/a.ts:2: imports sideways'),
    ]);
  });

  it('refuses a cycle at load time and names its files', () => {
    const files = {
      'src/linalg/a.ts': "import { b } from './b.ts';",
      'src/linalg/b.ts': "export { c } from './c.ts';",
      'src/linalg/c.ts': "import { a } from './a.ts';",
    };
    expect(breachesOf(files)).toEqual([
      expect.stringContaining(
        'src/linalg/a.ts -> src/linalg/b.ts -> src/linalg/c.ts -> src/linalg/a.ts: import each other',
      ),
    ]);
  });

  it('lets two files of a folder know each other by type', () => {
    const files = {
      'src/linalg/a.ts': "import { b } from './b.ts';",
      'src/linalg/b.ts': "import type { A } from './a.ts';",
    };
    expect(breachesOf(files)).toEqual([]);
  });

  it('counts inline types as a run-time import, because Node still loads the file', () => {
    const files = {
      'src/linalg/a.ts': "import { b } from './b.ts';",
      'src/linalg/b.ts': "import { type A } from './a.ts';",
    };
    expect(breachesOf(files)).toEqual([expect.stringContaining('import each other')]);
  });

  it('refuses Node on the browser floors, as a module and as a global', () => {
    const files = {
      'src/linalg/a.ts': "import { readFileSync } from 'node:fs';\nexport const b = Buffer.alloc(1);",
      'src/linalg/b.ts': 'export const c = { process: 1 }; c.process;',
      'src/store/c.ts': "import { join } from 'node:path';\nprocess.exit(0);",
    };
    expect(breachesOf(files)).toEqual([
      expect.stringContaining('src/linalg/a.ts:1: imports node:fs'),
      expect.stringContaining('src/linalg/a.ts:2: uses Buffer of Node'),
    ]);
  });

  it('refuses a package that has two adapters, an index and a file on no floor', () => {
    const files = {
      'src/engine/a.ts': "import * as ort from 'onnxruntime-node';",
      'src/engine/b.ts': "import * as ort from 'onnxruntime-node/backend';\nimport { x } from '../errors/index.ts';",
      'src/errors/index.ts': 'export const x = 1;',
      'src/utils/c.ts': 'export const y = 1;',
    };
    expect(breachesOf(files)).toEqual([
      expect.stringContaining('src/engine/b.ts:2: imports an index'),
      expect.stringContaining('src/utils/c.ts: lies on no floor'),
      expect.stringContaining('src/engine/a.ts, src/engine/b.ts: import onnxruntime-node'),
    ]);
  });

  it('refuses a file that is too long or that imports what is not there', () => {
    const files = {
      'src/linalg/long.ts': 'export {};\n'.repeat(501),
      'src/linalg/lost.ts': "import { x } from './gone.ts';",
    };
    expect(breachesOf(files)).toEqual([
      'src/linalg/long.ts: 501 lines, at most 500. Split it by what it does.',
      'src/linalg/lost.ts:1: ./gone.ts is no file of src. Name it with its .ts.',
    ]);
  });

  it('refuses a lab that imports a high floor or Node, a room that knows another, and a floor that knows the lab', () => {
    const files = {
      'src/errors/a.ts': "import { s } from '../../lab/state.ts';",
      'src/store/s.ts': 'export const s = 1;',
      'lab/state.ts': "import { s } from '../src/store/s.ts';\nimport 'node:fs';\nexport const t = process;",
      'lab/rooms/a/room.ts': "import { s } from '../../state.ts';\nimport { b } from '../b/room.ts';",
      'lab/rooms/b/room.ts': 'export const b = 1;',
      'lab/rooms/registry.ts': "import { b } from './b/room.ts';\nimport './style.css';\nimport url from './x.gz?url';",
    };
    expect(breachesOf(files)).toEqual([
      expect.stringContaining('src/errors/a.ts:1: imports upwards'),
      expect.stringContaining('lab/state.ts:1: imports upwards'),
      expect.stringContaining('lab/state.ts:2: imports node:fs'),
      expect.stringContaining('lab/state.ts:3: uses process of Node'),
      expect.stringContaining('lab/rooms/a/room.ts:2: imports sideways'),
    ]);
  });

  it('leaves tests free to use any oracle', () => {
    const files = {
      'src/linalg/a.test.ts': "import { d } from '../denoisers/d.ts';\nimport 'node:fs';",
      'src/denoisers/d.ts': 'export const d = 1;',
    };
    expect(breachesOf(files)).toEqual([]);
  });
});
