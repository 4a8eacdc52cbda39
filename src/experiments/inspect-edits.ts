import { runEdit } from './edit.ts';
import type { EditRun } from './edit-result.ts';
import { resolveEditSpec } from './edit-spec.ts';
import type { InspectSubject } from './inspect.ts';
import type { InspectSpec } from './inspect-spec.ts';

/** Automatic parts of the sheet: as many as fit a glance. */
const PARTS = 5;

/**
 * One-step edits of the first held-out image along the leading directions of its parts; undefined where none are asked for or samples are
 * no images.
 * @throws as `runEdit`
 */
export async function inspectEdits(spec: InspectSpec, subject: InspectSubject): Promise<EditRun | undefined> {
  const { model, data, edits, seed, reading, trust } = spec;
  if (edits === 0 || subject.denoiser.sampleShape.length !== 3) return undefined;
  const edit = resolveEditSpec({ model, data, directions: edits, parts: PARTS, others: 0, seed, reading, trust });
  return runEdit(edit, subject);
}
