import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import { codeOf, storeFailure } from './failure.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, where the system says: numbers of processes are used again. */
  readonly began: string | undefined;
}

const NAME = /^\.lock-[0-9a-f-]+\.json$/;

/**
 * Takes a folder for this process until it is disposed. Every process writes its own lock first and looks for others then, so that two
 * never both go on; a lock whose process is gone is removed.
 * @throws StoreError where another process holds the folder
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const own = `.lock-${randomUUID()}.json`;
  const release = (): Promise<void> => rm(join(folder, own), { force: true });
  const holder: Holder = { pid: process.pid, host: hostname(), began: await beganAt(process.pid) };
  try {
    await writeFile(join(folder, own), JSON.stringify(holder), { flag: 'wx', flush: true });
    for (const name of await readdir(folder)) {
      if (name === own || !NAME.test(name)) continue;
      const other = await readHolder(join(folder, name));
      if (other !== undefined && (await isAlive(other))) throw taken(folder, name, other);
      await rm(join(folder, name), { force: true });
    }
  } catch (cause) {
    await release();
    throw storeFailure(folder, cause);
  }
  return { [Symbol.asyncDispose]: release };
}

function taken(folder: string, name: string, { pid, host }: Holder): StoreError {
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return new StoreError(
    folder,
    `is in use by ${where}. Wait for it or choose another --out; if it is gone, remove ${name}.`,
  );
}

/** @returns undefined for a lock that is gone or cut short: its writer died, or has yet to look for others and will see ours */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch (cause) {
    if (cause instanceof SyntaxError || codeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

async function isAlive({ pid, host, began }: Holder): Promise<boolean> {
  // Another machine's processes cannot be asked after.
  if (host !== hostname()) return true;
  if (!isProcess(pid)) return false;
  const now = await beganAt(pid);
  return now === undefined || began === undefined || now === began;
}

/** Whether a process of that number runs on this machine. */
export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) !== 'ESRCH'; // it may be somebody else's
  }
}

/** Start of a process in ticks of the system's clock: the 22nd field of Linux's /proc/PID/stat; undefined elsewhere. */
async function beganAt(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is a name in brackets that may hold blanks.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
