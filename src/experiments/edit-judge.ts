import { credible, fitAttributeJudge } from '../analysis/attribute-judge.ts';
import type { AttributeJudge } from '../analysis/attribute-judge.ts';
import { SpecError } from '../errors/errors.ts';
import type { AppliedDirection } from './edit-apply.ts';
import type { AttributeShift, EditDirection } from './edit-result.ts';
import type { EditSubject } from './edit-subject.ts';

/** Directions with the attributes that they change. */
export interface Judged {
  readonly directions: readonly EditDirection[];
  /** Held-out R^2 of the judge, by attribute. */
  readonly accuracy: Readonly<Record<string, number>>;
}

/**
 * A judge that learns attributes from the model's own training data.
 * @throws SpecError for a model without training data; as `fitAttributeJudge` for data without attributes
 */
export async function learnAttributes({
  train,
  heldout,
  denoiser,
  signal,
  onProgress,
}: EditSubject): Promise<AttributeJudge> {
  if (train === undefined) throw new SpecError('edit', `expected training data for --judge, ${denoiser.name} names none. Leave it out.`); // prettier-ignore
  onProgress?.({ label: 'learning attributes', done: 0, total: 1 });
  return fitAttributeJudge(train, heldout, { signal });
}

/**
 * Says which attributes each direction changes, of those that the judge tells well.
 * @param strengths  of the edits, ascending, with 0 among them
 */
export function judgeDirections(
  whole: AttributeJudge,
  applied: readonly AppliedDirection[],
  strengths: readonly number[],
): Judged {
  const judge = credible(whole);
  const A = judge.names.length;
  const zero = strengths.indexOf(0);
  const directions = applied.map(({ row, edits }) => {
    const told = judge.judge(edits);
    const shift = (s: number, a: number): number =>
      ((told[s * A + a] as number) - (told[zero * A + a] as number)) / (judge.deviations[a] as number);
    const attributes = judge.names
      .map((name, a): AttributeShift => ({ name, minus: shift(0, a), plus: shift(strengths.length - 1, a) }))
      .sort((p, q) => Math.abs(q.plus - q.minus) - Math.abs(p.plus - p.minus));
    return { ...row, attributes };
  });
  return { directions, accuracy: Object.fromEntries(whole.names.map((name, a) => [name, whole.r2[a] as number])) };
}
