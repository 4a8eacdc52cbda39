import { SpecError } from '../errors/errors.ts';
import type { RandomMixtureOptions } from './mixture-draw.ts';

const keys = ['n', 'K', 'd', 'var', 'weights', 'means', 'seed'];
const example = 'Write it like n=48,K=2,d=6 or n=48,d=3+5,var=1+0.5,weights=2+1,means=0+3,seed=1.';

/** Lists are written with + or :, and 1e+3 is one number. */
const separator = /:|(?<![eE])\+/;

/**
 * Reads the text form of a random mixture: `n=48,K=2,d=6`, with `d=3+5` for unequal ranks and optional `var` (variance inside each
 * subspace, default 1), `weights` (default equal), `means` (distance of each mean from the origin, default 0) and `seed` (default 0).
 * A single value of a list holds for all K components; K may be left out where a list has more.
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
  const numbers = (key: string, positive: boolean): number[] | undefined =>
    list(key)?.map((value) => {
      const number = value.trim() === '' ? NaN : Number(value);
      if (!((positive ? number > 0 : number >= 0) && number < Infinity)) {
        problems.push(`expected ${key} to be a number ${positive ? '>' : '>='} 0, got '${value}'`);
      }
      return number;
    });
  const list = (key: string): string[] | undefined => entries.get(key)?.split(separator);
  for (const key of ['n', 'd']) if (!entries.has(key)) problems.push(`expected ${key}=..., got none`);

  const n = integer('n', 1, entries.get('n') ?? '1');
  const d = (list('d') ?? ['1']).map((value) => integer('d', 1, value));
  const lists = { var: numbers('var', true), weights: numbers('weights', true), means: numbers('means', false) };
  const longest = Math.max(...[d, ...Object.values(lists)].map((values) => values?.length ?? 1));
  const K = integer('K', 1, entries.get('K') ?? String(longest));
  const seed = integer('seed', 0, entries.get('seed') ?? '0');
  if (problems.length === 0) problems.push(...misfits(n, K, { d, ...lists }));
  if (problems.length > 0) {
    throw new SpecError('molrg', `${problems.join('; ')}. ${example}`, { details: { text, problems } });
  }
  return {
    n,
    ranks: spread(d, K),
    variances: spread(lists.var ?? [1], K),
    ...(lists.weights && { weights: spread(lists.weights, K) }),
    ...(lists.means && { means: spread(lists.means, K) }),
    seed,
  };
}

/** What is wrong between items that are right by themselves. */
function misfits(n: number, K: number, lists: Readonly<Record<string, readonly number[] | undefined>>): string[] {
  const problems: string[] = [];
  for (const [key, values] of Object.entries(lists)) {
    if (values && values.length !== 1 && values.length !== K) {
      problems.push(`expected 1 or K = ${K} values of ${key}, got ${values.length}`);
    }
  }
  const d = lists['d'] ?? [];
  const total = d.length === 1 ? K * (d[0] as number) : d.reduce((sum, value) => sum + value, 0);
  if (total > n) problems.push(`expected ranks with a sum of at most n = ${n}, got ${total}`);
  return problems;
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
