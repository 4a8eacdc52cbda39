import type { Worker as NodeWorker } from 'node:worker_threads';
import { BackendError } from '../../errors/errors.ts';
import type { WorkerResponse } from './protocol.ts';
import type { Backend, DeviceName } from './session.ts';
import type { WorkerEvents, WorkerPort } from './worker-backend.ts';
import { WorkerBackend } from './worker-backend.ts';

/**
 * A backend of Node: `cpu`, `cuda` and `webgpu` through onnxruntime-node, `wasm` through onnxruntime-web.
 * Node's modules are fetched at run time, not imported, so that a bundler can read this file for a browser, which never calls it.
 * @throws BackendError where the runtime or its CUDA files are missing
 */
export async function openNodeBackend(device: DeviceName): Promise<Backend> {
  if (device === 'cuda') {
    assertCudaFiles();
    // NVIDIA's libraries otherwise round operands of products to 10 bits (TF32), which the runtime's binding cannot turn off.
    process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  }
  return WorkerBackend.open(device, (events) => startThread(device, events));
}

function startThread(device: DeviceName, events: WorkerEvents): WorkerPort {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  // Run from source in a checkout, from dist/ in the package.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = `./node-${device === 'wasm' ? 'wasm-' : ''}worker.${ending}`;
  const worker: NodeWorker = new Worker(new URL(file, import.meta.url));
  worker.on('message', (response: WorkerResponse) => events.onResponse(response));
  worker.on('error', (error: Error) => events.onFailure(error));
  worker.on('exit', (code) => events.onFailure(new BackendError('onnxruntime', `exit code ${code}`)));
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    hold: (awaited) => (awaited ? worker.ref() : worker.unref()),
    end: async () => {
      await worker.terminate();
    },
  };
}

/** npm does not carry the CUDA provider: it is too large, and is fetched by a script of onnxruntime-node. */
function assertCudaFiles(): void {
  const { createRequire } = process.getBuiltinModule('node:module');
  const { existsSync } = process.getBuiltinModule('node:fs');
  const path = process.getBuiltinModule('node:path');
  const library = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const folder = path.join(library, 'bin/napi-v6', process.platform, process.arch);
  if (existsSync(path.join(folder, 'libonnxruntime_providers_cuda.so'))) return;
  throw new BackendError(
    'onnxruntime cuda',
    'libonnxruntime_providers_cuda.so is not installed. Fetch it as docs/devices.md says (Linux x64), or use the device cpu.',
  );
}
