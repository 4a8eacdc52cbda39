import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { buildKernels, generatedFile } from '../../../scripts/build-wasm.ts';
import { DomainError } from '../../errors/errors.ts';
import { withWorkspace } from './workspace.ts';

test('buildKernels() gives the committed bytes', async () => {
  expect(await buildKernels()).toBe(await readFile(generatedFile, 'utf8'));
});

test('withWorkspace() frees what was allocated, also after an error, and hands out zeros', () => {
  const first = withWorkspace((workspace) => {
    const at = workspace.allocate(3);
    workspace.view(at, 3).fill(7);
    return at;
  });
  expect(() =>
    withWorkspace((workspace) => {
      workspace.allocate(5);
      throw new RangeError('stop');
    }),
  ).toThrow('stop');
  withWorkspace((workspace) => {
    const at = workspace.allocate(3);
    expect(at).toBe(first);
    expect([...workspace.view(at, 3)]).toEqual([0, 0, 0]);
  });
});

test('withWorkspace() gives large memory back', () => {
  withWorkspace((workspace) => workspace.allocate(10_000_000));
  expect(withWorkspace((workspace) => workspace.bytes)).toBeLessThan(8_000_000);
});

test('withWorkspace() refuses more than linear memory can hold and works on', () => {
  expect(() => withWorkspace((workspace) => workspace.allocate(2 ** 30))).toThrow(DomainError);
  expect(withWorkspace((workspace) => workspace.view(workspace.allocate(1), 1)[0])).toBe(0);
});
