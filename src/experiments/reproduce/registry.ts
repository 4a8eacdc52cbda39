import type { Reproduction } from './reproduction.ts';

/** Every figure and table of the sources that can be run, in the order of the sources. */
export const reproductions: readonly Reproduction[] = [];
