/** Leading 20 principal components of 60,000 samples of 784 numbers: ours, streaming, beside scikit-learn's randomized PCA. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { leadingComponents } from '../../src/analysis/principal-components.ts';
import { inMemory } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { writeNpy } from '../../src/data/npy.ts';
import { openDataset } from '../../src/data/open.ts';
import { DatasetError } from '../../src/errors/errors.ts';
import { normal, randomKey } from '../../src/tensor/random.ts';
import { castFloat, tensor } from '../../src/tensor/tensor.ts';
import { line, median } from '../measure.ts';

interface Run {
  readonly ms: number;
  readonly cpuMs: number;
  readonly variances: readonly number[];
}

const COUNT = 20;
const ROUNDS = process.argv.includes('--quick') ? 2 : 5;
const names = ['float32', 'float64'] as const;

/** The 60,000 images where they are installed, else as many normal samples whose variances fall like a power. */
async function openSamples(): Promise<Dataset> {
  try {
    return await openDataset('fashion60k');
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    const [N, D] = [60_000, 784];
    const x = castFloat(normal(randomKey(0, 'bench-principal'), [N, D]), 'float32');
    for (let i = 0; i < x.data.length; i++) x.data[i] = (x.data[i] as number) / ((i % D) + 1);
    return inMemory('synthetic', x, { low: -9, high: 9 });
  }
}

async function ours(dataset: Dataset): Promise<Run & { readonly residual: number }> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const { variances, residual } = await leadingComponents(dataset, { count: COUNT });
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - began;
  return { ms, cpuMs: (user + system) / 1000, variances: Array.from(variances), residual: Math.max(...residual) };
}

const dataset = await openSamples();
const python = ['python3', '/usr/bin/python3'].find((p) => spawnSync(p, ['-c', 'import sklearn']).status === 0);
const folder = await mkdtemp(join(tmpdir(), 'eigenlens-principal-'));
try {
  const path = join(folder, 'x.npy');
  const { data } = await dataset.read(Int32Array.from({ length: dataset.count }, (_, i) => i));
  await writeFile(path, writeNpy(tensor('float32', [dataset.count, data.length / dataset.count], data)));
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const child = python === undefined ? undefined : spawn(python, [script, path, String(COUNT)]);
  const answers = child === undefined ? undefined : createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => (await answers?.next())?.value ?? 'none';
  console.log(`${dataset.name}: ${dataset.count} samples; peer ${await answer()}; load ${loadavg()[0]?.toFixed(1)}`);
  const mine: Run[] = [];
  const theirs: Record<(typeof names)[number], Run[]> = { float32: [], float64: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const run = await ours(dataset);
    if (round > 0) mine.push(run);
    else console.log(`largest residual ${run.residual.toExponential(1)}`);
    for (const name of child ? names : []) {
      await setTimeout(100); // threads of the other side spin for a moment after work
      child?.stdin.write(`${name}\n`);
      const peer = JSON.parse(await answer()) as Run;
      if (round > 0) theirs[name].push(peer);
      else {
        const off = peer.variances.map((v, i) => Math.abs(v / (run.variances[i] as number) - 1));
        console.log(
          `largest relative difference of a variance, scikit-learn ${name}: ${Math.max(...off).toExponential(1)}`,
        );
      }
    }
  }
  child?.stdin.end();
  const middle = (runs: readonly Run[], pick: (run: Run) => number): string => median(runs.map(pick)).toFixed(0);
  console.log(line(['', 'ms', 'CPU ms', 'peer / ours']));
  console.log(line(['ours, float64', middle(mine, (r) => r.ms), middle(mine, (r) => r.cpuMs), '']));
  for (const name of child ? names : []) {
    const ratio = median(theirs[name].map((peer, i) => peer.ms / (mine[i]?.ms ?? NaN)));
    const cells = [middle(theirs[name], (r) => r.ms), middle(theirs[name], (r) => r.cpuMs), ratio.toFixed(2)];
    console.log(line([`scikit-learn, ${name}`, ...cells]));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
