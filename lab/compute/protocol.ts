import type { ErrorCode } from '../../src/errors/errors.ts';

/** What a running operation may use. */
export interface OperationContext<P = never> {
  /** Aborted by Cancel, by a newer request or by leaving the room; pass it on to every long call. */
  readonly signal: AbortSignal;
  /** Says how far the work is. */
  readonly progress: (done: number, total: number) => void;
  /** Sends what is known already. */
  readonly emit: (part: P) => void;
}

/** One thing that a worker does; what goes in and out is copied between threads. */
export type Operation<I, O, P = never> = (input: I, context: OperationContext<P>) => Promise<O>;

/** What a worker does, by name. */
export type OperationTable = Readonly<Record<string, Operation<never, unknown, unknown>>>;

/** From the page to a worker. */
export type Request =
  | { readonly kind: 'call'; readonly id: number; readonly operation: string; readonly input: unknown }
  | { readonly kind: 'cancel'; readonly id: number };

/** From a worker to the page. */
export type Response =
  | { readonly kind: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly kind: 'part'; readonly id: number; readonly part: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };

/** An error as it crosses between threads; without a code it is nobody's wish. */
export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly where: string;
  /** Without the place. */
  readonly message: string;
}
