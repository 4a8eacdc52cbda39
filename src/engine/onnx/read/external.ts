import { quoted } from './context.ts';

/**
 * Reads part of a file that lies in the folder of the model.
 * @param location  path relative to that folder, already checked to be one
 * @param offset,length  in bytes; `length` is what the array's shape needs
 * @throws LabError where the file is missing, too short or outside the folder
 */
export type ExternalReader = (location: string, offset: number, length: number) => Promise<Uint8Array>;

/** Place of an array's data outside the model file. */
export interface ExternalRange {
  readonly location: string;
  readonly offset: number;
}

/** The range that an array of `size` bytes takes, or what is wrong with the keys. */
export function externalRange(keys: ReadonlyMap<string, string>, size: number): ExternalRange | string {
  const location = keys.get('location') ?? '';
  if (!isInside(location)) {
    return `lies in ${quoted(location)}, outside the model's folder: the file may be made to harm. Export it again.`;
  }
  const [offset, length] = [wholeNumber(keys.get('offset') ?? '0'), wholeNumber(keys.get('length') ?? `${size}`)];
  if (offset === undefined || length !== size) {
    const place = `offset ${quoted(keys.get('offset') ?? '0')} and length ${quoted(keys.get('length') ?? 'none')}`;
    return `expected ${size} bytes in ${quoted(location)}, got ${place}. The file is damaged: export it again.`;
  }
  return { location, offset };
}

/** Whether a path stays below its folder on every system, as written; links are for the reader to follow. */
function isInside(location: string): boolean {
  if (location === '' || /[\\:\0]/.test(location)) return false; // backslashes and drives mean something on Windows
  return location.split('/').every((part, i, all) => part !== '..' && (part !== '' || (i > 0 && i < all.length - 1)));
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
