import type { Backend, DeviceName } from './session.ts';

/** Whether this is Node; anything else is taken for a browser. */
export function isNode(): boolean {
  return navigator.userAgent.startsWith('Node.js');
}

const shared = new Map<DeviceName, Promise<Backend>>();

/** What a caller gets who does not ask: the CPU, natively or in WebAssembly. */
function defaultDevice(): DeviceName {
  return isNode() ? 'cpu' : 'wasm';
}

/**
 * The backend of a device that all callers share: its sessions take turns, each with all cores that it may use. Nobody disposes it.
 * @throws BackendError where the device's runtime does not start
 */
export async function sharedBackend(device: DeviceName = defaultDevice()): Promise<Backend> {
  const known = shared.get(device) ?? startBackend(device);
  shared.set(device, known);
  known.catch(() => shared.delete(device));
  return known;
}

/**
 * A backend of its own, on a thread of its own, for work that runs beside other work; whoever starts it disposes it.
 * @throws BackendError where the device's runtime does not start
 */
export async function startBackend(device: DeviceName = defaultDevice()): Promise<Backend> {
  if (isNode()) return (await import('./node.ts')).openNodeBackend(device);
  return (await import('./web.ts')).openWebBackend(device);
}
