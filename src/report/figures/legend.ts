import { escapeText } from '../svg.ts';

/** One entry of a legend: a piece of what it stands for, and its name. */
export interface LegendItem {
  readonly label: string;
  /** CSS colour. */
  readonly color: string;
  /** SVG dash pattern; solid where absent. */
  readonly dash?: string;
  /** A point instead of a stroke. */
  readonly point?: boolean;
  /** A ramp of CSS colours instead of a stroke, from the lowest to the highest value. */
  readonly ramp?: readonly string[];
}

const ROW = 18;
const SWATCH = 18;
/** Width and height of one colour of a ramp. */
const STEP = [10, 10] as const;
const GAP = 18;
/** Mean advance of a system font at 12 px, generous. */
const CHARACTER = 6.4;
/** The same of a title at 15 px, semibold. */
const TITLE_CHARACTER = 8.2;
const TITLE_ROW = 20;

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

/**
 * Puts a title above a figure, in as many lines as it needs.
 * @param svg  a figure that starts with `<svg`, `width` wide
 * @returns one SVG that holds both
 */
export function withTitle(svg: string, width: number, title: string): string {
  const lines = wrap(title, Math.floor(width / TITLE_CHARACTER));
  const top = lines.length * TITLE_ROW + 8;
  const total = round(heightOf(svg) + top);
  const text = lines.map((line, i) => `<text y="${i * TITLE_ROW + 14}">${escapeText(line)}</text>`).join('');
  return (
    `<svg viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" fill="currentColor">` +
    `<g class="title" font-size="15" font-weight="600">${text}</g>${svg.replace('<svg', `<svg x="0" y="${top}"`)}</svg>`
  );
}

/** Lines of about equal length of at most `most` characters, where no word is longer. */
function wrap(text: string, most: number): string[] {
  const even = Math.ceil(text.length / Math.ceil(text.length / most));
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string;
    const joined = last === '' ? word : `${last} ${word}`;
    if (joined.length <= most && last.length < even) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

function flow(items: readonly LegendItem[], width: number): { marks: string; rows: number } {
  let [x, row] = [0, 0];
  let marks = '';
  for (const item of items) {
    const swatch = item.ramp === undefined ? SWATCH : item.ramp.length * STEP[0];
    const advance = swatch + 6 + item.label.length * CHARACTER + GAP;
    if (x > 0 && x + advance - GAP > width) [x, row] = [0, row + 1];
    const y = row * ROW + 9;
    marks += `${piece(item, round(x), y)}<text x="${round(x + swatch + 6)}" y="${y + 4}">${escapeText(item.label)}</text>`;
    x += advance;
  }
  return { marks, rows: row + 1 };
}

function piece({ color, dash, point, ramp }: LegendItem, x: number, y: number): string {
  if (point) return `<circle cx="${x + SWATCH / 2}" cy="${y}" r="3.5" fill="${color}"/>`;
  if (ramp !== undefined) {
    const [width, height] = STEP;
    const steps = ramp.map((fill, i) => `<path d="M${x + i * width} ${y - height / 2}h${width}v${height}h-${width}z" fill="${fill}"/>`); // prettier-ignore
    return steps.join('');
  }
  const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
  return `<path d="M${x} ${y}h${SWATCH}" stroke="${color}" stroke-width="2.5"${dashes}/>`;
}

/** Height in the head of an SVG text. */
function heightOf(svg: string): number {
  return Number(/^<svg[^>]*? height="([\d.]+)"/.exec(svg)?.[1] ?? 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
