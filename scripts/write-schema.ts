/** Writes the JSON schema of the side-car into docs/schema: `node scripts/write-schema.ts`. */
import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { onnxSideCarJsonSchema } from '../src/diffusion/side-car.ts';

/** Where the generated schema lies. */
export const generatedFile: URL = new URL('../docs/schema/eigenlens-onnx-1.json', import.meta.url);

/** The text of the schema file, laid out as the project's formatter wants it. */
export async function buildSchema(): Promise<string> {
  const options = await resolveConfig(generatedFile);
  return format(JSON.stringify(onnxSideCarJsonSchema(), null, 2), { ...options, parser: 'json' });
}

if (import.meta.main) await writeFile(generatedFile, await buildSchema());
