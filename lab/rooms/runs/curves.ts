import { z } from 'zod';

import { DatasetError } from '../../../src/errors/errors.ts';
import type { Operation } from '../../compute/protocol.ts';
import { parsed } from './list.ts';
import type { RunsState } from './room.ts';
import { addressOf, idOf } from './row.ts';
import type { RunRow } from './row.ts';

/** Runs whose curves are wanted. */
export interface CurveInput extends Pick<RunsState, 'rule' | 'site' | 'dropped'> {
  /** Address of `/api/runs`. */
  readonly api: string;
  readonly runs: readonly RunRow[];
}

/** Mean rank over D of a run at one noise level. */
export interface RankPoint {
  readonly run: string;
  readonly sigma: number;
  readonly ratio: number;
}

/** Loss of a training at one step. */
export interface LossPoint {
  readonly run: string;
  readonly step: number;
  /** Mean EDM loss since the point before. */
  readonly loss: number;
  /** Of the averaged weights on held-out images, where it was measured. */
  readonly heldout?: number | undefined;
}

/** The curves of the runs that have some. */
export interface Curves {
  readonly ranks: readonly RankPoint[];
  readonly losses: readonly LossPoint[];
  /** A sentence for each run that has none, or that could not be read. */
  readonly notes: readonly string[];
}

const inspected = z.looseObject({
  rankCurve: z.array(
    z.looseObject({ sigma: z.number(), ratio: z.number(), rule: z.string(), site: z.string() }),
  ),
}); // prettier-ignore
const lossRow = z.looseObject({ step: z.number(), loss: z.number(), heldout: z.number().optional() });

/** Reads rank curves of inspect runs from result.json, and losses of trainings from losses.jsonl. */
export const readCurves: Operation<CurveInput, Curves> = async (input, { signal, progress }) => {
  const ranks: RankPoint[] = [];
  const losses: LossPoint[] = [];
  const notes: string[] = [];
  for (const [i, run] of input.runs.entries()) {
    progress(i, input.runs.length);
    const id = idOf(run);
    const read = (name: string): Promise<string> => readFile(input, run, name, signal);
    try {
      if (run.files.includes('losses.jsonl')) losses.push(...lossesOf(id, await read('losses.jsonl')));
      else if (run.files.includes('result.json')) ranks.push(...ranksOf(id, await read('result.json'), input));
      else notes.push(`${id} has neither a result.json nor a losses.jsonl, so there is no curve of it.`);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      notes.push(error.message);
    }
  }
  return { ranks, losses, notes };
};

/**
 * Mean of rank over D over the images of one site, by one rule, at every noise level, descending.
 * @param text  of result.json
 * @throws DatasetError where it holds no rank curve
 */
export function ranksOf(run: string, text: string, { rule, site }: Pick<RunsState, 'rule' | 'site'>): RankPoint[] {
  const { data } = inspected.safeParse(parsed(text));
  const rows = data?.rankCurve.filter((row) => row.rule === rule && row.site === site) ?? [];
  if (rows.length === 0) throw new DatasetError(run, 'has no rank curve and no losses: inspect and train write them.');
  const means = [...Map.groupBy(rows, ({ sigma }) => sigma)].map(([sigma, own]) => ({
    run,
    sigma,
    ratio: own.reduce((sum, { ratio }) => sum + ratio, 0) / own.length,
  }));
  return means.sort((a, b) => b.sigma - a.sigma);
}

/** @param text  of losses.jsonl @throws DatasetError naming the line that is none */
export function lossesOf(run: string, text: string): LossPoint[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, i) => {
    const { data } = lossRow.safeParse(parsed(line));
    if (data === undefined) throw new DatasetError(run, `expected a step and a loss in line ${i + 1} of losses.jsonl.`);
    return { run, step: data.step, loss: data.loss, heldout: data.heldout };
  });
}

async function readFile({ api, dropped }: CurveInput, run: RunRow, name: string, signal: AbortSignal): Promise<string> {
  const path = run.path === '' ? name : `${run.path}/${name}`;
  if (run.isDropped) {
    const found = dropped.find((file) => file.path === path);
    if (found === undefined) throw new DatasetError(idOf(run), `expected ${name} among the dropped files. Drop the folder again.`); // prettier-ignore
    return found.file.text();
  }
  const response = await fetch(addressOf(api, path), { signal }).catch(() => undefined);
  if (response?.ok === true) return response.text();
  const what = response === undefined ? 'the server does not answer' : `the server answers ${response.status}`;
  throw new DatasetError(idOf(run), `${name} could not be read: ${what}. Reload the page.`);
}
