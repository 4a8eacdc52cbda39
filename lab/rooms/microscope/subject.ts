import type { DroppedFile } from '../../components/dropped-files.ts';
import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import type { Reading } from '../../../src/diffusion/alternatives.ts';
import { resolveDevice } from '../../../src/engine/backend/device.ts';
import { BackendError } from '../../../src/errors/errors.ts';
import { openShipped } from '../../shipped/models.ts';
import type { ShippedName } from './data-name.ts';
import { loadNetwork, networkDenoiser } from './foreign.ts';

/** Where graphs are asked to run. */
export type LabDevice = 'wasm' | 'webgpu';

/** A model to look into; `id` tells it from every other. */
export type Subject =
  | { readonly kind: 'shipped'; readonly id: string; readonly name: ShippedName; readonly device: LabDevice }
  | {
      readonly kind: 'network';
      readonly id: string;
      readonly files: readonly DroppedFile[];
      readonly reading: Reading;
      readonly device: LabDevice;
    };

/** Opens models and keeps the last one: a worker looks into one at a time. */
export function subjectOpener(): (subject: Subject) => Promise<Denoiser> {
  let kept: { readonly id: string; readonly denoiser: Promise<Denoiser> } | undefined;
  return (subject) => {
    if (kept?.id === subject.id) return kept.denoiser;
    const before = kept?.denoiser;
    const denoiser = openSubject(subject);
    kept = { id: subject.id, denoiser };
    denoiser.catch(() => {
      if (kept?.id === subject.id) kept = undefined;
    });
    // Its graphs may be at work still: disposal waits for them.
    void before?.then((old) => old[Symbol.asyncDispose]()).catch(() => undefined);
    return denoiser;
  };
}

async function openSubject(subject: Subject): Promise<Denoiser> {
  const { device } = await deviceFor(subject.device);
  if (subject.kind === 'shipped') return (await openShipped(subject.name, device)).denoiser;
  const network = await loadNetwork(subject.files, device);
  return networkDenoiser(network, subject.reading, () => network.network[Symbol.asyncDispose]());
}

/** The device that graphs run on: WebAssembly, with a sentence, where WebGPU was asked for and is not there. */
export async function deviceFor(wanted: LabDevice): Promise<{ readonly device: LabDevice; readonly note?: string }> {
  if (wanted === 'wasm') return { device: 'wasm' };
  try {
    await resolveDevice('webgpu');
    return { device: 'webgpu' };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return { device: 'wasm', note: `This browser offers no WebGPU that computes rightly, so WebAssembly does the work. It says: ${error.message}` }; // prettier-ignore
  }
}
