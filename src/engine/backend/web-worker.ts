import type { WorkerRequest, WorkerResponse } from './protocol.ts';
import { serve } from './serve.ts';
import { loadWebRuntime } from './web-runtime.ts';

/** As much of a worker's global scope as is used here; the project is typed for Node. */
interface WorkerScope {
  readonly crossOriginIsolated: boolean;
  onmessage: ((event: { readonly data: WorkerRequest }) => void) | null;
  postMessage(response: WorkerResponse, transfer: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as WorkerScope;
// Threads share memory, which a page may do only in isolation (headers COOP and COEP).
const maxThreads = scope.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
const handle = serve(
  (device) => loadWebRuntime(device, { maxThreads }),
  (response, transfer) => scope.postMessage(response, transfer),
);
scope.onmessage = ({ data }) => handle(data);
