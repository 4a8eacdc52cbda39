import { colorVariables } from './colors.ts';

/** The part of Observable Plot's module that figures use; its own types need a browser's. */
type PlotModule = typeof import('@observablehq/plot');

/** Plot marks and scales with a document to draw into, loaded on first use. */
export interface Canvas {
  readonly Plot: PlotModule;
  /** Draws a plot and returns its SVG text. Figures pass everything but the document and the class. */
  readonly draw: (options: PlotOptions) => string;
}

/** Options of `Plot.plot`. */
export type PlotOptions = NonNullable<Parameters<PlotModule['plot']>[0]>;

/** Anything that `marks` of a plot may hold. */
export type Mark = NonNullable<PlotOptions['marks']>[number];

let canvas: Promise<Canvas> | undefined;

/** Loads Plot and a document that needs no browser, once. */
export function loadCanvas(): Promise<Canvas> {
  canvas ??= createCanvas();
  return canvas;
}

async function createCanvas(): Promise<Canvas> {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  // Both modules type what they return by the DOM library, which this project does not load.
  const { document } = parseHTML('<!doctype html><html><body></body></html>') as unknown as { document: object };
  const plot = Plot.plot as unknown as (options: object) => { outerHTML: string };
  return {
    Plot,
    draw: (options) => tidy(plot({ className: 'plot', ...options, document }).outerHTML),
  };
}

/** Drops Plot's style block (the report and `standaloneSvg` bring their own), empty labels, and digits of coordinates that no eye sees. */
function tidy(svg: string): string {
  return svg
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<text[^>]*? \/>/g, '')
    .replace(/<[^>]*>/g, (tag) => tag.replace(/-?\d+\.\d{3,}/g, (digits) => String(Number(Number(digits).toFixed(2)))));
}

/** A figure's SVG as a file of its own: with name space, colours for light and dark, and a font. */
export function standaloneSvg(svg: string): string {
  const { light, dark } = colorVariables();
  const style =
    `<style>svg{${light};--ground:#fff;color:#1c1c1c;background:var(--ground);font-family:system-ui,sans-serif}` +
    `@media (prefers-color-scheme:dark){svg{${dark};--ground:#15171a;color:#e4e4e2}}</style>`;
  return svg.replace(
    /^<svg([^>]*)>/,
    (_, attributes: string) => `<svg xmlns="http://www.w3.org/2000/svg"${attributes}>${style}`,
  );
}

/** Text made safe inside HTML and SVG, in content and in quoted attributes. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A given number for people, such as a noise level: at most `digits` significant digits, no zeros at the end. */
export function showNumber(value: number, digits = 3): string {
  const rounded = Number(value.toPrecision(Math.max(digits, wholeDigits(value))));
  return typeset(isPlain(value) ? String(rounded) : Number(value.toPrecision(digits)).toExponential());
}

/** A measured number for people: `digits` significant digits, zeros at the end kept, since they are known. */
export function showMeasured(value: number, digits = 2): string {
  if (value === 0 || !Number.isFinite(value)) return typeset(String(value));
  return typeset(
    isPlain(value) ? value.toPrecision(Math.max(digits, wholeDigits(value))) : value.toExponential(digits - 1),
  );
}

/** Whether a number reads better without exponent. */
function isPlain(value: number): boolean {
  return value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5);
}

/** Digits before the decimal point, which rounding must not eat: 784 stays 784. */
function wholeDigits(value: number): number {
  return isPlain(value) && value !== 0 ? Math.max(1, Math.floor(Math.log10(Math.abs(value))) + 1) : 1;
}

function typeset(text: string): string {
  return text.replace('e+', 'e').replaceAll('-', '\u2212');
}
