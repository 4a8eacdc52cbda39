import type { Denoiser } from '../denoisers/denoiser.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { SpecError } from '../errors/errors.ts';
import type { EditSpec } from './edit-spec.ts';
import { findNetwork } from './network-model.ts';
import { isModelKind, openDenoiser } from './models.ts';

/**
 * The model of a spec under the condition to edit towards; undefined where none is named.
 * @throws SpecError for a model that knows no conditions; otherwise as `openDenoiser`
 */
export async function openWanted(
  spec: EditSpec,
  { device, signal }: { readonly device?: DeviceName | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Denoiser | undefined> {
  const { model, towardsClass, towardsText, data, reading, trust } = spec;
  if (towardsClass === undefined && towardsText === undefined) return undefined;
  if (isModelKind(model) || (await findNetwork(model)) !== undefined) {
    throw new SpecError('edit', `expected a conditional model to edit towards a condition, ${model} takes none. Name an ONNX network with a class or text input.`); // prettier-ignore
  }
  const condition = { ...(towardsClass !== undefined && { class: towardsClass }), ...(towardsText !== undefined && { text: towardsText }) }; // prettier-ignore
  // The reading was proved when the model was opened under its own condition, or is to be trusted.
  return (await openDenoiser(model, { data, reading: { ...reading, ...condition }, trust: trust ?? false, device, signal })).denoiser; // prettier-ignore
}
