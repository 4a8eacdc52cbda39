import type { Layout, Sink } from './terminal.ts';

/** State of a long piece of work. */
export interface ProgressReport {
  /** What is being done, the same text for the whole phase (`training`, `Jacobians`). */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** What is done of the units under way, in units: counts for the time left only. */
  readonly partly?: number;
  /** What a unit is called in the rate (`images`); without it no rate is shown. */
  readonly unit?: string;
  /** More to say (`loss 0.41`). */
  readonly detail?: string | undefined;
}

/** Shows how far work is, on standard error only. */
export interface Progress extends Disposable {
  report(report: ProgressReport): void;
  /** A line that stays (`wrote runs/a`). */
  note(line: string): void;
}

/** How progress is drawn. */
export interface ProgressOptions {
  readonly layout: Layout;
  readonly quiet: boolean;
  /** A bar that redraws itself; otherwise plain lines. */
  readonly interactive: boolean;
  /** Milliseconds of a steady clock. */
  readonly now?: () => number;
}

const REDRAW_MS = 100;
const LINE_MS = 5000;
const BAR_WIDTH = 20;
const CLEAR_LINE = '\r\x1b[K';

/** Progress on `sink`: a bar at most ten times a second on a terminal, else a line at most every five seconds and one at the end of each phase. */
export function createProgress(sink: Sink, options: ProgressOptions): Progress {
  if (options.quiet) return { report: () => {}, note: () => {}, [Symbol.dispose]: () => {} };
  return new DrawnProgress(sink, options);
}

class DrawnProgress implements Progress {
  readonly #sink: Sink;
  readonly #interactive: boolean;
  readonly #width: number;
  readonly #now: () => number;
  #label = '';
  #startedAt = 0;
  #startedDone = 0;
  #drawnAt = -Infinity;
  #finished = false;
  #barShown = false;

  constructor(sink: Sink, options: ProgressOptions) {
    this.#sink = sink;
    this.#interactive = options.interactive;
    this.#width = options.layout.width;
    this.#now = options.now ?? (() => performance.now());
  }

  report(report: ProgressReport): void {
    const now = this.#now();
    if (report.label !== this.#label || (this.#finished && report.done < report.total)) this.#begin(report, now);
    if (this.#finished) return;
    this.#finished = report.done >= report.total;
    const due = now - this.#drawnAt >= (this.#interactive ? REDRAW_MS : LINE_MS);
    if (!due && !this.#finished) return;
    this.#drawnAt = now;
    this.#draw(report, now);
  }

  note(line: string): void {
    this.#clearBar();
    this.#sink.write(`${line}\n`);
  }

  [Symbol.dispose](): void {
    this.#clearBar();
  }

  #begin(report: ProgressReport, now: number): void {
    this.#clearBar();
    this.#label = report.label;
    this.#startedAt = now;
    // Work that a resumed run found done says nothing about the rate.
    this.#startedDone = report.done + (report.partly ?? 0);
    this.#drawnAt = this.#interactive ? -Infinity : now;
    this.#finished = false;
  }

  #draw(report: ProgressReport, now: number): void {
    const seconds = (now - this.#startedAt) / 1000;
    if (!this.#interactive) {
      this.#sink.write(`${describe(report, seconds, this.#startedDone)}\n`);
      return;
    }
    const text = `${bar(report)} ${describe(report, seconds, this.#startedDone)}`.slice(0, this.#width - 1);
    this.#sink.write(`${CLEAR_LINE}${text}`);
    this.#barShown = true;
    if (this.#finished) this.#endBar();
  }

  #endBar(): void {
    this.#sink.write('\n');
    this.#barShown = false;
  }

  #clearBar(): void {
    if (this.#barShown) this.#sink.write(CLEAR_LINE);
    this.#barShown = false;
  }
}

/** `training 1200/5000, 310 images/s, 12 s left, loss 0.41`. */
function describe(report: ProgressReport, seconds: number, startedDone: number): string {
  const { label, done, total, partly = 0, unit, detail } = report;
  const rate = seconds > 0 ? (done + partly - startedDone) / seconds : 0;
  const parts = [`${label} ${done}/${total}`];
  if (unit !== undefined && rate > 0) parts.push(`${formatRate(rate)} ${unit}/s`);
  if (done >= total) parts.push(formatDuration(seconds));
  else if (rate > 0) parts.push(`${formatDuration((total - done - partly) / rate)} left`);
  if (detail !== undefined) parts.push(detail);
  return parts.join(', ');
}

function bar({ done, total }: ProgressReport): string {
  const filled = total > 0 ? Math.round((BAR_WIDTH * Math.min(done, total)) / total) : BAR_WIDTH;
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`;
}

function formatRate(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2);
}

/** `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}
