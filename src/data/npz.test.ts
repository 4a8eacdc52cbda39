import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { chooseArrays, parseNpz, writeNpz } from './npz.ts';

const arrays = new Map<string, Tensor>([
  ['x', tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6.5))],
  ['spectrum', tensor('float64', [1000], new Float64Array(1000).fill(Math.PI))],
  ['y', tensor('int32', [2], Int32Array.of(-7, 7))],
  ['mask', tensor('bool', [2, 2], Uint8Array.of(1, 0, 0, 1))],
  ['image', tensor('uint8', [1, 1, 2], Uint8Array.of(0, 255))],
]);

describe('writeNpz()', () => {
  it.each([true, false])('writeNpz() with compress %s reads back in order', (compress) => {
    const back = parseNpz('a', writeNpz(arrays, { compress }));
    expect([...back]).toEqual([...arrays]);
  });

  it('writeNpz() compresses, and gives equal bytes for equal arrays', () => {
    const packed = writeNpz(arrays);
    expect(packed.length).toBeLessThan(writeNpz(arrays, { compress: false }).length / 3);
    expect(writeNpz(arrays)).toEqual(packed);
  });
});

describe('chooseArrays()', () => {
  it('chooseArrays() takes the first of arrays without names, and the labels beside named ones', () => {
    const [x, y] = [arrays.get('image') as Tensor, arrays.get('y') as Tensor];
    expect(chooseArrays('a', new Map([['arr_0', x], ['arr_1', y]]))).toEqual({ x }); // prettier-ignore
    expect(chooseArrays('a', new Map([['y', y], ['images', x]]))).toEqual({ x, labels: y }); // prettier-ignore
  });
});

describe('parseNpz()', () => {
  it('parseNpz() refuses a file cut anywhere', () => {
    const whole = writeNpz(arrays);
    for (const length of [0, 3, 40, whole.length >> 1, whole.length - 30, whole.length - 1]) {
      expect(() => parseNpz('a', whole.slice(0, length)), `${length} bytes`).toThrow(
        'a: expected a whole NPZ (ZIP) file, got one that is truncated or corrupt. Write it again.',
      );
    }
  });

  it('parseNpz() names the entry that is no NPY file and leaves out what does not claim to be', () => {
    expect(() => parseNpz('a', zipSync({ 'w.npy': Uint8Array.of(1, 2, 3) }))).toThrow('a[w]: expected an NPY file');
    expect(parseNpz('a', zipSync({ 'readme.txt': Uint8Array.of(1) })).size).toBe(0);
  });

  it('parseNpz() refuses a directory that claims more than DEFLATE can unpack, before allocating it', () => {
    const file = writeNpz(new Map([['x', tensor('uint8', [4], Uint8Array.of(1, 2, 3, 4))]]));
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    let entry = file.length - 22;
    while (view.getUint32(entry, true) !== 0x02014b50) entry -= 1;
    view.setUint32(entry + 24, 0xfffffffe, true); // uncompressed size: 4 GB
    expect(() => parseNpz('a', file)).toThrow('a: expected an NPZ file, got an impossible ZIP directory.');
  });

  it('parseNpz() fails on random and on damaged bytes with DatasetError only', () => {
    const whole = writeNpz(new Map([['x', tensor('uint8', [4], Uint8Array.of(1, 2, 3, 4))]]));
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((hits) => {
        const copy = whole.slice();
        for (const [at, value] of hits) copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        try {
          parseNpz('fuzz', bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
const title = hasNumpy ? 'NumPy' : 'NumPy (skipped: python3 with numpy is not installed)';

describe.skipIf(!hasNumpy)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'eigenlens-npz-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function python(script: string): string {
    const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout.trim();
  }

  it.each([true, false])('numpy.load() opens what writeNpz() wrote with compress %s', (compress) => {
    writeFileSync(join(folder, 'ours.npz'), writeNpz(arrays, { compress }));
    const said = python(
      "import numpy as np; z = np.load('ours.npz'); print([(k, z[k].dtype.str, z[k].shape, float(z[k].sum())) for k in z])",
    );
    const sum = Array.from({ length: 1000 }, () => Math.PI).reduce((a, b) => a + b, 0);
    expect(said).toContain(`('x', '<f4', (2, 3), 21.5), ('spectrum', '<f8', (1000,), ${Math.floor(sum)}.`);
    expect(said).toContain(
      "('y', '<i4', (2,), 0.0), ('mask', '|b1', (2, 2), 2.0), ('image', '|u1', (1, 1, 2), 255.0)]",
    );
  });

  it.each(['savez', 'savez_compressed'])('parseNpz() reads what numpy.%s() wrote, of every dtype and order', (save) => {
    python(
      [
        'import numpy as np',
        'a = np.arange(24).reshape(2, 3, 4) - 5.0',
        'd = {t.replace("<", "l").replace(">", "b"): a.clip(0).astype(t) for t in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", ">i2", "<u2", ">i4", "<u4", "<i8", ">u8"]}',
        'd["bool"] = a > 0',
        'd["fortran"] = np.asfortranarray(a)',
        'd["strided"] = a[:, ::2, ::-1]',
        'd["scalar"] = np.float64(2.5)',
        `np.${save}("theirs.npz", **d)`,
      ].join('\n'),
    );
    const read = parseNpz('theirs', readFileSync(join(folder, 'theirs.npz')));
    const a = Array.from({ length: 24 }, (_, i) => i - 5);
    expect(read.size).toBe(18);
    for (const [name, x] of read) {
      if (name === 'scalar') expect([...x.data]).toEqual([2.5]);
      else if (name === 'bool') expect([...x.data]).toEqual(a.map((v) => (v > 0 ? 1 : 0)));
      else if (name === 'fortran') expect(x).toEqual(tensor('float64', [2, 3, 4], Float64Array.from(a)));
      else if (name === 'strided') expect(x.shape).toEqual([2, 2, 4]);
      else expect({ name, data: [...x.data] }).toEqual({ name, data: a.map((v) => Math.max(0, v)) });
    }
  });
});
