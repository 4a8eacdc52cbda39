import { DatasetError } from '../errors/errors.ts';

/** Whether the bytes start as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file, by the platform's own decompressor, which checks length and CRC.
 * @param where  what the bytes are, for messages
 * @throws DatasetError if the file is truncated or corrupt
 */
export async function gunzip(where: string, bytes: Uint8Array): Promise<Uint8Array> {
  const content = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'));
  try {
    return new Uint8Array(await new Response(content).arrayBuffer());
  } catch (cause) {
    throw new DatasetError(where, 'expected a whole gzip file, got one that is truncated or corrupt. Fetch it again.', {
      cause,
    });
  }
}
