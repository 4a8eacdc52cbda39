import { StoreError } from '../errors/errors.ts';

const WIDTH = 120;

/**
 * JSON text that is equal for equal data: keys sorted, two-space indentation, whatever fits in 120 columns on one line, a list of
 * numbers or strings always on one.
 * @param value  plain data; keys whose value is undefined are left out
 * @returns the text, without a final line break
 * @throws StoreError naming the path of the first value that JSON cannot hold (NaN, Infinity, a function, a typed array)
 */
export function stableJson(value: unknown): string {
  return layOut(ordered(value, '$'), '');
}

/** The same data on one line, for rows of a JSONL file. @throws StoreError as `stableJson` */
export function stableJsonLine(value: unknown): string {
  return JSON.stringify(ordered(value, '$'));
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A copy with sorted keys; refuses what `JSON.stringify` would silently change. */
function ordered(value: unknown, path: string): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refuse(path, String(value));
    return value;
  }
  if (Array.isArray(value)) return value.map((item, i) => ordered(item, `${path}[${i}]`));
  if (typeof value === 'object' && isPlain(value)) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([k, v]) => [k, ordered(v, `${path}.${k}`)]));
  }
  throw refuse(path, typeof value === 'object' ? value.constructor.name : typeof value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refuse(path: string, got: string): StoreError {
  return new StoreError('json', `expected finite numbers, text, lists and plain objects, got ${got} at ${path}.`);
}

function layOut(value: Json, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const line = oneLine(value);
  if (indent.length + line.length <= WIDTH) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) return line;
    return `[\n${value.map((item) => inner + layOut(item, inner)).join(',\n')}\n${indent}]`;
  }
  const rows = Object.entries(value).map(([k, v]) => `${inner}${JSON.stringify(k)}: ${layOut(v, inner)}`);
  return `{\n${rows.join(',\n')}\n${indent}}`;
}

function oneLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${oneLine(v)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
