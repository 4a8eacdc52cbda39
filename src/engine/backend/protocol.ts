import type { Tensor } from '../../tensor/tensor.ts';
import type { DeviceName, RuntimeFacts, SessionNames, SessionOptions } from './session.ts';

/** What the host sends to its worker; the first request loads the runtime. */
export type WorkerRequest = { readonly id: number } & (
  | { readonly kind: 'open'; readonly device: DeviceName }
  | {
      readonly kind: 'create';
      readonly device: DeviceName;
      readonly session: number;
      readonly model: Uint8Array<ArrayBuffer>;
      readonly names: SessionNames;
      readonly options: SessionOptions;
    }
  | { readonly kind: 'run'; readonly session: number; readonly inputs: readonly Tensor[] }
  | { readonly kind: 'release'; readonly session: number }
  | { readonly kind: 'close' }
);

/** What each kind of request is answered with. */
export interface WorkerResults {
  open: RuntimeFacts;
  create: undefined;
  run: Tensor[];
  release: undefined;
  close: undefined;
}

/** What the worker answers: a result, or the runtime's message. */
export type WorkerResponse =
  | { readonly id: number; readonly result: WorkerResults[keyof WorkerResults] }
  | { readonly id: number; readonly error: string };
