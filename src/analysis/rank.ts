import { DomainError, NumericalError } from '../errors/errors.ts';

/** How much of the energy sum S_i^2 the leading singular values must hold before the rest counts as nothing. */
export interface EnergyRule {
  /** Share of the energy that must be exceeded, in (0, 1). */
  readonly energy: number;
  /** The rule in words, for tables and figures. */
  readonly says: string;
}

/** Name of an energy rule. */
export type EnergyRuleName = 'sqrt-energy-0.99' | 'energy-0.99';

/**
 * The rules by name. The papers ask the square root of the cumulative energy to pass 0.99, which is energy 0.9801; plain
 * energy 0.99 is stricter and counts more directions.
 * @source arXiv 2409.02426 (released code), arXiv 2409.02374 section 3: energy > eta^2 with eta = 0.99
 */
export const energyRules: Readonly<Record<EnergyRuleName, EnergyRule>> = {
  'sqrt-energy-0.99': { energy: 0.99 * 0.99, says: 'sqrt of cumulative energy > 0.99' },
  'energy-0.99': { energy: 0.99, says: 'cumulative energy > 0.99' },
};

/** The names of the energy rules, the papers' rule first. */
export const energyRuleNames: readonly EnergyRuleName[] = ['sqrt-energy-0.99', 'energy-0.99'];

/** The least and the greatest rank that the true singular values can have. */
export interface RankBounds {
  readonly low: number;
  readonly high: number;
  /** Whether the errors of the values cannot change the rank: low = high. */
  readonly certain: boolean;
}

/**
 * Smallest r whose r largest values hold more than the rule's share of the energy.
 * @param values  singular values in any order, not negative
 * @param rule    a name of `energyRules`, or a rule of one's own
 * @returns 0 for no values or all zero, else 1 <= rank <= values.length
 * @throws NumericalError if a value is negative or not finite; DomainError if the share lies outside (0, 1)
 * @precision squares are taken of values scaled by the largest, so nothing overflows; tails are summed from the small end
 */
export function numericalRank(values: Float64Array, rule: EnergyRuleName | EnergyRule): number {
  const sorted = descending('numericalRank', values);
  return leastRank(sorted, sorted, shareOf('numericalRank', rule));
}

/** Rank divided by the number of values, in [0, 1]; 0 where there is no value. */
export function rankRatio(rank: number, dimension: number): number {
  return dimension === 0 ? 0 : rank / dimension;
}

/**
 * Every rank that the true values can have if each differs from its measured value by no more than its error.
 * The rank is r or less exactly if head energy > share x total, which grows with the head and falls with the tail, so the
 * corners of the box of errors bound it. Both ends are reached while the errors leave the order of the values alone.
 * @param values  measured singular values in descending order
 * @param errors  one bound for all, or one a value; by Weyl a perturbation E of the matrix moves no value by more than |E|
 * @returns bounds that hold for all values within the errors
 * @throws NumericalError if a value or error is negative or not finite; DomainError if the lengths differ
 */
export function rankBounds(
  values: Float64Array,
  errors: number | Float64Array,
  rule: EnergyRuleName | EnergyRule,
): RankBounds {
  if (typeof errors !== 'number' && errors.length !== values.length) {
    throw new DomainError('rankBounds', `expected ${values.length} errors, one a value, got ${errors.length}.`);
  }
  const share = shareOf('rankBounds', rule);
  const error = (i: number): number => (typeof errors === 'number' ? errors : (errors[i] as number));
  // Sorted again: one error a value can change their order, and values within errors, once sorted, lie within sorted bounds.
  const upper = descending(
    'rankBounds',
    values.map((s, i) => s + error(i)),
  );
  const lower = descending(
    'rankBounds',
    values.map((s, i) => Math.max(0, s - error(i))),
  );
  const low = leastRank(upper, lower, share);
  const high = lower[0] === 0 && (upper[0] as number) > 0 ? values.length : leastRank(lower, upper, share);
  return { low, high, certain: low === high };
}

/** Smallest r with sum_{i<r} head_i^2 > share (sum_{i<r} head_i^2 + sum_{i>=r} tail_i^2); 0 if both are all zero. */
function leastRank(head: Float64Array, tail: Float64Array, share: number): number {
  const count = head.length;
  const scale = Math.max(head[0] ?? 0, tail[0] ?? 0);
  if (scale === 0 || tail[0] === 0) return 0;
  const tailEnergy = new Float64Array(count + 1);
  for (let i = count - 1; i >= 0; i--)
    tailEnergy[i] = (tailEnergy[i + 1] as number) + ((tail[i] as number) / scale) ** 2;
  let energy = 0;
  for (let r = 1; r <= count; r++) {
    energy += ((head[r - 1] as number) / scale) ** 2;
    if (energy > share * (energy + (tailEnergy[r] as number))) return r;
  }
  return count;
}

function shareOf(where: string, rule: EnergyRuleName | EnergyRule): number {
  const { energy } = typeof rule === 'string' ? energyRules[rule] : rule;
  if (!(energy > 0 && energy < 1)) throw new DomainError(where, `expected a share of energy in (0, 1), got ${energy}.`);
  return energy;
}

function descending(where: string, values: Float64Array): Float64Array {
  const bad = values.findIndex((s) => !(s >= 0 && s < Infinity));
  if (bad >= 0) {
    throw new NumericalError(
      where,
      `expected singular values that are finite and not negative, got ${values[bad]} at index ${bad}. Check the denoiser's output there.`,
    );
  }
  return values.slice().sort((a, b) => b - a);
}
