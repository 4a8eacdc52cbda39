import { SpecError } from '../errors/errors.ts';

const MAX_SEEDS = 1_000_000;

/**
 * Seeds said as numbers and ranges: `0-63,100` is 0 to 63 and 100.
 * @returns the seeds in the order said
 * @throws SpecError on anything else, on a falling range, on a seed said twice and on more than a million of them
 */
export function parseSeeds(text: string, where: string = '--seeds'): number[] {
  const seeds = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last] = parseRange(part, text, where);
    if (seeds.size + (last - first + 1) > MAX_SEEDS) {
      throw new SpecError(where, `expected at most ${MAX_SEEDS} seeds, got more in ${JSON.stringify(text)}.`);
    }
    for (let seed = first; seed <= last; seed++) {
      if (seeds.has(seed)) throw new SpecError(where, `expected every seed once, got ${seed} twice.`);
      seeds.add(seed);
    }
  }
  return [...seeds];
}

/** One seed: an integer from 0 to 2^53 - 1. @throws SpecError on anything else */
export function parseSeed(text: string, where: string = '--seed'): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new SpecError(where, `expected an integer from 0 to 2^53 - 1, got ${JSON.stringify(text)}.`);
  }
  return seed;
}

function parseRange(part: string, text: string, where: string): [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last < first || !Number.isSafeInteger(last)) {
    throw new SpecError(where, `expected seeds such as 0-63,100, got ${JSON.stringify(text)}.`);
  }
  return [first, last];
}
