import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { benchArrays } from './arrays.ts';
import { operations } from './operations.ts';
import { startPeer } from './peer.ts';

/** Runs of one operation in the process whose peak is read. */
const repeats = 3;

const script = fileURLToPath(import.meta.url);

/** Peak memory of a process of ours that does one operation a few times, bytes. */
export async function ourPeak(name: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, name]);
  return Number(stdout);
}

/** The same of a process of the peer. */
export async function peerPeak(arrays: string, name: string): Promise<number> {
  using peer = await startPeer(arrays);
  let rss = NaN;
  for (let i = 0; i < repeats; i++) rss = (await peer?.run(name))?.rss ?? NaN;
  return rss;
}

if (process.argv[1] === script) {
  const run = await operations(benchArrays())
    .find(({ name }) => name === process.argv[2])
    ?.prepare();
  for (let i = 0; i < repeats; i++) await run?.();
  console.log(await peakBytes());
  process.exit();
}

/** Linux counts the memory of the parent into what `resourceUsage` calls the peak of a child; /proc does not. */
async function peakBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}
