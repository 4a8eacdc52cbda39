import { escapeText } from '../svg.ts';

/** One entry of a legend: a stroke of the line it stands for, and its name. */
export interface LegendItem {
  readonly label: string;
  /** CSS colour. */
  readonly color: string;
  /** SVG dash pattern; solid where absent. */
  readonly dash?: string;
}

const ROW = 18;
const SWATCH = 18;
const GAP = 18;
/** Mean advance of a system font at 12 px, generous. */
const CHARACTER = 6.4;

/**
 * Puts a legend above a figure.
 * @param svg  a figure that starts with `<svg`, `width` wide
 * @returns one SVG that holds both
 */
export function withLegend(svg: string, width: number, items: readonly LegendItem[]): string {
  const height = heightOf(svg);
  const { marks, rows } = flow(items, width);
  const top = rows * ROW + 6;
  const total = height + top;
  return (
    `<svg class="plot" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" font-size="12" fill="currentColor">` +
    `<g class="legend">${marks}</g>${svg.replace('<svg', `<svg x="0" y="${top}"`)}</svg>`
  );
}

function flow(items: readonly LegendItem[], width: number): { marks: string; rows: number } {
  let [x, row] = [0, 0];
  let marks = '';
  for (const { label, color, dash } of items) {
    const advance = SWATCH + 6 + label.length * CHARACTER + GAP;
    if (x > 0 && x + advance - GAP > width) [x, row] = [0, row + 1];
    const y = row * ROW + 9;
    const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
    marks += `<path d="M${round(x)} ${y}h${SWATCH}" stroke="${color}" stroke-width="2.5"${dashes}/>`;
    marks += `<text x="${round(x + SWATCH + 6)}" y="${y + 4}">${escapeText(label)}</text>`;
    x += advance;
  }
  return { marks, rows: row + 1 };
}

/** Height in the head of an SVG text. */
function heightOf(svg: string): number {
  return Number(/^<svg[^>]*? height="([\d.]+)"/.exec(svg)?.[1] ?? 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
