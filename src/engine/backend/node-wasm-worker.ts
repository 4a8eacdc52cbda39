import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { serve } from './serve.ts';
import { loadWebRuntime } from './web-runtime.ts';

const { resolve } = createRequire(import.meta.url);

const port = parentPort;
port?.on(
  'message',
  serve(
    // The browser's build has no threads in Node, and cannot fetch its own file there.
    async (device) =>
      loadWebRuntime(device, {
        maxThreads: 1,
        wasmBinary: await readFile(resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')),
      }),
    (response, transfer) => port.postMessage(response, transfer),
  ),
);
