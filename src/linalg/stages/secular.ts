/** The secular equation 1/rho + sum_i z_i^2 / (d_i - x) = 0, poles ascending and well apart, every z_i away from zero. */
export interface Secular {
  readonly poles: Float64Array;
  /** z_i^2 */
  readonly weights: Float64Array;
  /** rho > 0 */
  readonly rho: number;
}

const EPSILON = Number.EPSILON;
/** Bisection alone ends within about 110 halvings; interpolation usually needs five steps. */
const MAX_STEPS = 200;

/**
 * Root j of the secular equation, between pole j and the next (the last: beyond the last pole).
 * The root is found as an offset from the closer pole, so that all differences to poles keep full relative accuracy.
 * @param differences  receives d_i - x for all i
 * @returns x
 * @source Li 1993, LAPACK Working Note 89 ("the middle way"), safeguarded by bisection
 */
export function secularRoot(equation: Secular, j: number, differences: Float64Array): number {
  const { poles, weights, rho } = equation;
  const k = poles.length;
  const last = j === k - 1;
  const below = last ? Math.max(0, k - 2) : j; // the two poles whose neighbourhood the interpolation matches
  const above = last ? k - 1 : j + 1;
  const state: Evaluation = { value: 0, below: 0, above: 0, error: 0 };
  const gap = last ? 0 : (poles[j + 1] as number) - (poles[j] as number);
  let [low, high, origin] = [0, 0, j];
  if (last) {
    for (let i = 0; i < k; i++) high += rho * (weights[i] as number);
    high *= 1 + 4 * EPSILON;
  } else {
    shift(poles, j, gap / 2, differences);
    evaluate(equation, below, gap / 2, differences, state);
    if (state.value >= 0) high = gap / 2;
    else [low, origin] = [-gap / 2, j + 1];
  }
  let x = low + (high - low) / 2;
  for (let step = 0; step < MAX_STEPS; step++) {
    shift(poles, origin, x, differences);
    evaluate(equation, below, x, differences, state);
    if (Math.abs(state.value) <= EPSILON * state.error) break;
    if (state.value < 0) low = x;
    else high = x;
    const next =
      k === 1
        ? x - state.value / state.below
        : x + correction(state, differences[below] as number, differences[above] as number, last);
    // From the ninth step on, every third halves the bracket, so that slow interpolation cannot last.
    const interpolate = (step <= 8 || step % 3 !== 2) && next > low && next < high;
    const target = interpolate ? next : low + (high - low) / 2;
    if (target === x || target === low || target === high) break;
    x = target;
  }
  return (poles[origin] as number) + x;
}

interface Evaluation {
  value: number;
  /** Derivative from the poles up to `below`, and from those after it. */
  below: number;
  above: number;
  /** Bound of the rounding error of `value`, in eps. */
  error: number;
}

function shift(poles: Float64Array, origin: number, x: number, differences: Float64Array): void {
  const base = poles[origin] as number;
  for (let i = 0; i < poles.length; i++) differences[i] = (poles[i] as number) - base - x;
}

function evaluate(
  { weights, rho }: Secular,
  split: number,
  x: number,
  differences: Float64Array,
  out: Evaluation,
): void {
  let [lower, upper, slopeLower, slopeUpper] = [0, 0, 0, 0];
  for (let i = 0; i <= split; i++) {
    const delta = differences[i] as number;
    const term = (weights[i] as number) / delta;
    lower += term;
    slopeLower += term / delta;
  }
  for (let i = weights.length - 1; i > split; i--) {
    const delta = differences[i] as number;
    const term = (weights[i] as number) / delta;
    upper += term;
    slopeUpper += term / delta;
  }
  out.value = 1 / rho + lower + upper;
  out.below = slopeLower;
  out.above = slopeUpper;
  out.error = 8 * (1 / rho + Math.abs(lower) + Math.abs(upper)) + Math.abs(x) * (slopeLower + slopeUpper);
}

// Root of c + p/(a - t) + q/(b - t) that matches value and both slopes at the iterate, a and b the differences to the two poles.
function correction({ value, below, above }: Evaluation, a: number, b: number, beyond: boolean): number {
  const c = value - a * below - b * above;
  const sum = (a + b) * value - a * b * (below + above);
  const product = a * b * value;
  const root = Math.sqrt(Math.abs(sum * sum - 4 * c * product));
  if (beyond) return sum >= 0 ? (sum + root) / (2 * c) : (2 * product) / (sum - root);
  return sum <= 0 ? (sum - root) / (2 * c) : (2 * product) / (sum + root);
}
