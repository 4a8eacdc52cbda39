import type { EnergyRuleName } from '../analysis/rank.ts';
import type { InspectPoint, InspectResult, InspectSite } from '../experiments/inspect-result.ts';

/** One line of the report's table: a noise level, averaged or worst over images and sites. */
export interface KeyRow {
  readonly sigma: number;
  /** Mean rank over images, by site and rule; undefined where it was not measured. */
  readonly ranks: Readonly<Record<InspectSite, Readonly<Record<EnergyRuleName, number | undefined>>>>;
  /** Mean rank ratio of held-out images by the papers' rule. */
  readonly ratio: number | undefined;
  /** Largest singular value at held-out images, mean. */
  readonly leading: number | undefined;
  /** Largest residual of any triplet at this level. */
  readonly residual: number | undefined;
  /** Largest symmetry defect at this level. */
  readonly defect: number | undefined;
}

/** The table of key numbers, one row a noise level in the order of `result.sigmas`. */
export function keyNumbers(result: InspectResult): KeyRow[] {
  return result.sigmas.map((sigma) => {
    const here = <Row extends InspectPoint>(rows: readonly Row[]): Row[] => rows.filter((row) => row.sigma === sigma);
    const ranks = here(result.rankCurve);
    const rank = (site: InspectSite, rule: EnergyRuleName): number | undefined =>
      mean(ranks.filter((r) => r.site === site && r.rule === rule).map((r) => r.rank));
    const byRule = (site: InspectSite): Record<EnergyRuleName, number | undefined> => ({
      'sqrt-energy-0.99': rank(site, 'sqrt-energy-0.99'),
      'energy-0.99': rank(site, 'energy-0.99'),
    });
    const heldout = byRule('heldout');
    const main = heldout['sqrt-energy-0.99'];
    const triplets = here(result.triplets);
    return {
      sigma,
      ranks: { heldout, trajectory: byRule('trajectory') },
      ratio: main === undefined ? undefined : main / result.dimension,
      leading: mean(triplets.filter((t) => t.site === 'heldout').flatMap((t) => t.values.slice(0, 1))),
      residual: greatest(triplets.flatMap((t) => t.residuals)),
      defect: greatest(here(result.symmetryDefect).map((r) => r.defect)),
    };
  });
}

/** The row of least rank ratio, if any was measured. */
export function lowestRow(rows: readonly KeyRow[]): KeyRow | undefined {
  return rows.filter((row) => row.ratio !== undefined).toSorted((a, b) => (a.ratio as number) - (b.ratio as number))[0];
}

/** The largest of some numbers, leaving out what is undefined; undefined for none. */
export function greatest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((v) => v !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, v) => sum + v, 0) / values.length;
}
