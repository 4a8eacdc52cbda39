import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { subspaceDistance } from '../linalg/angles.ts';
import { sparseRows } from '../analysis/clustering/sparse-rows.ts';
import { unionOfSubspaces } from '../analysis/clustering/union-of-subspaces.ts';
import { writeNpy } from '../data/npy.ts';
import { parseNpz, writeNpz } from '../data/npz.ts';
import type { ClusterResult } from '../experiments/cluster.ts';
import { row, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affinityPicture, contactSheet } from './cluster-pictures.ts';
import { cluster } from './cluster.ts';
import { runCli } from './program.ts';

const union = unionOfSubspaces({ K: 3, d: 4, n: 20, perCluster: 30 }, 11);
let folder: string;
let points: string;
let unlabelled: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-cluster-'));
  points = join(folder, 'points.npz');
  unlabelled = join(folder, 'points.npy');
  const y = tensor('int32', [90], union.labels);
  await writeFile(
    points,
    writeNpz(
      new Map<string, Tensor>([
        ['x', union.points],
        ['y', y],
      ]),
    ),
  );
  await writeFile(unlabelled, writeNpy(union.points));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(words: string[], interrupts = new EventEmitter()): Promise<Ended> {
  const written = { out: '', err: '' };
  const code = await runCli(['cluster', ...words], [cluster], {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      stderr: { write: (text) => (written.err += text) },
      env: {},
    },
    interrupts,
    exit: () => expect.unreachable('one interrupt is enough'),
  });
  return { code, ...written };
}

