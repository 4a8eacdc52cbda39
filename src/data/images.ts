import { convertIndexedToRgb, decode as decodePngPixels } from 'fast-png';
import jpeg from 'jpeg-js';
import { DatasetError } from '../errors/errors.ts';

/** A decoded image without alpha, channels last. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 RGB. */
  readonly channels: 1 | 3;
  /** Value of white: 255, or 65535 for 16-bit PNG. */
  readonly max: number;
  /** [height, width, channels], 0 to max. */
  readonly data: Float32Array;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const MAX_RATIO = 1032; // of DEFLATE: 258 bytes by a code of two bits
const CHANNELS_OF_TYPE = [1, 0, 3, 1, 2, 0, 4]; // by PNG colour type; 1 and 5 do not exist

/** Whether a file name ends as PNG or JPEG files do. */
export function isImageName(name: string): boolean {
  return /\.(png|jpe?g)$/i.test(name);
}

/**
 * Decodes a PNG or JPEG file, told apart by content.
 * Palettes become RGB; 1, 2, 4 and 16 bits keep their full precision; what is transparent is laid on white.
 * @param where  name of the file, for messages
 * @throws DatasetError naming the file if it is truncated, corrupt or neither PNG nor JPEG
 */
export function decodeImage(where: string, bytes: Uint8Array): Pixels {
  const png = PNG_SIGNATURE.every((byte, i) => bytes[i] === byte);
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!png && !isJpeg) {
    throw new DatasetError(where, 'expected a PNG or JPEG image, got something else. Convert it or remove it.');
  }
  try {
    return png ? decodePng(where, bytes) : decodeJpeg(bytes);
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new DatasetError(
      where,
      `expected a whole ${png ? 'PNG' : 'JPEG'} image, got a corrupt one (${said}). Replace it.`,
      {
        cause,
      },
    );
  }
}

function decodePng(where: string, bytes: Uint8Array): Pixels {
  // The decoder allocates by the header: refuse sizes that the file's bytes cannot hold.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [claimedWidth, claimedHeight] = [view.getUint32(16), view.getUint32(20)];
  const lineBytes = Math.ceil((claimedWidth * view.getUint8(24) * (CHANNELS_OF_TYPE[view.getUint8(25)] ?? 1)) / 8);
  if (claimedHeight * (lineBytes + 1) > bytes.length * MAX_RATIO) {
    throw new DatasetError(
      where,
      `expected a PNG image, got an impossible size ${claimedWidth} x ${claimedHeight}. Replace it.`,
    );
  }
  const image = decodePngPixels(bytes, { checkCrc: true });
  const { width, height, depth } = image;
  if (image.palette !== undefined) {
    const hasAlpha = image.palette[0]?.length === 4;
    return flatten(convertIndexedToRgb(image), width, height, hasAlpha ? 4 : 3, 255);
  }
  const data = depth < 8 ? unpackBits(image.data, width, height, depth) : image.data;
  return flatten(data, width, height, image.channels, 2 ** depth - 1, image.transparency);
}

function decodeJpeg(bytes: Uint8Array): Pixels {
  const { width, height, data } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
  const rgb = flatten(data, width, height, 3, 255);
  return jpegComponents(bytes) === 1 ? { ...rgb, channels: 1, data: rgb.data.filter((_, i) => i % 3 === 0) } : rgb;
}

/** Samples of 1, 2 or 4 bits, rows starting on whole bytes, one a number. */
function unpackBits(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const out = new Uint8Array(width * height);
  const perByte = 8 / depth;
  const lineBytes = Math.ceil(width / perByte);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = packed[y * lineBytes + Math.floor(x / perByte)] ?? 0;
      out[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  }
  return out;
}

/**
 * Drops the alpha channel, laying the image on white.
 * @param key  the one colour that stands for transparent (PNG tRNS), where there is one
 */
function flatten(
  data: ArrayLike<number>,
  width: number,
  height: number,
  stored: number,
  max: number,
  key?: ArrayLike<number>,
): Pixels {
  const channels = stored <= 2 ? 1 : 3;
  const out = new Float32Array(width * height * channels);
  for (let p = 0; p < width * height; p++) {
    const at = p * stored;
    let alpha = stored % 2 === 0 ? (data[at + channels] as number) / max : 1;
    if (key !== undefined) {
      let same = true;
      for (let c = 0; c < channels; c++) same &&= data[at + c] === key[c];
      if (same) alpha = 0;
    }
    for (let c = 0; c < channels; c++) out[p * channels + c] = alpha * (data[at + c] as number) + (1 - alpha) * max;
  }
  return { width, height, channels, max, data: out };
}

/** Number of colour components in the frame header (SOF); the decoder itself always answers RGB. */
function jpegComponents(bytes: Uint8Array): number {
  for (let at = 2; at + 9 < bytes.length;) {
    const marker = bytes[at + 1] as number;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (bytes[at] === 0xff && isFrame) return bytes[at + 9] as number;
    const fill = bytes[at] !== 0xff || marker === 0xff;
    at += fill ? 1 : 2 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  }
  return 3;
}
