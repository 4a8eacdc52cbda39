import { NumericalError } from '../../errors/errors.ts';
import type { RotationLog } from './rotation-log.ts';

const EPSILON = Number.EPSILON;
/** Sweeps allowed for one singular value on average; about two are usual. */
const SWEEPS_PER_VALUE = 30;

/** Where the rotations of an iteration are recorded: those of the rows of U^T and those of V^T. */
export interface SingularRows {
  readonly left: RotationLog;
  readonly right: RotationLog;
}

interface State {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly rows: SingularRows | undefined;
}

/**
 * Singular values of an upper bidiagonal matrix by implicit QR, left in `d` with either sign and in no order; `e` is destroyed.
 * @param rows  logs of the rotations that turn identities into U^T and V^T
 * @throws NumericalError if 30 sweeps a value do not suffice
 * @source Golub and Kahan 1965; Demmel and Kahan 1990 (zero-shift sweep); LAPACK dbdsqr
 */
export function bidiagonalQr(d: Float64Array, e: Float64Array, rows?: SingularRows): void {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i] as number), i < n - 1 ? Math.abs(e[i] as number) : 0);
  const state: State = { d, e, rows };
  let budget = SWEEPS_PER_VALUE * n;
  for (let high = n - 1; high > 0;) {
    if (negligible(state, high - 1, norm)) {
      e[--high] = 0;
      continue;
    }
    let low = high - 1;
    while (low > 0 && !negligible(state, low - 1, norm)) low--;
    if (budget-- === 0) {
      throw new NumericalError(
        'bidiagonalQr',
        `expected ${n} values in ${SWEEPS_PER_VALUE * n} sweeps, ${high + 1} left. Report the matrix.`,
      );
    }
    sweep(state, low, high);
  }
}

// One element off the diagonal changes no singular value by more than its size.
function negligible({ d, e }: State, i: number, norm: number): boolean {
  const local = Math.abs(d[i] as number) + Math.abs(d[i + 1] as number);
  return Math.abs(e[i] as number) <= EPSILON * Math.max(local, norm / 8);
}

// Chases the bulge from the larger end to the smaller; upward is the same chase on the flipped transpose, with U and V exchanged.
function sweep({ d, e, rows }: State, low: number, high: number): void {
  const down = Math.abs(d[low] as number) >= Math.abs(d[high] as number);
  const at: Chase = down
    ? { d, e, size: high - low + 1, first: low, firstOff: low, step: 1 }
    : { d, e, size: high - low + 1, first: high, firstOff: high - 1, step: -1 };
  const start = d[at.first] as number;
  const end = at.first + at.step * (at.size - 1);
  const shift = smallerSingular(
    d[end - at.step] as number,
    e[at.firstOff + at.step * (at.size - 2)] as number,
    d[end] as number,
  );
  const inner = down ? rows?.right : rows?.left;
  const outer = down ? rows?.left : rows?.right;
  inner?.begin(at.first, at.size - 1, at.step);
  outer?.begin(at.first, at.size - 1, at.step);
  // A shift that is lost against the starting value would only spoil the small singular values.
  if ((shift / start) ** 2 >= EPSILON) shiftedChase(at, shift, inner, outer);
  else plainChase(at, inner, outer);
  inner?.end();
  outer?.end();
}

interface Chase {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly size: number;
  readonly first: number;
  readonly firstOff: number;
  readonly step: 1 | -1;
}

function shiftedChase(
  { d, e, size, first, firstOff, step }: Chase,
  shift: number,
  inner?: RotationLog,
  outer?: RotationLog,
): void {
  const start = d[first] as number;
  let f = (Math.abs(start) - shift) * (Math.sign(start) + shift / start);
  let g = e[firstOff] as number;
  for (let i = 0, p = first, q = firstOff; i < size - 1; i++, p += step, q += step) {
    const [dp, eq, dn] = [d[p] as number, e[q] as number, d[p + step] as number];
    let r = Math.sqrt(f * f + g * g);
    const c = r === 0 ? 1 : f / r;
    const s = r === 0 ? 0 : g / r;
    if (i > 0) e[q - step] = r;
    inner?.push(c, s);
    f = c * dp + s * eq;
    const off = c * eq - s * dp;
    g = s * dn;
    const diagonal = c * dn;
    r = Math.sqrt(f * f + g * g);
    const c2 = r === 0 ? 1 : f / r;
    const s2 = r === 0 ? 0 : g / r;
    outer?.push(c2, s2);
    d[p] = r;
    f = c2 * off + s2 * diagonal;
    d[p + step] = c2 * diagonal - s2 * off;
    e[q] = f;
    if (i < size - 2) {
      const next = e[q + step] as number;
      g = s2 * next;
      e[q + step] = c2 * next;
    }
  }
}

function plainChase({ d, e, size, first, firstOff, step }: Chase, inner?: RotationLog, outer?: RotationLog): void {
  let [c, s, c2, s2] = [1, 0, 1, 0];
  let p = first;
  let q = firstOff;
  for (let i = 0; i < size - 1; i++, p += step, q += step) {
    const f = (d[p] as number) * c;
    const g = e[q] as number;
    let r = Math.sqrt(f * f + g * g);
    c = r === 0 ? 1 : f / r;
    s = r === 0 ? 0 : g / r;
    if (i > 0) e[q - step] = s2 * r;
    const f2 = c2 * r;
    const g2 = (d[p + step] as number) * s;
    r = Math.sqrt(f2 * f2 + g2 * g2);
    c2 = r === 0 ? 1 : f2 / r;
    s2 = r === 0 ? 0 : g2 / r;
    d[p] = r;
    inner?.push(c, s);
    outer?.push(c2, s2);
  }
  const last = (d[p] as number) * c;
  d[p] = last * c2;
  e[q - step] = last * s2;
}

// Smaller singular value of [[f, g], [0, h]] without overflow. LAPACK dlas2.
function smallerSingular(f: number, g: number, h: number): number {
  const [fa, ga, ha] = [Math.abs(f), Math.abs(g), Math.abs(h)];
  const low = Math.min(fa, ha);
  const high = Math.max(fa, ha);
  if (low === 0) return 0;
  const a = 1 + low / high;
  const b = (high - low) / high;
  if (ga < high) {
    const t = (ga / high) ** 2;
    return (2 * low) / (Math.sqrt(a * a + t) + Math.sqrt(b * b + t));
  }
  const t = high / ga;
  return (2 * low * t) / (Math.sqrt(1 + (a * t) ** 2) + Math.sqrt(1 + (b * t) ** 2));
}
