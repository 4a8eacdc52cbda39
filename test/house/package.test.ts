import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the build leaves no import of a .ts file, in whatever function it stands', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eigenlens-build-'));
  try {
    const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
    const project = join(import.meta.dirname, '../../tsconfig.build.json');
    // Types are checked elsewhere, and take most of the time.
    const built = spawnSync(process.execPath, [tsc, '-p', project, '--noCheck', '--outDir', folder], {
      encoding: 'utf8',
    });
    expect(built.stdout).toBe('');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    expect(files.length).toBeGreaterThan(100);
    const left = files.filter((name) =>
      /(?:import\(|from )['"][^'"]*\.ts['"]/.test(readFileSync(join(folder, name), 'utf8')),
    );
    expect(left).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
