import type * as Ort from 'onnxruntime-web';
import { BackendError } from '../../errors/errors.ts';
import type { DType, Tensor } from '../../tensor/tensor.ts';
import type { WorkerRequest, WorkerResponse, WorkerResults } from './protocol.ts';
import type { DeviceName, RuntimeFacts, SessionNames, SessionOptions } from './session.ts';

/** ONNX Runtime on one device: its native and its WebAssembly package offer the same classes. */
export interface Runtime {
  readonly facts: RuntimeFacts;
  readonly ort: Pick<typeof Ort, 'InferenceSession' | 'Tensor'>;
  /** The runtime's options for a session. */
  configure(options: SessionOptions): Ort.InferenceSession.SessionOptions;
}

interface Loaded {
  readonly session: Ort.InferenceSession;
  readonly names: SessionNames;
}

/**
 * The worker's half of a backend: takes requests in order and answers each.
 * @param load  loads the runtime; called with the first request that names a device
 * @param reply  sends an answer, with the buffers that move along
 */
export function serve(
  load: (device: DeviceName) => Promise<Runtime>,
  reply: (response: WorkerResponse, transfer: ArrayBuffer[]) => void,
): (request: WorkerRequest) => void {
  const answer = answerer(load);
  /** The runtime answers later than it is asked: without a queue, a release would overtake the run before it. */
  let queue: Promise<unknown> = Promise.resolve();
  return (request) => {
    queue = queue
      .then(() => answer(request))
      .then(
        (result) => reply({ id: request.id, result }, buffersOf(result)),
        (error: unknown) => reply({ id: request.id, error: messageOf(error) }, []),
      );
  };
}

/** The host says where: our own errors lose their place on the way. */
function messageOf(error: unknown): string {
  if (error instanceof BackendError) return error.message.slice(`${error.where}: `.length);
  return error instanceof Error ? error.message : String(error);
}

type Answerer = (request: WorkerRequest) => Promise<WorkerResults[keyof WorkerResults]>;

function answerer(load: (device: DeviceName) => Promise<Runtime>): Answerer {
  const sessions = new Map<number, Loaded>();
  let runtime: Promise<Runtime> | undefined;
  const release = async (id: number): Promise<void> => {
    const loaded = sessions.get(id);
    sessions.delete(id);
    await loaded?.session.release();
  };
  return async (request) => {
    switch (request.kind) {
      case 'open':
        return (await (runtime ??= load(request.device))).facts;
      case 'create': {
        const { model, names, options, device } = request;
        const session = await createSession(await (runtime ??= load(device)), device, model, options);
        sessions.set(request.session, { session, names });
        return undefined;
      }
      case 'run': {
        const loaded = sessions.get(request.session);
        if (loaded === undefined) throw new BackendError('session', 'was lost with its worker. Create it again.');
        return run((await (runtime as Promise<Runtime>)).ort, loaded, request.inputs);
      }
      case 'release':
        await release(request.session);
        return undefined;
      case 'close':
        for (const id of [...sessions.keys()]) await release(id);
        return undefined;
    }
  };
}

const optimizationLevels = { all: 'all', basic: 'basic', none: 'disabled' } as const;

async function createSession(
  runtime: Runtime,
  device: DeviceName,
  model: Uint8Array,
  options: SessionOptions,
): Promise<Ort.InferenceSession> {
  const isNative = device === 'cpu' || device === 'wasm';
  const created = runtime.ort.InferenceSession.create(model, {
    graphOptimizationLevel: optimizationLevels[options.optimization ?? 'all'],
    executionMode: 'sequential',
    // A memory pattern plans a second block beside the arena of the first run: a quarter more memory at no gain in speed.
    enableMemPattern: false,
    // What goes wrong comes back as an error: nothing needs to be printed as well.
    logSeverityLevel: 4,
    ...(options.fallback === 'none' && !isNative ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
    ...runtime.configure(options),
  });
  return device === 'webgpu' ? refuseDouble(await created.catch(refuseWithoutKernel)) : created;
}

const doubleAdvice = 'Run float64 on the device cpu or wasm.';

/** In Node, ONNX Runtime would not say so: it runs a float64 graph on the CPU as a whole. */
async function refuseDouble(session: Ort.InferenceSession): Promise<Ort.InferenceSession> {
  const values = [...session.inputMetadata, ...session.outputMetadata];
  if (values.every((v) => !v.isTensor || v.type !== 'float64')) return session;
  await session.release();
  throw new BackendError('webgpu', `expected float32, got a float64 model. ${doubleAdvice}`);
}

/** In a browser, the build with WebGPU lacks the float64 kernels of the other one. */
function refuseWithoutKernel(error: unknown): never {
  const operator = /Provider type for (\w+) node/.exec(String(error))?.[1];
  if (operator === undefined) throw error;
  const got = `got a ${operator} that this build has no kernel for`;
  throw new BackendError('webgpu', `expected float32, ${got}. ${doubleAdvice}`, { cause: error });
}

async function run(ort: Runtime['ort'], { session, names }: Loaded, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const feeds: Record<string, Ort.Tensor> = {};
  names.inputs.forEach((name, i) => {
    const input = inputs[i] as Tensor;
    feeds[name] = new ort.Tensor(input.dtype as 'float32', input.data as Float32Array, input.shape);
  });
  const results = await session.run(feeds);
  return names.outputs.map((name) => {
    const result = results[name] as Ort.Tensor;
    return { shape: result.dims, dtype: result.type as DType, data: result.data as Float32Array };
  });
}

/** Buffers of results move to the host. */
function buffersOf(result: WorkerResults[keyof WorkerResults]): ArrayBuffer[] {
  return Array.isArray(result) ? [...new Set(result.map((o) => o.data.buffer as ArrayBuffer))] : [];
}
