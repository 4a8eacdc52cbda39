import { DomainError } from '../errors/errors.ts';

/** Factors of the EDM wrapping D(x; sigma) = cSkip x + cOut F(cIn x; cNoise) of a network F. */
export interface EdmPreconditioning {
  readonly cSkip: number;
  readonly cOut: number;
  readonly cIn: number;
  readonly cNoise: number;
}

/** Standard deviation of the data that EDM assumes for images in [-1, 1]. */
export const edmSigmaData = 0.5;

/**
 * Factors with which a network of unit-variance input and target becomes a denoiser at one noise level.
 * @param sigma  noise level in data units, > 0
 * @param sigmaData  standard deviation of the data, > 0
 * @throws DomainError if either is not positive and finite
 * @source Karras et al. 2022, arXiv 2206.00364, Table 1, last column
 */
export function edmPreconditioning(sigma: number, sigmaData: number = edmSigmaData): EdmPreconditioning {
  assertPositive('edmPreconditioning', 'sigma', sigma);
  assertPositive('edmPreconditioning', 'sigmaData', sigmaData);
  const norm = Math.hypot(sigma, sigmaData); // sqrt(sigma^2 + sigmaData^2) without overflow
  return {
    cSkip: (sigmaData / norm) ** 2,
    cOut: (sigma / norm) * sigmaData,
    cIn: 1 / norm,
    cNoise: Math.log(sigma) / 4,
  };
}

/**
 * Weight of the squared error of D at one noise level: 1 / cOut^2, so that the loss of F weighs every level alike.
 * @param sigma  noise level in data units, > 0
 * @param sigmaData  standard deviation of the data, > 0
 * @throws DomainError if either is not positive and finite
 * @source Karras et al. 2022, arXiv 2206.00364, Table 1, "Loss weighting"
 */
export function edmLossWeight(sigma: number, sigmaData: number = edmSigmaData): number {
  return 1 / edmPreconditioning(sigma, sigmaData).cOut ** 2;
}

/** Law of the noise level in training: ln sigma is normal with this mean and standard deviation. */
export interface TrainingNoise {
  readonly pMean: number;
  readonly pStd: number;
}

/** The training noise of EDM. @source Karras et al. 2022, arXiv 2206.00364, Table 1, "Noise distribution" */
export const edmTrainingNoise: TrainingNoise = { pMean: -1.2, pStd: 1.2 };

/**
 * The noise level that a standard normal draw stands for under a training law.
 * @param z  one standard normal number
 * @param noise  law of ln sigma, by default EDM's
 */
export function trainingSigma(z: number, noise: TrainingNoise = edmTrainingNoise): number {
  return Math.exp(noise.pMean + noise.pStd * z);
}

function assertPositive(where: string, name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new DomainError(where, `expected ${name} to be positive and finite, got ${value}.`);
  }
}
