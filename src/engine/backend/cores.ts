let most = Infinity;

/**
 * Keeps this process to some of the machine's cores: a worker of a pool leaves the others to its neighbours.
 * @param count  at least 1; for everything that starts afterwards
 */
export function limitCores(count: number): void {
  most = count;
}

/** Cores that work may be spread over. */
export function coreCount(): number {
  return Math.max(1, Math.min(most, navigator.hardwareConcurrency));
}

/** Threads of a session that asks for none in particular; undefined leaves it to the runtime, which takes every core. */
export function usualThreads(): number | undefined {
  return most === Infinity ? undefined : coreCount();
}
