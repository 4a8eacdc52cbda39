import { BackendError } from '../../errors/errors.ts';
import type { Runtime } from './serve.ts';
import type { DeviceName } from './session.ts';

/** What the surroundings of the runtime allow. */
export interface WebRuntimeOptions {
  /** Most threads inside an operator: 1 where memory cannot be shared. */
  readonly maxThreads: number;
  /** The runtime's WebAssembly file, where it cannot be fetched from beside the script. */
  readonly wasmBinary?: Uint8Array;
}

/** As much of a browser's WebGPU as is asked here. */
interface Gpu {
  requestAdapter(): Promise<{ info: { vendor: string; architecture: string; description: string } } | null>;
}

/**
 * onnxruntime-web: WebAssembly with SIMD, or WebGPU with WebAssembly behind it. Its two builds are loaded on demand.
 * @throws BackendError where the browser has no WebGPU adapter
 */
export async function loadWebRuntime(device: DeviceName, options: WebRuntimeOptions): Promise<Runtime> {
  const adapter = device === 'webgpu' ? { adapter: await describeAdapter() } : {};
  const ort = device === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  const { env } = ort;
  env.logLevel = 'fatal';
  if (options.wasmBinary !== undefined) env.wasm.wasmBinary = options.wasmBinary;
  let threads: number | undefined;
  return {
    ort,
    facts: {
      library: 'onnxruntime-web',
      version: env.versions.web ?? env.versions.common,
      threads: options.maxThreads,
      ...adapter,
    },
    configure: (session) => {
      // The module starts with its first session; after that the number of threads is fixed.
      threads ??= Math.min(session.threads ?? options.maxThreads, options.maxThreads);
      env.wasm.numThreads = threads;
      if (device === 'webgpu') return { executionProviders: [device] };
      // Threads that wait sleep: several runtimes share the cores of one page.
      return { executionProviders: [device], extra: { session: { intra_op: { allow_spinning: '0' } } } };
    },
  };
}

async function describeAdapter(): Promise<string> {
  const { gpu } = navigator as { readonly gpu?: Gpu };
  const adapter = (await gpu?.requestAdapter()) ?? null;
  if (adapter === null) {
    const what = gpu === undefined ? 'WebGPU' : 'a WebGPU adapter';
    throw new BackendError('webgpu', `expected ${what} in this browser, got none. Use the device wasm.`);
  }
  const { vendor, architecture, description } = adapter.info;
  return description || [vendor, architecture].filter((part) => part !== '').join(' ') || 'unnamed adapter';
}
