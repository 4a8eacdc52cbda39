import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { serve } from './serve.ts';
import type { Runtime } from './serve.ts';
import type { DeviceName } from './session.ts';

// What goes wrong comes back as an error: nothing needs to be printed as well.
ort.env.logLevel = 'fatal';

async function load(device: DeviceName): Promise<Runtime> {
  return {
    ort,
    facts: {
      library: 'onnxruntime-node',
      version: ort.env.versions.node ?? ort.env.versions.common,
      threads: navigator.hardwareConcurrency,
    },
    configure: ({ threads }) => ({
      executionProviders: [device],
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    }),
  };
}

const port = parentPort;
port?.on(
  'message',
  serve(load, (response, transfer) => port.postMessage(response, transfer)),
);
