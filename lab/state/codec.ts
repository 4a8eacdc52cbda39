import type { Field } from './field.ts';

/** A state read from a URL, and one sentence for each value that was none. */
export interface Decoded<S> {
  readonly state: S;
  readonly complaints: readonly string[];
}

/** How a room's state stands in the URL. */
export interface Codec<S> {
  /** What the room shows to begin with. */
  readonly start: S;
  /** What differs from the start, so that links stay short. */
  readonly encode: (state: S) => URLSearchParams;
  /** Whatever is missing or wrong is as at the start. */
  readonly decode: (parameters: URLSearchParams) => Decoded<S>;
}

/** A field for every key of a state. */
export type FieldsOf<S> = { readonly [K in keyof S]: Field<S[K]> };

/** The codec of a state whose values stand side by side. */
export function record<S extends object>(fields: FieldsOf<S>): Codec<S> {
  const entries = Object.entries(fields) as [keyof S, Field<S[keyof S]>][];
  const start = Object.fromEntries(entries.map(([name, { fallback }]) => [name, fallback])) as S;
  return {
    start,
    encode: (state) => {
      const pairs = entries.flatMap(([name, { key, fallback, encode }]): [string, string][] =>
        key === undefined || Object.is(state[name], fallback) ? [] : [[key, encode(state[name])]],
      );
      return new URLSearchParams(pairs);
    },
    decode: (parameters) => {
      const complaints: string[] = [];
      const values = entries.map(([name, { key, fallback, expected, decode }]) => {
        const given = key === undefined ? null : parameters.get(key);
        if (given === null) return [name, fallback];
        const value = decode(given);
        if (value === undefined) complaints.push(`The link says ${key} = ${shorten(given)}, expected ${expected}.`);
        return [name, value ?? fallback];
      });
      const known = new Set(entries.map(([, { key }]) => key));
      for (const key of new Set(parameters.keys())) {
        if (!known.has(key)) complaints.push(`The link says ${shorten(key)}, which this room does not know.`);
      }
      return { state: Object.fromEntries(values) as S, complaints };
    },
  };
}

function shorten(given: string): string {
  return given.length > 24 ? `${given.slice(0, 24)}…` : given;
}
