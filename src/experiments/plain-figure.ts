/** One curve or cloud of points. */
export interface Curve {
  /** Curves that agree before a comma share a colour: `component 1, spiked model` and `component 1, learned`. */
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Ends of an interval about each y. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  /** Closed forms are lines, measurements points, joined where they make a curve of their own; bounds and references are dashed. */
  readonly style: 'line' | 'points' | 'joined' | 'dashed';
}

/** Curves over one axis, as data: floors above draw it. */
export interface CurveFigure {
  readonly kind: 'curves';
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale?: 'linear' | 'log';
  readonly yScale?: 'linear' | 'log';
  readonly curves: readonly Curve[];
}

/** A number at every cell of a grid, such as a phase diagram. */
export interface HeatmapFigure {
  readonly kind: 'heatmap';
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** [y][x] */
  readonly values: readonly (readonly number[])[];
  /** What a value is, for the legend; values lie in `domain`. */
  readonly label: string;
  readonly domain: readonly [number, number];
  /** A predicted boundary as points (x, y) joined by a line. */
  readonly boundary?: { readonly name: string; readonly x: readonly number[]; readonly y: readonly number[] };
}

/** Pictures in rows with a caption each: [C, H, W] values in `range`. */
export interface ImagesFigure {
  readonly kind: 'images';
  readonly title: string;
  /** What each column shows, above it. */
  readonly columns?: readonly string[];
  readonly shape: readonly [number, number, number];
  readonly range: readonly [number, number];
  readonly rows: readonly { readonly caption: string; readonly images: readonly ArrayLike<number>[] }[];
}

/** A figure as plain data. */
export type PlainFigure = CurveFigure | HeatmapFigure | ImagesFigure;
