import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the peer says of one run. */
export interface PeerRun {
  readonly ms: number;
  /** Euclidean norm of the result. */
  readonly norm: number;
  /** Peak memory so far, bytes. */
  readonly rss: number;
  /** Of the triplets: residual relative to the largest value, iterations, and the values. */
  readonly residual?: number;
  readonly sweeps?: number;
  readonly values?: readonly number[];
}

/** PyTorch in a process of its own, which lives through all rounds. */
export interface Peer extends Disposable {
  readonly versions: { readonly torch: string; readonly numpy: string };
  run(operation: string): Promise<PeerRun>;
}

const script = fileURLToPath(new URL('unet.py', import.meta.url));
const interpreters = ['python3', '/usr/bin/python3'];

/** Starts the peer, or says that no Python here has PyTorch. */
export async function startPeer(arrays: string): Promise<Peer | undefined> {
  const python = interpreters.find((name) => spawnSync(name, ['-c', 'import torch, numpy']).status === 0);
  if (python === undefined) return undefined;
  const child = spawn(python, [script, arrays], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('unet.py: ended early. Its own message stands above.');
    return JSON.parse(value) as T;
  };
  const versions = await answer<Peer['versions']>();
  return {
    versions,
    run: (operation) => {
      child.stdin.write(`${operation}\n`);
      return answer<PeerRun>();
    },
    [Symbol.dispose]: () => child.stdin.end(),
  };
}
