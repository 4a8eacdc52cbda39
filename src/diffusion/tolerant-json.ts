import { ModelError } from '../errors/errors.ts';

/**
 * Reads JSON as Python writes it, with bare NaN, Infinity and -Infinity; text in quotes stays as it is.
 * @throws ModelError for anything else that is not JSON
 */
export function parseTolerantJson(where: string, text: string): unknown {
  try {
    // JSON has a numeral for infinity, though none for NaN. Two texts that differ just there tell where the NaN stood.
    const marked = JSON.parse(replaceBare(text, 'null')) as unknown;
    const zeroed = JSON.parse(replaceBare(text, '0')) as unknown;
    return withNan(marked, zeroed);
  } catch (cause) {
    throw new ModelError(where, 'expected JSON, got something else. Write the file again.', { cause });
  }
}

/** A whole string (or what there is of one), or a whole bare token: every character is visited once. */
const token = /"(?:[^"\\]|\\.)*"?|[^\s"{}[\],:]+/g;

function replaceBare(text: string, nan: string): string {
  return text.replace(token, (found) => {
    if (found === 'NaN') return nan;
    if (found === 'Infinity') return '1e999';
    return found === '-Infinity' ? '-1e999' : found;
  });
}

function withNan(marked: unknown, zeroed: unknown): unknown {
  if (marked === null) return zeroed === 0 ? NaN : null;
  if (Array.isArray(marked)) return marked.map((item, i) => withNan(item, (zeroed as unknown[])[i]));
  if (typeof marked !== 'object') return marked;
  const other = zeroed as Record<string, unknown>;
  return Object.fromEntries(Object.entries(marked).map(([key, value]) => [key, withNan(value, other[key])]));
}
