import * as Plot from '@observablehq/plot';

/** Options of `Plot.plot`. */
export type PlotOptions = NonNullable<Parameters<typeof Plot.plot>[0]>;

const SERIES = 6;

/** CSS colour of the i-th series of a figure, from 0; colours come again after six. */
export function seriesColor(i: number): string {
  return `var(--series-${(i % SERIES) + 1})`;
}

/** Draws a plot in the lab's style; no legends: label the marks themselves, so that the export holds the words too. */
export function drawPlot(width: number, options: PlotOptions): Element {
  const plot = Plot.plot({
    width,
    height: Math.round(Math.min(360, Math.max(240, width * 0.46))),
    marginLeft: 48,
    marginRight: 20,
    marginTop: 28,
    marginBottom: 40,
    style: { fontSize: '12px', background: 'none', overflow: 'visible' },
    ...options,
  });
  // Names of groups inside a picture are for us, not for screen readers: the figure says what the picture shows.
  for (const group of plot.querySelectorAll('[aria-label]')) {
    group.setAttribute('data-mark', group.getAttribute('aria-label') ?? '');
    group.removeAttribute('aria-label');
    group.removeAttribute('aria-description');
  }
  return plot;
}

/** Powers of ten, or also twice and five times them where they are few, inside a log axis. */
export function logTicks(low: number, high: number): number[] {
  const steps = high / low > 60 ? [1] : [1, 2, 5];
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
  return decades
    .flatMap((ten) => steps.map((s) => Number((s * ten).toPrecision(1))))
    .filter((x) => x >= low && x <= high);
}
