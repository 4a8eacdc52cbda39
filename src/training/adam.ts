/** Moments of Adam for one weight array; float32 like the weights, so that a checkpoint restores them bit for bit. */
export interface AdamState {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** Constants of Adam. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Defaults: a shorter second memory than the usual 0.999, which suits short runs. */
export const adamDefaults: AdamOptions = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };

/**
 * One Adam step, in place.
 * @param weights  float32 array that is updated
 * @param gradient  of equal length
 * @param step  1 for the first step (bias correction)
 * @param rate  learning rate of this step
 * @source Kingma & Ba 2015, arXiv 1412.6980, algorithm 1
 */
export function adamStep(
  weights: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  step: number,
  rate: number,
  { beta1, beta2, epsilon }: AdamOptions = adamDefaults,
): void {
  const { first, second } = state;
  const scale1 = 1 / (1 - beta1 ** step);
  const scale2 = 1 / (1 - beta2 ** step);
  for (let i = 0; i < weights.length; i++) {
    const g = gradient[i] as number;
    const m = Math.fround(beta1 * (first[i] as number) + (1 - beta1) * g);
    const v = Math.fround(beta2 * (second[i] as number) + (1 - beta2) * g * g);
    first[i] = m;
    second[i] = v;
    weights[i] = (weights[i] as number) - (rate * scale1 * m) / (Math.sqrt(v * scale2) + epsilon);
  }
}

/** Moves a running average of the weights towards them, in place: average += (1 - decay) (weights - average). */
export function averageStep(average: Float32Array, weights: Float32Array, decay: number): void {
  const rate = 1 - decay;
  for (let i = 0; i < average.length; i++) {
    const a = average[i] as number;
    average[i] = a + rate * ((weights[i] as number) - a);
  }
}
