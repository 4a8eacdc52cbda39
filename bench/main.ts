import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../src/data/safetensors.ts';
import { countParameters } from '../src/denoisers/network/network.ts';
import type { BenchArrays } from './arrays.ts';
import { benchArrays, namedArrays } from './arrays.ts';
import { blockCost } from './block.ts';
import { line, measure, table } from './measure.ts';
import { ourPeak, peerPeak } from './memory.ts';
import { operations } from './operations.ts';
import { startPeer } from './peer.ts';
import type { Peer } from './peer.ts';
import { ourTriplets, peerTriplets } from './triplets.ts';

const rounds = process.argv.includes('--quick') ? 2 : 5;

function printMachine(peer: Peer | undefined): void {
  const load = loadavg().map((l) => l.toFixed(1));
  console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${load.join(' ')}, Node ${process.version}`);
  console.log(
    peer
      ? `peer: PyTorch ${peer.versions.torch} eager, NumPy ${peer.versions.numpy}; 2 threads on both sides`
      : 'PyTorch is not installed for any python3 here: our side alone, 2 threads',
  );
}

async function printTriplets(arrays: BenchArrays, peer: Peer | undefined): Promise<void> {
  console.log('\nleading 8 singular triplets of a 3x32x32 denoiser of the same size');
  const ours = await ourTriplets(arrays);
  const theirs = peer && (await peerTriplets(peer));
  const show = (side: string, { ms, residual, sweeps }: typeof ours): string =>
    `${side}: ${(ms / 1000).toFixed(2)} s, ${sweeps} sweeps, relative residual ${residual.toExponential(1)}`;
  console.log(show('block Krylov, ours', ours));
  if (theirs === undefined) return;
  const gap = Math.max(...ours.values.map((s, i) => Math.abs(s / (theirs.values[i] as number) - 1)));
  console.log(show('block power iteration, peer', theirs));
  console.log(`peer / ours ${(theirs.ms / ours.ms).toFixed(2)}, values apart by ${gap.toExponential(1)}`);
}

async function printMemory(names: readonly string[], peerArrays: string | undefined): Promise<void> {
  console.log('\npeak memory of a process that does one operation, MiB');
  console.log(line(['operation', 'ours', ...(peerArrays ? ['peer', 'ours / peer'] : [])]));
  for (const name of names) {
    const ours = await ourPeak(name);
    const theirs = peerArrays === undefined ? [] : [await peerPeak(peerArrays, name)];
    const ratio = theirs.map((bytes) => (ours / bytes).toFixed(2));
    console.log(line([name, ...[ours, ...theirs].map((bytes) => (bytes / 2 ** 20).toFixed(0)), ...ratio]));
  }
}

const arrays = benchArrays();
const folder = await mkdtemp(join(tmpdir(), 'eigenlens-bench-'));
try {
  const path = join(folder, 'arrays.safetensors');
  await writeFile(path, writeSafetensors(namedArrays(arrays)));
  using peer = await startPeer(path);
  printMachine(peer);
  const weights = countParameters(arrays.network);
  console.log(`U-Net of ${weights} weights, 1x32x32, batch 16, float32; medians of ${rounds}\n`);
  const all = operations(arrays);
  console.log(table(await measure(all, peer, rounds), peer !== undefined));
  const cost = await blockCost(arrays, rounds);
  console.log(`\n8 tangents at one point: ${cost.toFixed(2)} tangent passes and one primal pass`);
  await printTriplets(arrays, peer);
  const networkNames = all.map(({ name }) => name).filter((name) => !name.endsWith(' 784'));
  await printMemory(networkNames, peer && path);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
