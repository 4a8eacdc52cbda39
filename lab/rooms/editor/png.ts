import { pixelsOf } from '../../components/palette.ts';

/** Pixels of the file a pixel's side: averaged down again, it is the same picture. */
const SCALE = 8;

/** A picture of values in [-1, 1] as a PNG file. @param values  flat [C, H, W] */
export async function pngOf(values: ArrayLike<number>, shape: readonly number[]): Promise<Blob> {
  const [channels = 1, height = 1, width = 1] = shape;
  const pixels = pixelsOf(values, { channels, palette: 'grey', low: -1, high: 1 });
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
  const large = new OffscreenCanvas(width * SCALE, height * SCALE);
  const context = large.getContext('2d');
  if (context) context.imageSmoothingEnabled = false;
  context?.drawImage(small, 0, 0, large.width, large.height);
  return large.convertToBlob({ type: 'image/png' });
}
