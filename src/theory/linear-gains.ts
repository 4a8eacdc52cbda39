import { DomainError } from '../errors/errors.ts';

/**
 * Gain of the best linear denoiser along a direction: lam / (lam + sigma^2).
 * @param variance  lam >= 0 of the clean data along the direction
 * @param sigma     noise level > 0, data units
 * @throws DomainError outside these
 * @source Wiener 1949; Li, Dai, Qu 2024, arXiv 2410.24060, theorem 1
 */
export function wienerGain(variance: number, sigma: number): number {
  check('wienerGain', variance, sigma);
  return variance / (variance + sigma * sigma);
}

/**
 * Factor by which the probability-flow equation with the Wiener denoiser moves a coefficient from one noise level to another.
 * @param from  noise level at the start > 0
 * @param to    noise level at the end >= 0
 * @returns sqrt((lam + to^2) / (lam + from^2))
 * @throws DomainError outside these
 * @source Li, Dai, Qu 2024, arXiv 2410.24060 (theory.md E3.2)
 */
export function flowGain(variance: number, from: number, to: number = 0): number {
  check('flowGain', variance, from);
  if (!(to >= 0 && to < Infinity)) throw new DomainError('flowGain', `expected a final sigma >= 0, got ${to}.`);
  return Math.sqrt((variance + to * to) / (variance + from * from));
}

/**
 * Variance along a direction at the end of the probability-flow equation started from N(0, sigma^2 I): lam S / (lam + S), S = sigma^2.
 * Tends to lam for large S: the ordinary sampler gives the whole Gaussian back and does not collapse.
 * @throws DomainError as `flowGain`
 */
export function flowVariance(variance: number, sigma: number): number {
  return (sigma * flowGain(variance, sigma)) ** 2;
}

/**
 * Gains of the exact linear steps x_t -> x_(t-1) along a direction, (lam + S_(t-1)) / (lam + S_t), from high noise to none.
 * Their product telescopes to lam / (lam + S_T): one Wiener filter.
 * @param sigmas  noise levels, descending, > 0; the last step goes to 0
 * @returns one gain a step, in the order of `sigmas`
 * @throws DomainError outside these
 * @source theory.md A.2, "useful identity"
 */
export function sequentialGains(variance: number, sigmas: ArrayLike<number>): Float64Array {
  return Float64Array.from(sigmas, (sigma, i) => {
    const next = i + 1 < sigmas.length ? (sigmas[i + 1] as number) : 0;
    check('sequentialGains', variance, sigma);
    if (!(next < sigma)) {
      throw new DomainError('sequentialGains', `expected noise levels that descend, got ${sigma} before ${next}.`);
    }
    return (variance + next * next) / (variance + sigma * sigma);
  });
}

/**
 * Variance along a direction after the telescoped steps, started from N(0, sigma^2 I): S lam^2 / (lam + S)^2.
 * For large S the ratio of two directions is the square of that of their variances: sharper, yet never of rank one.
 * @throws DomainError as `wienerGain`
 */
export function telescopedVariance(variance: number, sigma: number): number {
  return (sigma * wienerGain(variance, sigma)) ** 2;
}

function check(where: string, variance: number, sigma: number): void {
  if (!(variance >= 0 && variance < Infinity && sigma > 0 && sigma < Infinity)) {
    throw new DomainError(
      where,
      `expected a variance >= 0 and a noise level > 0, both finite, got ${variance} and ${sigma}.`,
    );
  }
}
