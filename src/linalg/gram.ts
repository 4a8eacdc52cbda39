import { withWorkspace } from './kernels/workspace.ts';

/** Columns of one strip: the part of it above the diagonal is computed in vain, and each strip packs its factors anew. */
const STRIP = 112;

/** Adds products of blocks of samples to a scatter matrix, by the WebAssembly kernels; what streaming moments are made of. */
export const gramKernel: {
  /** Samples in one block: few enough for the memory, many enough that copying the scatter in and out costs little. */
  readonly block: (D: number) => number;
  readonly add: (columns: Float64Array, D: number, K: number, scatter: Float64Array) => void;
} = { block: (D) => Math.min(2048, Math.max(64, Math.floor(2 ** 21 / D))), add: addGram };

/**
 * scatter += A A^T, lower triangle; what stands above the diagonal is left undefined.
 * @param columns  A [D, K], row-major; not consumed
 * @param scatter  [D, D], changed in place
 * @precision K eps |A| |A| elementwise
 */
function addGram(columns: Float64Array, D: number, K: number, scatter: Float64Array): void {
  withWorkspace((workspace) => {
    const a = workspace.allocate(D * K);
    const c = workspace.allocate(D * D);
    workspace.view(a, D * K).set(columns);
    workspace.view(c, D * D).set(scatter);
    for (let j = 0; j < D; j += STRIP) {
      const below = { at: a + 8 * j * K, stride: K };
      const target = { at: c + 8 * (j * D + j), stride: D };
      workspace.gemm([D - j, Math.min(STRIP, D - j), K], 1, below, { ...below, transposed: true }, target);
    }
    scatter.set(workspace.view(c, D * D));
  });
}
