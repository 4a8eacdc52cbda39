import { SpecError } from '../errors/errors.ts';
import type { RandomMixtureOptions } from './mixture-draw.ts';

const keys = ['n', 'K', 'd', 'var', 'seed'];
const example = 'Write it like n=48,K=2,d=6 or n=48,d=3:5,var=1:0.5,seed=1.';

/**
 * Reads the text form of a random mixture: `n=48,K=2,d=6`, with `d=3:5` for unequal ranks and optional `var` (default 1) and `seed` (default 0).
 * A single `d` or `var` holds for all K components; K may be left out where `d` lists them.
 * @throws SpecError naming everything that is wrong
 */
export function parseMixtureSpec(text: string): RandomMixtureOptions {
  const problems: string[] = [];
  const entries = readEntries(text, problems);
  const integer = (key: string, least: number, value: string): number => {
    const number = value.trim() === '' ? NaN : Number(value);
    if (!Number.isSafeInteger(number) || number < least) {
      problems.push(`expected ${key} to be an integer >= ${least}, got '${value}'`);
    }
    return number;
  };
  const list = (key: string): string[] | undefined => entries.get(key)?.split(':');
  for (const key of ['n', 'd']) if (!entries.has(key)) problems.push(`expected ${key}=..., got none`);

  const n = integer('n', 1, entries.get('n') ?? '1');
  const d = (list('d') ?? ['1']).map((value) => integer('d', 1, value));
  const K = integer('K', 1, entries.get('K') ?? String(d.length));
  const variance = (list('var') ?? ['1']).map((value) => {
    const number = value.trim() === '' ? NaN : Number(value);
    if (!(number > 0 && number < Infinity)) problems.push(`expected var to be a number > 0, got '${value}'`);
    return number;
  });
  const seed = integer('seed', 0, entries.get('seed') ?? '0');
  if (problems.length === 0) {
    for (const [key, values] of Object.entries({ d, var: variance })) {
      if (values.length !== 1 && values.length !== K) {
        problems.push(`expected 1 or K = ${K} values of ${key}, got ${values.length}`);
      }
    }
    const total = d.length === 1 ? K * (d[0] as number) : d.reduce((sum, value) => sum + value, 0);
    if (total > n) problems.push(`expected ranks with a sum of at most n = ${n}, got ${total}`);
  }
  if (problems.length > 0) {
    throw new SpecError('molrg', `${problems.join('; ')}. ${example}`, { details: { text, problems } });
  }
  return { n, ranks: spread(d, K), variances: spread(variance, K), seed };
}

function readEntries(text: string, problems: string[]): Map<string, string> {
  const entries = new Map<string, string>();
  for (const item of text.split(',')) {
    const [key = '', ...rest] = item.split('=');
    const name = key.trim();
    if (!keys.includes(name) || rest.length !== 1) {
      problems.push(`expected items of the form key=value with key one of ${keys.join(', ')}, got '${item}'`);
    } else if (entries.has(name)) problems.push(`expected ${name} once, got it twice`);
    else entries.set(name, rest[0] as string);
  }
  return entries;
}

function spread(values: readonly number[], K: number): number[] {
  return values.length === K ? [...values] : new Array<number>(K).fill(values[0] as number);
}
