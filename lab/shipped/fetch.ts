import { DatasetError } from '../../src/errors/errors.ts';

/** The bytes of a file that ships with the lab. @throws DatasetError where it does not come */
export async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const name = url.split('/').at(-1) as string;
  const response = await fetch(url).catch((cause: unknown) => {
    throw new DatasetError(name, 'could not be fetched. Check that the lab is still served.', { cause });
  });
  if (!response.ok) throw new DatasetError(name, `could not be fetched (${response.status}). Reload the page.`);
  return new Uint8Array(await response.arrayBuffer());
}
