import type { Backend } from './session.ts';

/** The backend that all callers share by default: its sessions take turns, each with all cores. */
export async function sharedBackend(): Promise<Backend> {
  return (await import('./node.ts')).nodeBackend();
}

/** A backend of its own, on a thread of its own, for work that runs beside other work. */
export async function startBackend(): Promise<Backend> {
  return new (await import('./node.ts')).NodeBackend();
}
