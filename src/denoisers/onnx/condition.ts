import type { HostArray } from '../../engine/onnx/model.ts';
import { ModelError } from '../../errors/errors.ts';
import { showShape } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { OnnxRoles } from './roles.ts';

/** What a conditional network is held at. */
export interface Condition {
  /** Class index, default 0. */
  readonly classLabel?: number | undefined;
  /** Embedded text [length, width] or [1, length, width]; default zeros. */
  readonly text?: FloatTensor | undefined;
}

/**
 * The held inputs of a batch.
 * @throws ModelError where the label or the embedding does not fit, or sizes that only a condition could tell stay open
 */
export function conditionOf(
  where: string,
  roles: OnnxRoles,
  condition: Condition | undefined,
  batch: number,
): Record<string, HostArray> {
  const held: Record<string, HostArray> = {};
  if (roles.classLabels !== undefined) held[roles.classLabels.name] = classArray(where, roles, condition ?? {}, batch);
  if (roles.text !== undefined) held[roles.text.name] = textArray(where, roles, condition ?? {}, batch);
  return held;
}

function classArray(where: string, roles: OnnxRoles, { classLabel = 0 }: Condition, batch: number): HostArray {
  const shape = roles.classLabels?.shape ?? [];
  if (shape.length < 2) {
    const sizes = shape.length === 0 ? [] : [batch];
    return { type: 'int', shape: sizes, data: new Float64Array(shape.length === 0 ? 1 : batch).fill(classLabel) };
  }
  const classes = shape[1];
  if (typeof classes !== 'number') {
    throw new ModelError(
      where,
      `leaves the number of classes open. Export '${roles.classLabels?.name}' with its size.`,
    );
  }
  if (classLabel >= classes) {
    throw new ModelError(where, `expected a class from 0 to ${classes - 1}, got ${classLabel}. Give another --class.`);
  }
  const data = new Float64Array(batch * classes);
  for (let b = 0; b < batch; b++) data[b * classes + classLabel] = 1;
  return { type: 'float', shape: [batch, classes], data };
}

function textArray(where: string, roles: OnnxRoles, { text }: Condition, batch: number): HostArray {
  const declared = (roles.text?.shape ?? []).slice(1);
  const given = text?.shape.slice(-2);
  const shape = given ?? declared;
  const fits = shape.length === 2 && declared.every((d, i) => typeof d === 'string' || d === shape[i]);
  if (!fits || !shape.every((d) => typeof d === 'number')) {
    const wanted = declared.map(String).join(', ');
    throw new ModelError(
      where,
      `expected embedded text of shape [${wanted}], got ${given ? showShape(given) : 'none'}. Give --text embedding.npy.`,
    );
  }
  const length = (shape[0] as number) * (shape[1] as number);
  const data = new Float64Array(batch * length);
  if (text !== undefined) for (let b = 0; b < batch; b++) data.set(text.data.subarray(0, length), b * length);
  return { type: 'float', shape: [batch, ...shape], data };
}
