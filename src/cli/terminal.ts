/** Where text goes: standard output or error, or a string in a test. */
export interface Sink {
  write(text: string): unknown;
  /** True on an interactive terminal. */
  readonly isTTY?: boolean | undefined;
  /** Width of that terminal. */
  readonly columns?: number | undefined;
}

/** The two streams of a command line and what may be drawn on them. */
export interface Terminal {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Columns and colour of what is drawn on one sink. */
export interface Layout {
  readonly width: number;
  readonly color: boolean;
}

/** Width of everything that is not an interactive terminal. */
const PLAIN_WIDTH = 80;

/** Layout of a sink: colour only on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise. */
export function layoutOf(sink: Sink, env: Terminal['env']): Layout {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0';
  const color = env.NO_COLOR ? false : forced || (sink.isTTY === true && env.TERM !== 'dumb');
  const width = sink.isTTY === true && sink.columns ? sink.columns : PLAIN_WIDTH;
  return { width, color };
}
