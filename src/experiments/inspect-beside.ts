import { ModelError, ShapeError } from '../errors/errors.ts';
import { sameShape, showShape } from '../tensor/tensor.ts';
import { runInspect } from './inspect.ts';
import type { InspectRun, InspectSubject } from './inspect.ts';
import { trajectoryGrid } from './inspect-spec.ts';
import type { InspectSpec } from './inspect-spec.ts';

/**
 * Inspects two models of one shape: the second from the same latents by the same sampler, at some of the noise levels.
 * @param spec  with `beside`
 * @returns the run of the first model, that of the second in it
 * @throws ShapeError, ModelError where they cannot stand beside each other; as `runInspect`
 */
export async function runInspectBeside(
  spec: InspectSpec & { readonly beside: NonNullable<InspectSpec['beside']> },
  first: InspectSubject,
  second: InspectSubject,
): Promise<InspectRun> {
  checkPair(first, second);
  const startedAt = Date.now();
  // Flags say how the first model is read; the second says so itself.
  const otherSpec: InspectSpec = { ...spec, ...spec.beside, beside: undefined, reading: undefined, trust: undefined };
  const own = await runInspect(spec, first);
  const other = await runInspect(otherSpec, {
    ...second,
    grid: trajectoryGrid(spec),
    onProgress: (progress) => second.onProgress?.({ ...progress, label: `${progress.label} of ${second.denoiser.name}` }),
  }); // prettier-ignore
  const result = { ...own.result, wallMs: Date.now() - startedAt, beside: other.result };
  return { ...own, result, beside: other };
}

function checkPair(first: InspectSubject, second: InspectSubject): void {
  const [a, b] = [first.denoiser, second.denoiser];
  if (!sameShape(a.sampleShape, b.sampleShape)) {
    throw new ShapeError(
      `--beside ${b.name}`,
      `expected samples of shape ${showShape(a.sampleShape)}, as ${a.name} has, got ${showShape(b.sampleShape)}. Choose a model of the same shape.`,
    );
  }
  for (const { denoiser, train } of [first, second]) {
    if ((train?.count ?? 0) > 1) continue;
    throw new ModelError(
      `model '${denoiser.name}'`,
      'has no training set to be compared with. Beside each other stand models of which one is known: networks, gaussian:DATA and empirical:DATA.',
    );
  }
}
