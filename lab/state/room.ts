import type { Component } from 'svelte';

import type { Codec, Decoded } from './codec.ts';

/** What may happen to a room's state: each takes the state and an input to the next state, and nothing else. */
export type ActionTable<S> = Readonly<Record<string, (state: S, input: never) => S>>;

/** Performs an action by name. */
export type Act<S, A extends ActionTable<S>> = <K extends keyof A & string>(
  name: K,
  ...input: Parameters<A[K]> extends [unknown, infer I] ? [input: I] : []
) => void;

/** What the component of a room is given. */
export interface RoomProps<S, A extends ActionTable<S>> {
  readonly view: S;
  readonly act: Act<S, A>;
}

/** One room, as its folder writes it down. */
export interface RoomDefinition<S extends object, A extends ActionTable<S>> {
  /** In the URL: one lower-case word. */
  readonly name: string;
  /** In the navigation. */
  readonly title: string;
  /** Grows when links of before would be misread. */
  readonly version: number;
  readonly codec: Codec<S>;
  readonly actions: A;
  /** Loads the component, on first visit. */
  readonly load: () => Promise<{ readonly default: Component<RoomProps<S, A>> }>;
}

/** A room's state, whose type only the room knows. */
export type View = object;

/** One room, as the shell sees it. */
export interface Room {
  readonly name: string;
  readonly title: string;
  readonly version: number;
  readonly start: View;
  readonly encode: (view: View) => URLSearchParams;
  readonly decode: (parameters: URLSearchParams) => Decoded<View>;
  readonly perform: (view: View, action: string, input: unknown) => View;
  readonly load: () => Promise<Component<{ view: View; act: (action: string, input?: unknown) => void }>>;
}

/** Checks a room's types against each other and hides them. */
export function defineRoom<S extends object, const A extends ActionTable<S>>(definition: RoomDefinition<S, A>): Room {
  const { name, title, version, codec, actions } = definition;
  return {
    name,
    title,
    version,
    start: codec.start,
    // The shell hands back to a room only views that it had from the same room.
    encode: (view) => codec.encode(view as S),
    decode: codec.decode,
    perform: (view, action, input) => (actions[action] as (state: S, input: unknown) => S)(view as S, input),
    load: async () => (await definition.load()).default as unknown as Awaited<ReturnType<Room['load']>>,
  };
}
