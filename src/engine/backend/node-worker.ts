import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { DType, Tensor } from '../../tensor/tensor.ts';
import { BackendError } from '../../errors/errors.ts';
import type { SessionNames, WorkerRequest, WorkerResponse } from './session.ts';

interface Loaded {
  readonly session: ort.InferenceSession;
  readonly names: SessionNames;
}

const sessions = new Map<number, Loaded>();

async function answer(request: WorkerRequest): Promise<Tensor[]> {
  if (request.kind === 'create') {
    const session = await ort.InferenceSession.create(request.model, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: request.options.optimization ?? 'all',
      executionMode: 'sequential',
      ...(request.options.threads === undefined ? {} : { intraOpNumThreads: request.options.threads }),
    });
    sessions.set(request.session, { session, names: request.names });
    return [];
  }
  const loaded = sessions.get(request.session);
  if (loaded === undefined) throw new BackendError('session', 'expected a loaded session. Create it again.');
  if (request.kind === 'release') {
    sessions.delete(request.session);
    await loaded.session.release();
    return [];
  }
  return run(loaded, request.inputs);
}

async function run({ session, names }: Loaded, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const feeds: Record<string, ort.Tensor> = {};
  names.inputs.forEach((name, i) => {
    const input = inputs[i] as Tensor;
    feeds[name] = new ort.Tensor(input.dtype as 'float32', input.data as Float32Array, input.shape);
  });
  const results = await session.run(feeds);
  return names.outputs.map((name) => {
    const result = results[name] as ort.Tensor;
    return { shape: result.dims, dtype: result.type as DType, data: result.data as Float32Array };
  });
}

const port = parentPort;
/** The runtime answers later than it is asked: without a queue, a release would overtake the run before it. */
let queue: Promise<unknown> = Promise.resolve();
port?.on('message', (request: WorkerRequest) => {
  queue = queue
    .then(() => answer(request))
    .then(
      (outputs) => {
        const response: WorkerResponse = { id: request.id, outputs };
        port.postMessage(response, [...new Set(outputs.map((o) => o.data.buffer as ArrayBuffer))]);
      },
      (error: unknown) => {
        const response: WorkerResponse = {
          id: request.id,
          error: error instanceof Error ? error.message : String(error),
        };
        port.postMessage(response);
      },
    );
});
