import { BackendError } from '../../errors/errors.ts';
import type { WorkerRequest, WorkerResponse } from './protocol.ts';
import type { Backend, DeviceName } from './session.ts';
import type { WorkerEvents, WorkerPort } from './worker-backend.ts';
import { WorkerBackend } from './worker-backend.ts';

/** As much of a browser's worker as is used here; the project is typed for Node. */
interface BrowserWorker {
  onmessage: ((event: { readonly data: WorkerResponse }) => void) | null;
  onerror: ((event: { readonly message?: string; preventDefault(): void }) => void) | null;
  postMessage(request: WorkerRequest, transfer: ArrayBuffer[]): void;
  terminate(): void;
}

declare const Worker: new (file: URL, options: { readonly type: 'module' }) => BrowserWorker;

/**
 * A backend of a browser: onnxruntime-web in a Web Worker, so that the page stays free.
 * @throws BackendError for devices that only Node has, or where the runtime does not start
 */
export async function openWebBackend(device: DeviceName): Promise<Backend> {
  if (device === 'cpu' || device === 'cuda') {
    throw new BackendError(device, 'expected wasm or webgpu in a browser. Native kernels need Node.');
  }
  return WorkerBackend.open(device, startThread);
}

function startThread(events: WorkerEvents): WorkerPort {
  // Bundlers know a worker by exactly this expression; without an ending they find .ts in a checkout and .js in the package.
  const worker = new Worker(new URL('./web-worker', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => events.onResponse(data);
  worker.onerror = (event) => {
    event.preventDefault();
    events.onFailure(new BackendError('onnxruntime', event.message ?? 'its script did not load'));
  };
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    hold: () => undefined,
    end: async () => worker.terminate(),
  };
}
