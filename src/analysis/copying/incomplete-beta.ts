import { DomainError } from '../../errors/errors.ts';

/**
 * Regularized incomplete beta function I_x(a, b): the distribution function of a Beta(a, b) variable at x.
 * For whole a = k >= 1 and b = n - k + 1 it is the probability of k or more successes in n trials of probability x.
 * @param x  in [0, 1]
 * @throws DomainError for x outside [0, 1], or a or b not positive and finite
 * @precision absolute 1e-12 for a + b up to 1e4, losing digits in proportion beyond (rounding of the log gamma function)
 * @source DLMF 8.17.22 (continued fraction), evaluated by the modified Lentz method (Thompson and Barnett 1986)
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x >= 0 && x <= 1) || !(a > 0 && a < Infinity) || !(b > 0 && b < Infinity)) {
    throw new DomainError('incompleteBeta', `expected x in [0, 1] and a, b > 0, got ${x}, ${a} and ${b}.`);
  }
  if (x === 0 || x === 1) return x;
  // The fraction converges fast below the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - belowMean(1 - x, b, a);
  return belowMean(x, a, b);
}

/**
 * The x at which I_x(a, b) reaches p, by bisection: the p-quantile of a Beta(a, b) variable.
 * @param p  in [0, 1]
 * @throws DomainError as `incompleteBeta`
 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1)) throw new DomainError('betaQuantile', `expected a probability, got ${p}.`);
  let [low, high] = [0, 1];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle; // neighbours in float64
    if (incompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
}

function belowMean(x: number, a: number, b: number): number {
  const front = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return (Math.exp(front) / a) * fraction(x, a, b);
}

function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (v: number): number => (Math.abs(v) < tiny ? tiny : v);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let value = d;
  // About sqrt(max(a, b)) terms are needed below the mean.
  const most = 200 + 20 * Math.ceil(Math.sqrt(Math.max(a, b)));
  for (let m = 1; m < most; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      change = c * d;
      value *= change;
    }
    if (Math.abs(change - 1) < Number.EPSILON) break;
  }
  return value;
}

/** ln Gamma(x) for x > 0, by Stirling's series above 16 and the recurrence below. @source DLMF 5.11.1, Bernoulli numbers 24.2 */
function logGamma(x: number): number {
  let [shift, z] = [0, x];
  for (; z < 16; z++) shift += Math.log(z);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - (r * 691) / 360360))))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
