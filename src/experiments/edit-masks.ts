import { findParts, partMask } from '../analysis/parts.ts';
import { readBytes } from '../data/files.ts';
import { decodeImage } from '../data/images.ts';
import { checkMask, pixelsMask } from '../editing/mask.ts';
import type { Mask } from '../editing/mask.ts';
import { parseMaskText, shapeMask } from '../editing/mask-text.ts';
import type { MaskRequest } from '../editing/mask-text.ts';
import { SpecError } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';

/** A part of the image by its name; without a mask the whole image. */
export interface NamedMask {
  readonly name: string;
  readonly mask?: Mask | undefined;
}

/** Where masks are sought. */
export interface MaskSearch {
  readonly sampleShape: readonly number[];
  /** Jacobian at a noisy version of the image, for automatic parts. */
  readonly jacobian: () => Promise<LinearOperator>;
  readonly parts: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The masks that a text asks for: `auto` all parts that the Jacobian's own columns form, `none` the whole image, otherwise one.
 * @throws SpecError for a text that is no mask, automatic parts of samples that are no images, or a part beyond them; DomainError and
 *   ShapeError of `checkMask` for one that is empty, full or of another size; DatasetError for a file that cannot be read
 */
export async function findMasks(text: string, search: MaskSearch): Promise<NamedMask[]> {
  const { sampleShape } = search;
  if (text === 'none' || (text === 'auto' && sampleShape.length < 3)) return [{ name: 'whole image' }];
  if (sampleShape.length !== 3) {
    throw new SpecError('edit', `expected images for a mask, the model's samples are ${sampleShape.join('x')}. Use --mask none.`); // prettier-ignore
  }
  if (text === 'auto') return automaticParts(search);
  const request = parseMaskText(text);
  if (request.kind === 'part') {
    const named = await automaticParts(search);
    const part = named[request.part - 1];
    if (part !== undefined) return [part];
    throw new SpecError('edit', `expected a part from 1 to ${named.length}, got ${request.part}.`);
  }
  const mask = await drawMask(request, sampleShape);
  checkMask(`mask '${text}'`, mask, sampleShape);
  return [{ name: text, mask }];
}

async function drawMask(
  request: Exclude<MaskRequest, { kind: 'part' }>,
  sampleShape: readonly number[],
): Promise<Mask> {
  const [, height = 0, width = 0] = sampleShape;
  const size = { height, width };
  if (request.kind !== 'picture') return shapeMask(request, size);
  return pixelsMask(request.path, decodeImage(request.path, await readBytes(request.path)), size);
}

async function automaticParts({ sampleShape, jacobian, parts, seed, signal }: MaskSearch): Promise<NamedMask[]> {
  const { labels, count } = await findParts(await jacobian(), sampleShape, { count: parts, seed, signal });
  const [, height = 0, width = 0] = sampleShape;
  return Array.from({ length: count }, (_, i) => ({ name: `part ${i + 1}`, mask: partMask(labels, i, { height, width }) })); // prettier-ignore
}