describe('eigenlens cluster', () => {
  it.each(['ssc-omp', 'tsc', 'k-subspaces'])(
    'cluster --method %s scores 1 on independent subspaces',
    async (method) => {
      const words = ['--data', points, '--method', method, '--sparsity', '8', '--rank', '4', '--json', '--quiet'];
      const { code, out } = await run(words);
      expect(code).toBe(0);
      const result = JSON.parse(out) as ClusterResult;
      expect(result).toMatchObject({ accuracy: 1, nmi: 1, clusters: 3, status: 'converged' });
      expect(result.rows.map((r) => [r.size, r.rank, r.class?.share])).toEqual([
        [30, 4, 1],
        [30, 4, 1],
        [30, 4, 1],
      ]);
      // Points travel as float32.
      expect(result.cost).toBeLessThan(1e-12);
    },
  );

  it('cluster --out writes labels and bases in the coordinates of the samples, also after a projection', async () => {
    const out = join(folder, 'run');
    const words = ['--data', unlabelled, '--clusters', '3', '--sparsity', '8', '--rank', '4', '--project', '12'];
    expect((await run([...words, '--out', out])).code).toBe(0);
    const names = ['affinity.png', 'arrays.npz', 'result.json', 'run.json', 'spec.json'];
    expect((await readdir(out)).sort()).toEqual(names);
    const arrays = parseNpz('arrays.npz', new Uint8Array(await readFile(join(out, 'arrays.npz'))));
    expect(arrays.get('bases')?.shape).toEqual([3, 4, 20]);
    const labels = arrays.get('labels')?.data as Int32Array;
    const bases = arrays.get('bases') as Tensor<'float64'>;
    union.bases.forEach((basis, k) => {
      const own = labels[union.labels.indexOf(k)] as number;
      // Samples are float32: directions to its eps over the smallest share of a direction.
      expect(subspaceDistance(row(bases, own), basis)).toBeLessThan(1e-5);
    });
  });

  it('cluster on a folder of images draws a contact sheet and counts clusters by the subfolders', async () => {
    const images = join(folder, 'images');
    for (const [name, tall] of [
      ['bars', true],
      ['rows', false],
    ] as const) {
      await mkdir(join(images, name), { recursive: true });
      for (let n = 0; n < 6; n++) {
        const data = Uint8Array.from({ length: 64 }, (_, at) => ((tall ? at % 8 : at >> 3) < 4 ? 40 * n + 30 : 0));
        await writeFile(join(images, name, `${n}.png`), encode({ width: 8, height: 8, data, channels: 1, depth: 8 }));
      }
    }
    const out = join(folder, 'images-run');
    const { code, out: table } = await run(['--data', images, '--rank', '1', '--sparsity', '2', '--out', out]);
    expect(code).toBe(0);
    expect(table).toMatch(/accuracy +100\.00 %/);
    expect(table).toMatch(/black moved to the origin/);
    expect(await readdir(out)).toContain('clusters.png');
  });

  it.each([
    [
      ['--clusters', '91'],
      /^error: cluster: expected at most as many clusters as the 90 samples, got 91\. \(E_DOMAIN\)\n$/,
    ],
    [['--clusters', '3', '--rank', '21'], /a rank up to the dimension 20 of the samples, got 21/],
    [['--clusters', '3', '--rank', '5', '--project', '4'], /a rank up to the dimension 4 of the samples, got 5/],
    [['--clusters', '3', '--project', '21'], /a projection on at most 20 components/],
    [['--clusters', '3', '--sparsity', '90'], /a sparsity below the number of samples 90, got 90/],
    [['--clusters', '3', '--samples', '91'], /at most the 90 samples of the data, got 91/],
    [['--clusters', '0'], /clusters: expected an integer from 1/],
    [['--method', 'ssc'], /expected ssc-omp or tsc or k-subspaces, got 'ssc'/],
    [[], /points has no labels to count the clusters by\. Add --clusters K\. \(E_SPEC\)/],
  ])('cluster %j is refused in one line with exit code 2', async (words, line) => {
    const { code, out, err } = await run(['--data', unlabelled, ...words, '--quiet']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('cluster refuses samples that are all equal', async () => {
    const path = join(folder, 'equal.npy');
    await writeFile(path, writeNpy({ ...union.points, data: union.points.data.map((_, at) => at % 20) }));
    const { code, err } = await run(['--data', path, '--clusters', '3', '--quiet']);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: cluster: expected samples of equal that differ, got all equal\. .*\(E_DOMAIN\)\n$/);
  });

  it('cluster refuses samples that are not finite, and notes those that are zero', async () => {
    const x = { ...union.points, data: union.points.data.slice() };
    x.data.fill(0, 0, 20);
    const path = join(folder, 'zero.npy');
    await writeFile(path, writeNpy(x));
    const { code, out } = await run(['--data', path, '--clusters', '3', '--quiet']);
    expect(code).toBe(0);
    expect(out).toMatch(/note: 1 sample is zero/);
    x.data[7] = NaN;
    await writeFile(path, writeNpy(x));
    expect((await run(['--data', path, '--clusters', '3', '--quiet'])).err).toMatch(/NaN.*\(E_DATASET\)/);
  });

  it('cluster stops on an interrupt with exit code 130', async () => {
    const interrupts = new EventEmitter();
    const ended = run(['--data', 'fashion-heldout', '--quiet'], interrupts);
    while (interrupts.listenerCount('SIGINT') === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    interrupts.emit('SIGINT');
    const { code, out } = await ended;
    expect({ code, out }).toEqual({ code: 130, out: '' });
  });
});

describe('affinityPicture()', () => {
  it('affinityPicture() puts clusters side by side: blocks on the diagonal, darkness off it', () => {
    const w = sparseRows([2, 3, 0, 1].map((j) => ({ columns: [j], values: [1] })));
    const { width, data } = affinityPicture(w, Int32Array.of(0, 1, 0, 1));
    const lit = Array.from({ length: 16 }, (_, at) => (data[3 * at] === data[0] ? 0 : 1));
    expect(width).toBe(4);
    expect(lit).toEqual([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0]);
  });
});

describe('contactSheet()', () => {
  it('contactSheet() shows members of each cluster evenly, white where there are too few', () => {
    const x = tensor('float32', [5, 1, 1, 1], Float32Array.of(0, 1, 2, 3, 4));
    const sheet = contactSheet(x, Int32Array.of(0, 0, 0, 0, 1), 2, 2, 9);
    expect([...sheet.data]).toEqual([0, 2, 4, 9]);
  });
});
