/** Writes the JSON schemas of the side-cars into docs/schema: `node scripts/write-schema.ts`. */
import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { onnxSideCarJsonSchema } from '../src/diffusion/side-car.ts';
import { directionsJsonSchema } from '../src/editing/direction-side-car.ts';

/** Where the generated schema of a model's side-car lies. */
export const generatedFile: URL = new URL('../docs/schema/eigenlens-onnx-1.json', import.meta.url);

/** Where that of edit directions lies. */
export const directionsSchemaFile: URL = new URL('../docs/schema/eigenlens-directions-1.json', import.meta.url);

const schemas: ReadonlyMap<URL, () => object> = new Map([
  [generatedFile, onnxSideCarJsonSchema],
  [directionsSchemaFile, directionsJsonSchema],
]);

/** The text of a schema file, laid out as the project's formatter wants it. */
export async function buildSchema(file: URL = generatedFile): Promise<string> {
  const options = await resolveConfig(file);
  return format(JSON.stringify(schemas.get(file)?.(), null, 2), { ...options, parser: 'json' });
}

if (import.meta.main) for (const file of schemas.keys()) await writeFile(file, await buildSchema(file));
