import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';

/**
 * What a network in EDM's preconditioning gives where it is a known denoiser: F = (D - cSkip x) / cOut, everything in units of sigmaData.
 * @param input  cIn x, [B, n]; consumed
 * @param cNoise  ln(sigma) / 4, [B, 1]; consumed
 * @param sigmaData  standard deviation of the data
 * @param denoised  D of x [B, n] and the squared noise level [B, 1], all in units of sigmaData; consumes both
 * @returns F, [B, n]
 * @precision F keeps eps / sigma of what D loses; cOut takes that back
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 7 and Table 1, solved for F
 */
export function denoisedOutput(
  jax: JaxLibrary,
  input: JaxArray,
  cNoise: JaxArray,
  sigmaData: number,
  denoised: (x: JaxArray, square: JaxArray) => JaxArray,
): JaxArray {
  const np = jax.numpy;
  const t = np.exp(cNoise.mul(4).sub(Math.log(sigmaData)));
  const square = t.ref.mul(t.ref);
  const root = np.sqrt(square.ref.add(1));
  const d = denoised(input.ref.mul(root.ref), square);
  const skipped = input.mul(np.reciprocal(root.ref));
  return d.sub(skipped).mul(root.mul(np.reciprocal(t)));
}
