import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { array, file, graph, node, rawBytes, refusal } from '../engine/onnx/read/model.fixture.ts';
import { readOnnx } from '../engine/onnx/read/read-onnx.ts';
import type { OnnxModel } from '../engine/onnx/model.ts';
import { openOnnxFile } from './onnx-files.ts';

const root = mkdtempSync(join(tmpdir(), 'eigenlens-onnx-'));
const folder = join(root, 'models');
const values = Float32Array.from({ length: 64 }, (_, i) => i / 8);
afterAll(() => rmSync(root, { recursive: true }));

beforeAll(() => {
  mkdirSync(join(folder, 'sub'), { recursive: true });
  mkdirSync(join(root, 'models-other'));
  for (const path of ['models/w.bin', 'models/sub/w.bin', 'secret.bin', 'models-other/w.bin']) {
    writeFileSync(join(root, path), rawBytes(values));
  }
  symlinkSync(join(root, 'secret.bin'), join(folder, 'link.bin'));
  symlinkSync(root, join(folder, 'up'));
  symlinkSync('sub/w.bin', join(folder, 'inside.bin'));
});

/** Writes a model whose weight of eight elements lies where the keys say, and reads it. */
async function readWith(keys: Record<string, string>, at: string = join(folder, 'm.onnx')): Promise<OnnxModel> {
  const externalData = Object.entries(keys).map(([key, value]) => ({ key, value }));
  const stored = array('w', [8], 1, { externalData, dataLocation: 1 });
  writeFileSync(at, file(graph({ nodes: [node('Mul', ['x', 'w'], ['y'])], arrays: [stored] })));
  const opened = await openOnnxFile(at);
  return readOnnx(at, opened.bytes, opened);
}

describe('openOnnxFile() and weights beside the model', () => {
  it.each([
    [{ location: 'w.bin' }, 0],
    [{ location: 'w.bin', offset: '64' }, 16],
    [{ location: './sub/w.bin', offset: '32', length: '32' }, 8],
    [{ location: 'inside.bin', length: '32', checksum: 'none' }, 0],
    [{ location: 'w.bin', offset: '224', length: '32' }, 56],
  ])('reads %o', async (keys, first) => {
    expect((await readWith(keys)).weights.get('w')?.data).toEqual(values.slice(first, first + 8));
  });

  it('reads from the folder that a linked model lies in, as in a cache of downloads', async () => {
    const snapshot = join(root, 'snapshot');
    mkdirSync(snapshot);
    await readWith({ location: 'w.bin' });
    symlinkSync(join(folder, 'm.onnx'), join(snapshot, 'model.onnx'));
    symlinkSync(join(folder, 'w.bin'), join(snapshot, 'w.bin'));
    const opened = await openOnnxFile(join(snapshot, 'model.onnx'));
    expect((await readOnnx('m', opened.bytes, opened)).weights.get('w')?.data).toEqual(values.slice(0, 8));
  });

  it.each([
    '../secret.bin',
    'sub/../../secret.bin',
    '..',
    '/etc/passwd',
    join(root, 'secret.bin'),
    '..\\secret.bin',
    'sub\\w.bin',
    'C:w.bin',
    'C:/w.bin',
    'w.bin\0.txt',
    'w.bin/',
    '//host/share',
    'file:w.bin',
    '',
  ])('refuses the location %j as outside the folder', async (location) => {
    expect(await refusal(readWith({ location }))).toMatch(/array 'w' lies in '.*', outside the model's folder/);
  });

  it.each(['link.bin', 'up/secret.bin', 'up/models-other/w.bin'])(
    'refuses %s, a link out of the folder',
    async (location) => {
      expect(await refusal(readWith({ location }))).toContain(`${location}, which leads out of it.`);
    },
  );

  it.each([
    [{ location: 'gone.bin' }, 'gone.bin, got no such file. Put it beside the model.'],
    [{ location: 'sub' }, 'got a folder'],
    [{ location: '.' }, 'which leads out of it'],
    [{ location: 'w.bin', offset: '232' }, 'expected 32 bytes at 232'],
    [{ location: 'w.bin', offset: '999999999999999' }, 'expected 32 bytes at 999999999999999'],
    [{ location: 'w.bin', offset: '-32' }, "got offset '-32'"],
    [{ location: 'w.bin', offset: '1e1' }, "got offset '1e1'"],
    [{ location: 'w.bin', length: '16' }, "and length '16'"],
    [{ location: 'w.bin', length: '64' }, "and length '64'"],
    [{ offset: '0' }, "outside the model's folder"],
  ])('refuses %o', async (keys, message) => {
    expect(await refusal(readWith(keys as Record<string, string>))).toContain(message);
  });

  it('names the file where the model comes alone, as in a browser', async () => {
    await readWith({ location: 'w.bin' });
    const { bytes } = await openOnnxFile(join(folder, 'm.onnx'));
    expect(await refusal(readOnnx('m.onnx', bytes))).toContain(
      "array 'w' lies in 'w.bin' beside the model. Export it into one file.",
    );
  });

  it('names a model file that is not there', async () => {
    expect(await refusal(openOnnxFile(join(folder, 'mm.onnx')))).toMatch(
      /mm\.onnx: expected a file, got nothing at this path\. Did you mean/,
    );
    expect(await refusal(openOnnxFile(folder))).toContain('got a folder');
  });
});
