import type { Column } from './room.ts';

/** One run, wherever its files are. */
export interface RunRow {
  /** Path from the folder of runs; of dropped ones from what was dropped. */
  readonly path: string;
  /** Whether its files were dropped on the page. */
  readonly isDropped: boolean;
  /** Kind of run: the command, or the kind of a sweep's jobs. */
  readonly job: string;
  readonly name?: string | undefined;
  /** Folder of the sweep that it is a job of. */
  readonly sweep?: string | undefined;
  /** ISO 8601. */
  readonly when: string;
  readonly wallMs?: number | undefined;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** A run's name in links and lists. */
export function idOf({ path, isDropped }: Pick<RunRow, 'path' | 'isDropped'>): string {
  return isDropped ? `dropped:${path}` : path;
}

/** Address of a file below `/api/runs`. */
export function addressOf(api: string, path: string): string {
  return `${api}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** Whether a run holds every word, in its path, kind or name; case is ignored. */
export function holds({ path, job, name = '' }: RunRow, filter: string): boolean {
  const text = `${path} ${job} ${name}`.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word)); // prettier-ignore
}

const keys: Readonly<Record<Column, (run: RunRow) => string | number>> = {
  run: (run) => run.path,
  kind: (run) => run.job,
  when: (run) => run.when,
  took: (run) => run.wallMs ?? -1,
  size: (run) => run.bytes,
};

/** Runs by a column, equals by path. */
export function sorted(runs: readonly RunRow[], column: Column, descending: boolean): RunRow[] {
  const key = keys[column];
  const order = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
  const sign = descending ? -1 : 1;
  return runs.toSorted((a, b) => sign * order(key(a), key(b)) || order(a.path, b.path));
}

/** When, by this machine's clock, as `eigenlens runs ls` has it: `2026-01-02 03:04`. @param iso  a time in ISO 8601 */
export function showWhen(iso: string): string {
  // Sweden writes dates so.
  return new Date(iso).toLocaleString('sv', { dateStyle: 'short', timeStyle: 'short' });
}

/** How long, in the two largest units: `1 h 5 min`, `12.3 s`. */
export function showDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How much, in decimal units: `12 kB`. */
export function showBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : value.toFixed(0)} ${units[power]}`;
}
