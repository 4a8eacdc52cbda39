import { setTimeout } from 'node:timers/promises';
import type { Operation, Run } from './operations.ts';
import type { Peer } from './peer.ts';

/** Times of one operation, a number a round, and how far the two results lie apart. */
export interface Row {
  readonly name: string;
  readonly ours: number[];
  readonly theirs: number[];
  difference: number;
}

/** Both sides' threads spin for a moment after work: the other side starts once they sleep. */
const pauseMs = 100;

/** The middle one, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Runs once. @returns the time and the Euclidean norm of the results */
export async function timed(run: Run): Promise<{ ms: number; norm: number }> {
  const begun = performance.now();
  const results = await run();
  const ms = performance.now() - begun;
  let squares = 0;
  for (const { data } of results) for (let i = 0; i < data.length; i++) squares += (data[i] as number) ** 2;
  return { ms, norm: Math.sqrt(squares) };
}

/** Round by round, each operation on one side and then on the other; round 0 warms up and compares the results. */
export async function measure(ours: readonly Operation[], peer: Peer | undefined, rounds: number): Promise<Row[]> {
  const prepared: { row: Row; run: Run }[] = [];
  for (const operation of ours) {
    const row: Row = { name: operation.name, ours: [], theirs: [], difference: NaN };
    prepared.push({ row, run: await operation.prepare() });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { row, run } of prepared) {
      const mine = await timed(run);
      await setTimeout(pauseMs);
      const theirs = await peer?.run(row.name);
      await setTimeout(pauseMs);
      if (round === 0) row.difference = theirs ? Math.abs(mine.norm / theirs.norm - 1) : NaN;
      else {
        row.ours.push(mine.ms);
        if (theirs !== undefined) row.theirs.push(theirs.ms);
      }
    }
  }
  return prepared.map(({ row }) => row);
}

/** The rows as text, with ratios where there is a peer. */
export function table(rows: readonly Row[], withPeer: boolean): string {
  const heads = ['operation', 'ours, ms', ...(withPeer ? ['peer, ms', 'peer / ours', 'difference'] : [])];
  const body = rows.map(({ name, ours, theirs, difference }) => {
    // A ratio a round: what disturbs the machine for a while disturbs both sides.
    const ratio = median(theirs.map((t, i) => t / (ours[i] as number)));
    const peer = withPeer ? [median(theirs).toFixed(1), ratio.toFixed(2), difference.toExponential(1)] : [];
    return [name, median(ours).toFixed(1), ...peer];
  });
  return [heads, ...body].map(line).join('\n');
}

/** One line of a table: the first cell to the left, the others to the right. */
export function line(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(12))).join('');
}
