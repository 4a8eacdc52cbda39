/** Nearest neighbours of 10,000 queries among 60,000 samples of 784 numbers: ours, streaming and exact, beside scikit-learn's brute force. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nearestNeighbors } from '../../src/analysis/neighbors.ts';
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
  readonly indices: ArrayLike<number>;
  readonly distances: ArrayLike<number>;
}

const K = Number(process.argv.find((a) => a.startsWith('--k='))?.slice(4) ?? 1);
const ROUNDS = process.argv.includes('--quick') ? 2 : 5;
const names = ['float32', 'float64'] as const;

/** The images where they are installed, else as many normal samples. */
async function openSamples(): Promise<{ bank: Dataset; queries: Dataset }> {
  try {
    return { bank: await openDataset('fashion60k'), queries: await openDataset('fashion') };
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    const draw = (name: string, n: number): Dataset =>
      inMemory(name, castFloat(normal(randomKey(0, name), [n, 784]), 'float32'), { low: -9, high: 9 });
    return { bank: draw('synthetic', 60_000), queries: draw('queries', 10_000) };
  }
}

const { bank, queries } = await openSamples();
const all = (dataset: Dataset): Int32Array => Int32Array.from({ length: dataset.count }, (_, i) => i);
const q = await queries.read(all(queries));

async function ours(): Promise<Run> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const { indices, distances } = await nearestNeighbors(q, bank, { k: K });
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - began, cpuMs: (user + system) / 1000, indices, distances: distances.data };
}

/** How many queries got other neighbours, and the largest relative difference of a distance. */
function compare(mine: Run, peer: Run): string {
  const others = new Set<number>();
  let worst = 0;
  for (let i = 0; i < mine.indices.length; i++) {
    if (mine.indices[i] !== peer.indices[i]) others.add(Math.floor(i / K));
    const distance = mine.distances[i] as number;
    if (distance > 0) worst = Math.max(worst, Math.abs((peer.distances[i] as number) / distance - 1));
  }
  return `${others.size} queries with other neighbours, distances to ${worst.toExponential(1)}`;
}

const python = ['python3', '/usr/bin/python3'].find((p) => spawnSync(p, ['-c', 'import sklearn']).status === 0);
const folder = await mkdtemp(join(tmpdir(), 'eigenlens-neighbors-'));
try {
  const save = async (name: string, data: Float32Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, writeNpy(tensor('float32', [data.length / 784, 784], data)));
    return path;
  };
  const files = [await save('bank.npy', (await bank.read(all(bank))).data), await save('queries.npy', q.data)];
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const child = python === undefined ? undefined : spawn(python, [script, ...files]);
  const answers = child === undefined ? undefined : createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => (await answers?.next())?.value ?? 'none';
  console.log(`k ${K}: ${queries.count} in ${bank.name} (${bank.count}); peer ${await answer()}; load ${loadavg()[0]?.toFixed(1)}`); // prettier-ignore
  const mine: Run[] = [];
  const theirs: Record<(typeof names)[number], Run[]> = { float32: [], float64: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const run = await ours();
    if (round > 0) mine.push(run);
    for (const name of child ? names : []) {
      await setTimeout(100); // threads of the other side spin for a moment after work
      child?.stdin.write(`${name} ${K}\n`);
      const peer = JSON.parse(await answer()) as Run;
      if (round > 0) theirs[name].push(peer);
      else console.log(`scikit-learn ${name}: ${compare(run, peer)}`);
    }
  }
  child?.stdin.end();
  const middle = (runs: readonly Run[], pick: (run: Run) => number): string => median(runs.map(pick)).toFixed(0);
  console.log(line(['', 'ms', 'CPU ms', 'peer / ours']));
  console.log(line(['ours, exact', middle(mine, (r) => r.ms), middle(mine, (r) => r.cpuMs), '']));
  for (const name of child ? names : []) {
    const ratio = median(theirs[name].map((peer, i) => peer.ms / (mine[i]?.ms ?? NaN)));
    const cells = [middle(theirs[name], (r) => r.ms), middle(theirs[name], (r) => r.cpuMs), ratio.toFixed(2)];
    console.log(line([`scikit-learn, ${name}`, ...cells]));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
