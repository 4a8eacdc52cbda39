import { credible, fitAttributeJudge } from '../analysis/attribute-judge.ts';
import { SpecError } from '../errors/errors.ts';
import type { AppliedDirection, EditStage } from './edit-apply.ts';
import type { AttributeShift, EditDirection } from './edit-result.ts';

/** Directions with the attributes that they change. */
export interface Judged {
  readonly directions: readonly EditDirection[];
  /** Held-out R^2 of the judge, by attribute. */
  readonly accuracy: Readonly<Record<string, number>>;
}

/**
 * Says which attributes each direction changes, by a judge that learns them from the model's own training data.
 * @throws SpecError for a model without training data; as `fitAttributeJudge` for data without attributes
 */
export async function judgeDirections(
  applied: readonly AppliedDirection[],
  { subject: { train, heldout, denoiser, signal, onProgress }, strengths }: EditStage,
): Promise<Judged> {
  if (train === undefined) throw new SpecError('edit', `expected training data for --judge, ${denoiser.name} names none. Leave it out.`); // prettier-ignore
  onProgress?.({ label: 'learning attributes', done: 0, total: 1 });
  const whole = await fitAttributeJudge(train, heldout, { signal });
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
