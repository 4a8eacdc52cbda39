import { SpecError } from '../errors/errors.ts';
import type { SwitchOption, ValueOption } from './command.ts';

/** An option that takes text as it is. */
export function text(value: string, description: string): ValueOption<string> {
  return { value, description, parse: (given) => given };
}

/** An option that takes one number; whether it fits is the spec's business. @throws SpecError for anything else */
export function number(value: string, description: string): ValueOption<number> {
  return { value, description, parse: parseNumber };
}

/** An option that takes numbers between commas. @throws SpecError for anything else */
export function numbers(value: string, description: string): ValueOption<number[]> {
  return { value, description, parse: (given, flag) => given.split(',').map((part) => parseNumber(part, flag)) };
}

/** An option that takes words between commas. */
export function words(value: string, description: string): ValueOption<string[]> {
  return { value, description, parse: (given) => given.split(',').map((word) => word.trim()) };
}

/** An option that takes one of a few words. @throws SpecError naming them */
export function choice<const T extends string>(choices: readonly T[], description: string): ValueOption<T> {
  return {
    value: `<${choices.join('|')}>`,
    description,
    parse: (given, flag) => {
      const word = choices.find((w) => w === given);
      if (word === undefined) throw new SpecError(flag, `expected ${choices.join(' or ')}, got '${given}'.`);
      return word;
    },
  };
}

/** An option without a value. */
export function switchOption(description: string): SwitchOption {
  return { description };
}

/** The entries of an object that have a value, so that defaults fill the rest. */
export function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function parseNumber(given: string, flag: string): number {
  const value = given.trim() === '' ? NaN : Number(given);
  if (Number.isNaN(value)) throw new SpecError(flag, `expected a number, got ${JSON.stringify(given)}.`);
  return value;
}
