/** What a slider runs over. */
export interface SliderScale {
  readonly low: number;
  readonly high: number;
  /** Equal ratios a step; both ends above 0. */
  readonly log: boolean;
  /** Whole numbers only. */
  readonly whole: boolean;
  /** The only values that there are, ascending, from `low` to `high`. */
  readonly stops?: readonly number[] | undefined;
}

/** Positions of a slider, from 0. */
export const POSITIONS = 1000;
/** Arrow keys go this part of the way, page keys ten times as far. */
const STEP = 1 / 100;
const DIGITS = 3;

/** Position of a value, from 0 to `POSITIONS`. */
export function positionOf(value: number, { low, high, log }: SliderScale): number {
  const part = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return POSITIONS * Math.min(1, Math.max(0, part));
}

/** Value at a position: whole where the scale is, else of three digits. */
export function valueAt(position: number, scale: SliderScale): number {
  const part = position / POSITIONS;
  const { low, high, log } = scale;
  return settle(log ? low * (high / low) ** part : low + (high - low) * part, scale);
}

/** The value some steps further: at least the next value, at most the end. */
export function stepped(value: number, steps: number, scale: SliderScale): number {
  const direction = Math.sign(steps);
  // Rounding may eat a step: then a longer one is taken.
  for (let length = Math.abs(steps); length <= 1 / STEP; length++) {
    const next = valueAt(positionOf(value, scale) + direction * length * STEP * POSITIONS, scale);
    if (next !== value)
      return scale.whole && Math.abs(steps) === 1 && !scale.log && scale.stops === undefined
        ? settle(value + direction, scale)
        : next;
  }
  return value;
}

/** The nearest value that the scale has. */
export function settle(value: number, scale: SliderScale): number {
  const { low, high, whole, stops } = scale;
  if (stops !== undefined) {
    const apart = (stop: number): number => Math.abs(positionOf(stop, scale) - positionOf(value, scale));
    return stops.reduce((a, b) => (apart(b) < apart(a) ? b : a));
  }
  const rounded = whole ? Math.round(value) : Number(value.toPrecision(DIGITS));
  return Math.min(high, Math.max(low, rounded));
}

/** A number for people: three digits, whole numbers in full. */
export function showNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : '−∞';
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace('-', '−');
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(DIGITS))) : value.toExponential(DIGITS - 1);
  return text.replace('e+', 'e').replaceAll('-', '−');
}
