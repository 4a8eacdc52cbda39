/** One value of a view as it stands in the URL. */
export interface Field<T> {
  /** Short name in the URL; undefined for what a link cannot hold. */
  readonly key: string | undefined;
  readonly fallback: T;
  /** What a text must be, for messages: `a whole number from 2 to 800`. */
  readonly expected: string;
  readonly encode: (value: T) => string;
  /** @returns undefined where the text is none of its values */
  readonly decode: (text: string) => T | undefined;
}

/** Ends of a number, both inside. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** A number; every digit of it stands in the URL. */
export function number(key: string, fallback: number, { low, high }: Bounds): Field<number> {
  return numeric(key, fallback, `a number from ${low} to ${high}`, (value) => value >= low && value <= high);
}

/** A whole number. */
export function whole(key: string, fallback: number, { low, high }: Bounds): Field<number> {
  const fits = (value: number): boolean => Number.isSafeInteger(value) && value >= low && value <= high;
  return numeric(key, fallback, `a whole number from ${low} to ${high}`, fits);
}

/** One of a few words. */
export function choice<const T extends string>(key: string, fallback: NoInfer<T>, choices: readonly T[]): Field<T> {
  return {
    key,
    fallback,
    expected: choices.join(' or '),
    encode: (value) => value,
    decode: (text) => choices.find((word) => word === text),
  };
}

/** Yes or no. */
export function flag(key: string, fallback: boolean): Field<boolean> {
  return {
    key,
    fallback,
    expected: '0 or 1',
    encode: (value) => (value ? '1' : '0'),
    decode: (text) => (text === '1' ? true : text === '0' ? false : undefined),
  };
}

/** A word or a few, such as the path of a run. */
export function text(key: string, fallback: string, most: number = 200): Field<string> {
  return {
    key,
    fallback,
    expected: `at most ${most} characters`,
    encode: (value) => value,
    decode: (given) => (given.length <= most ? given : undefined),
  };
}

/** A value that a link cannot hold, such as a dropped file: part of the state, never of the URL. */
export function unlinked<T>(fallback: T): Field<T> {
  return { key: undefined, fallback, expected: '', encode: () => '', decode: () => undefined };
}

function numeric(key: string, fallback: number, expected: string, fits: (value: number) => boolean): Field<number> {
  return {
    key,
    fallback,
    expected,
    encode: String,
    decode: (given) => {
      const value = given.trim() === '' ? NaN : Number(given);
      return fits(value) ? value : undefined;
    },
  };
}
