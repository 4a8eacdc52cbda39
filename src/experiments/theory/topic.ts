import type { RunJobs } from '../jobs/job.ts';
import type { PlainFigure } from '../plain-figure.ts';
import type { RunSweep } from '../sweep/here.ts';

/** A number that a topic takes. */
export interface TopicParameter {
  /** What it means, with its unit. */
  readonly meaning: string;
  /** Undefined where it must be given. */
  readonly fallback?: number;
}

/** What a run is watched and stopped by, and what its randomness comes from. */
export interface TopicContext {
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Where parts that can be done beside each other are done; default this process, one after another. */
  readonly runJobs?: RunJobs | undefined;
  /** The same for long jobs, whose results are worth keeping. */
  readonly runSweep?: RunSweep | undefined;
}

/** A closed form evaluated: facts by name (what `--json` prints), a table and curves. */
export interface TopicResult {
  /** Plain data; names are part of the interface that scripts rely on. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly table?: { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };
  readonly figures?: Readonly<Record<string, PlainFigure>>;
}

/** One closed form of the sources that `eigenlens theory NAME` evaluates, with Monte Carlo beside it where `trials` is given. */
export interface TheoryTopic {
  readonly name: string;
  readonly summary: string;
  /** Paper and equation. */
  readonly source: string;
  /** By the name of the flag in camel case. */
  readonly parameters: Readonly<Record<string, TopicParameter>>;
  /** @throws DomainError, SpecError for parameters outside their domain */
  compute(parameters: Readonly<Record<string, number>>, context: TopicContext): Promise<TopicResult>;
}
