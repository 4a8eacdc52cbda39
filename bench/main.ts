import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { writeSafetensors } from '../src/data/safetensors.ts';
import { countParameters } from '../src/denoisers/network/network.ts';
import { benchArrays, namedArrays } from './arrays.ts';
import { operations } from './operations.ts';
import type { Operation } from './operations.ts';
import { startPeer } from './peer.ts';
import type { Peer, PeerRun } from './peer.ts';

/** Times of one operation, a number a round, and how far the two results lie apart. */
interface Row {
  readonly name: string;
  readonly ours: number[];
  readonly theirs: number[];
  difference: number;
}

/** Both sides' threads spin for a moment after work: the other side starts once they sleep. */
const pauseMs = 100;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

async function runOurs(operation: Operation): Promise<{ ms: number; norm: number }> {
  const begun = performance.now();
  const results = await operation.run();
  const ms = performance.now() - begun;
  let squares = 0;
  for (const { data } of results) for (let i = 0; i < data.length; i++) squares += (data[i] as number) ** 2;
  return { ms, norm: Math.sqrt(squares) };
}

/** Round by round, each operation on one side and then on the other; round 0 warms up and compares the results. */
async function measure(ours: readonly Operation[], peer: Peer | undefined, rounds: number): Promise<[Row[], number]> {
  const rows = ours.map(({ name }): Row => ({ name, ours: [], theirs: [], difference: NaN }));
  let peerRss = 0;
  for (let round = 0; round <= rounds; round++) {
    for (const [i, operation] of ours.entries()) {
      const row = rows[i] as Row;
      const mine = await runOurs(operation);
      await setTimeout(pauseMs);
      const theirs: PeerRun | undefined = await peer?.run(operation.name);
      await setTimeout(pauseMs);
      if (theirs !== undefined) peerRss = theirs.rss;
      if (round === 0) row.difference = theirs ? Math.abs(mine.norm / theirs.norm - 1) : NaN;
      else {
        row.ours.push(mine.ms);
        if (theirs !== undefined) row.theirs.push(theirs.ms);
      }
    }
  }
  return [rows, peerRss];
}

function table(rows: readonly Row[], withPeer: boolean): string {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(12))).join('');
  const heads = ['operation', 'ours, ms', ...(withPeer ? ['peer, ms', 'peer / ours', 'difference'] : [])];
  const body = rows.map(({ name, ours, theirs, difference }) => {
    // A ratio a round: what disturbs the machine for a while disturbs both sides.
    const ratio = median(theirs.map((t, i) => t / (ours[i] as number)));
    const peer = withPeer ? [median(theirs).toFixed(1), ratio.toFixed(2), difference.toExponential(1)] : [];
    return [name, median(ours).toFixed(1), ...peer];
  });
  return [heads, ...body].map(line).join('\n');
}

const rounds = process.argv.includes('--quick') ? 2 : 5;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const arrays = benchArrays();
const folder = await mkdtemp(join(tmpdir(), 'eigenlens-bench-'));
try {
  const path = join(folder, 'arrays.safetensors');
  await writeFile(path, writeSafetensors(namedArrays(arrays)));
  using peer = await startPeer(path);
  const load = loadavg().map((l) => l.toFixed(1));
  console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.join(' ')}, Node ${process.version}`);
  console.log(
    peer
      ? `peer: PyTorch ${peer.versions.torch} eager, NumPy ${peer.versions.numpy}; 2 threads on both sides`
      : 'PyTorch is not installed for any python3 here: our side alone, 2 threads',
  );
  console.log(
    `U-Net of ${countParameters(arrays.network)} weights, 1x32x32, batch 16, float32; medians of ${rounds}\n`,
  );
  const [rows, peerRss] = await measure(await operations(arrays), peer, rounds);
  console.log(table(rows, peer !== undefined));
  const ours = mebibytes(process.resourceUsage().maxRSS * 1024);
  console.log(`\npeak memory: ours ${ours}${peer ? `, peer ${mebibytes(peerRss)}` : ''}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
