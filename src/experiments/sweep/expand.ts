import { SpecError } from '../../errors/errors.ts';
import type { JobRow } from '../jobs/job.ts';

/** What is said of a job before its kind fills in the rest. */
export type SpecFields = Readonly<Record<string, unknown>>;

/** Jobs written as a product: every case with every combination of the grid, on top of the base. */
export interface Combinations {
  readonly base: SpecFields;
  /** Values by axis: an object sets its fields, anything else the field that the axis is named by. */
  readonly grid: Readonly<Record<string, readonly unknown[]>>;
  readonly cases: readonly SpecFields[];
}

/** One job of a product. */
export interface Variant {
  readonly fields: SpecFields;
  /** What sets it apart, by field; lists and objects as JSON text. */
  readonly parameters: JobRow;
}

/** Most jobs of one sweep. */
export const MOST_JOBS = 100_000;

/**
 * The jobs of a product, the last axis changing fastest.
 * @throws SpecError for more than `MOST_JOBS`, or a field that two axes set
 */
export function expandCombinations({ base, grid, cases }: Combinations): Variant[] {
  const axes = [
    { name: 'cases', choices: cases.length > 0 ? cases : [{}] },
    ...Object.entries(grid).map(([name, values]) => ({
      name: `grid.${name}`,
      choices: values.map((value) => (isFields(value) ? value : { [name]: value })),
    })),
  ];
  const count = axes.reduce((product, { choices }) => product * choices.length, 1);
  if (count > MOST_JOBS)
    throw new SpecError('sweep', `expected at most ${MOST_JOBS} jobs, got ${count}. Split the grid.`);
  assertApart(axes);
  const combinations = axes.reduce<SpecFields[]>(
    (sofar, { choices }) => sofar.flatMap((fields) => choices.map((choice) => ({ ...fields, ...choice }))),
    [{}],
  );
  return combinations.map((chosen) => ({ fields: { ...base, ...chosen }, parameters: parametersOf(chosen) }));
}

/** A field that two axes set would silently take the value of one of them. */
function assertApart(axes: readonly { readonly name: string; readonly choices: readonly SpecFields[] }[]): void {
  const setBy = new Map<string, string>();
  for (const { name, choices } of axes) {
    for (const field of new Set(choices.flatMap((choice) => Object.keys(choice)))) {
      const other = setBy.get(field);
      if (other !== undefined) {
        throw new SpecError('sweep', `expected every field from one axis, got ${field} from ${other} and ${name}.`);
      }
      setBy.set(field, name);
    }
  }
}

function parametersOf(fields: SpecFields): JobRow {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    isPlainValue(value) ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(entries) as JobRow;
}

function isPlainValue(value: unknown): boolean {
  return value === null || ['number', 'string', 'boolean'].includes(typeof value);
}

function isFields(value: unknown): value is SpecFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
