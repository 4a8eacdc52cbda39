import type { Fields, StoredRun } from '../../store/run-list.ts';
import { cellText } from '../rows-table.ts';

/** Fields of results that say how a run went, not what it found. */
const ASIDE = new Set(['spec', 'wallMs', 'wallSeconds', 'seconds', 'imagesPerSecond', 'seed', 'version', 'rows']);
/** Longer lists are data, not key numbers. */
const LONGEST = 16;

/** Numbers of a result by dotted name, those nearest the top first; of a job of a sweep, those of its last row. */
export function numbersOf({ key, result, last }: StoredRun): Map<string, number> {
  const found = new Map<string, number>();
  let level: [string, unknown][] = Object.entries(key === undefined ? result : last);
  while (level.length > 0) {
    const below: [string, unknown][] = [];
    for (const [name, value] of level) {
      if (ASIDE.has(name)) continue;
      if (typeof value === 'number') found.set(name, value);
      else below.push(...entriesOf(value).map(([field, v]): [string, unknown] => [`${name}.${field}`, v]));
    }
    level = below;
  }
  return found;
}

/** Every value of a spec by dotted name; lists as JSON text. */
export function fieldsByName(fields: Fields): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (prefix: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      found.set(prefix, typeof value === 'string' ? value : JSON.stringify(value));
    } else for (const [name, v] of Object.entries(value)) walk(prefix === '' ? name : `${prefix}.${name}`, v);
  };
  walk('', fields);
  return found;
}

/** The first few numbers as text, `loss 0.31, steps 8000`. */
export function keyNumbersText(run: StoredRun, most: number): string {
  return [...numbersOf(run)]
    .slice(0, most)
    .map(([name, value]) => `${name} ${cellText(value)}`)
    .join(', ');
}

/** A number of bytes as people read it. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 99.5 ? value.toFixed(0) : value.toPrecision(2)} ${units[step]}`;
}

/** A moment as people read it, in their own time. */
export function whenText(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value) && (value.length > LONGEST || value.every((v) => typeof v === 'number'))) return [];
  return Object.entries(value);
}
