/** Compiles the AssemblyScript kernels into the committed module src/linalg/kernels/kernels-wasm.ts: `node scripts/build-wasm.ts`. */
import { readFile, writeFile } from 'node:fs/promises';
import { BackendError } from '../src/errors/errors.ts';

/** The part of AssemblyScript's compiler that is used here. */
interface Compiler {
  main(
    flags: readonly string[],
    host: {
      readFile(name: string): string | null;
      writeFile(name: string, contents: string | Uint8Array): void;
      listFiles(): string[];
      stderr: { write(text: string | Uint8Array): void };
    },
  ): Promise<{ error: Error | null }>;
}

/** Not written as a literal: the compiler's own types redeclare the global Array, and with it every array of the project. */
const compilerModule: string = 'assemblyscript/asc';

/** Sources, each compiled as an entry so that its exports are the module's. */
const entries = ['gemm', 'reductions', 'rotations'];
const folder = new URL('../src/linalg/kernels/', import.meta.url);

/** Where the generated module lies. */
export const generatedFile: URL = new URL('kernels-wasm.ts', folder);

/**
 * Compiles the kernels and returns the text of the generated module.
 * @throws BackendError with the compiler's messages
 */
export async function buildKernels(): Promise<string> {
  const sources = new Map<string, string>();
  for (const name of entries) sources.set(`${name}.ts`, await readFile(new URL(`${name}.as.ts`, folder), 'utf8'));
  let binary = new Uint8Array();
  let messages = '';
  const { default: compiler } = (await import(compilerModule)) as { default: Compiler };
  const { error } = await compiler.main(
    [...sources.keys(), '--outFile', 'kernels.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'],
    {
      readFile: (name: string) => sources.get(name) ?? null,
      writeFile: (name: string, contents: string | Uint8Array) => {
        if (name === 'kernels.wasm' && typeof contents !== 'string') binary = new Uint8Array(contents);
      },
      listFiles: () => [],
      stderr: { write: (text: string | Uint8Array) => void (messages += String(text)) },
    },
  );
  if (error) throw new BackendError('buildKernels', messages, { cause: error });
  return [
    '// Generated from *.as.ts by scripts/build-wasm.ts. Do not edit.',
    '/** The compiled kernels, base64. */',
    `export const kernelsBase64: string =\n  '${Buffer.from(binary).toString('base64')}';`,
    '',
  ].join('\n');
}

if (import.meta.main) await writeFile(generatedFile, await buildKernels());
