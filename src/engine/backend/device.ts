import { BackendError } from '../../errors/errors.ts';
import { proveBackend } from './probe.ts';
import type { Backend, DeviceName } from './session.ts';
import { isNode, startBackend } from './start.ts';

/** What a user may ask for. */
export type DeviceRequest = DeviceName | 'auto';

/** Every device, in the order in which reports list them. */
export const deviceNames: readonly DeviceName[] = ['cpu', 'cuda', 'webgpu', 'wasm'];

/** Whether a device works on this machine. */
export interface DeviceReport {
  readonly name: DeviceName;
  readonly available: boolean;
  /** One sentence: what runs there, or why nothing does and what to do about it. */
  readonly detail: string;
}

const reports = new Map<DeviceName, Promise<DeviceReport>>();

/** What runs on this machine: on each device a small convolution, matrix product and sum, checked against float64. Found out once. */
export async function probeDevices(): Promise<DeviceReport[]> {
  const found: DeviceReport[] = [];
  // In turn: two graphics devices that start at once are no test of either.
  for (const name of deviceNames) found.push(await probeDevice(name));
  return found;
}

/**
 * The device that a request means on this machine; callers record it with their results. `auto` is CUDA where it works, else the CPU:
 * natively in Node, in WebAssembly in a browser. WebGPU runs on request only: see docs/notes/0004-devices.md.
 * @throws BackendError saying what is missing, where the request cannot be met
 */
export async function resolveDevice(request: DeviceRequest): Promise<DeviceName> {
  if (request === 'auto') {
    if (!isNode()) return resolveDevice('wasm');
    return (await probeDevice('cuda')).available ? 'cuda' : 'cpu';
  }
  // Node's own kernels need no proof: the usual way costs nothing.
  if (request === 'cpu' && isNode()) return request;
  const report = await probeDevice(request);
  if (report.available) return request;
  throw new BackendError(`device ${request}`, report.detail);
}

function probeDevice(name: DeviceName): Promise<DeviceReport> {
  const known = reports.get(name) ?? examine(name);
  reports.set(name, known);
  return known;
}

async function examine(name: DeviceName): Promise<DeviceReport> {
  try {
    await using backend = await startBackend(name);
    await proveBackend(backend);
    return { name, available: true, detail: describe(backend) };
  } catch (error) {
    // Anything else is our own mistake.
    if (!(error instanceof BackendError)) throw error;
    return { name, available: false, detail: withAdvice(error) };
  }
}

function describe({ facts }: Backend): string {
  const threads = `${facts.threads} ${facts.threads === 1 ? 'thread' : 'threads'}`;
  return [`${facts.library} ${facts.version}`, threads, ...(facts.adapter ? [facts.adapter] : [])].join(', ') + '.';
}

const page = 'docs/devices.md';

function withAdvice({ where, message }: BackendError): string {
  const reason = message.slice(`${where}: `.length);
  if (reason.includes(page)) return reason;
  return `${reason}${reason.endsWith('.') ? '' : '.'} See ${page} for what it needs.`;
}
