// AssemblyScript, compiled by scripts/build-wasm.ts; not part of the TypeScript program.
// Pointers are byte offsets into linear memory, sizes and strides count float64 elements, matrices are row-major.
// No fused multiply-add (relaxed SIMD): the same bits on every machine.

/** Rows of A packed at once; a packed panel (MC x KC) stays in L2. */
const MC: i32 = 96;
/** Depth of one packed panel; a 4-column sliver of B (KC x 4) stays in L1. */
const KC: i32 = 256;
/** Columns of B packed at once. */
const NC: i32 = 512;

/** First byte that the caller may use. */
export function heapBase(): usize {
  return __heap_base;
}

/** Float64 elements of scratch that `gemm` needs: both packed panels and one 4 x 4 tile. */
export function gemmScratch(): i32 {
  return MC * KC + KC * NC + 16;
}

// Packs `count` lines of length `depth` as slivers of four, depth-major, padded with zeros to whole slivers.
function pack(count: i32, depth: i32, source: usize, lineStride: i32, depthStride: i32, target: usize): void {
  const step = (<usize>depthStride) << 3;
  for (let i = 0; i < count; i += 4) {
    for (let r = 0; r < 4; r++) {
      let to = target + ((<usize>(i * depth + r)) << 3);
      if (i + r < count) {
        let from = source + ((<usize>(i + r) * <usize>lineStride) << 3);
        for (let p = 0; p < depth; p++) {
          store<f64>(to, load<f64>(from));
          from += step;
          to += 32;
        }
      } else {
        for (let p = 0; p < depth; p++) {
          store<f64>(to, 0.0);
          to += 32;
        }
      }
    }
  }
}

// C (4 x 4, row stride in bytes) += alpha * sliver of A times sliver of B.
function tile(depth: i32, a: usize, b: usize, c: usize, stride: usize, alpha: f64): void {
  let c00 = f64x2.splat(0),
    c01 = f64x2.splat(0),
    c10 = f64x2.splat(0),
    c11 = f64x2.splat(0);
  let c20 = f64x2.splat(0),
    c21 = f64x2.splat(0),
    c30 = f64x2.splat(0),
    c31 = f64x2.splat(0);
  for (let p = 0; p < depth; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f64>(a);
    c00 = f64x2.add(c00, f64x2.mul(x, b0));
    c01 = f64x2.add(c01, f64x2.mul(x, b1));
    x = v128.load_splat<f64>(a, 8);
    c10 = f64x2.add(c10, f64x2.mul(x, b0));
    c11 = f64x2.add(c11, f64x2.mul(x, b1));
    x = v128.load_splat<f64>(a, 16);
    c20 = f64x2.add(c20, f64x2.mul(x, b0));
    c21 = f64x2.add(c21, f64x2.mul(x, b1));
    x = v128.load_splat<f64>(a, 24);
    c30 = f64x2.add(c30, f64x2.mul(x, b0));
    c31 = f64x2.add(c31, f64x2.mul(x, b1));
    a += 32;
    b += 32;
  }
  const s = f64x2.splat(alpha);
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(s, c00)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(s, c01)), 16);
  c += stride;
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(s, c10)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(s, c11)), 16);
  c += stride;
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(s, c20)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(s, c21)), 16);
  c += stride;
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(s, c30)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(s, c31)), 16);
}

// One tile at the border of C: computed whole in `spare`, its valid part added.
function edgeTile(
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  alpha: f64,
  rows: i32,
  columns: i32,
  spare: usize,
): void {
  memory.fill(spare, 0, 128);
  tile(depth, a, b, spare, 32, alpha);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = c + <usize>i * stride + ((<usize>j) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(spare + ((<usize>(4 * i + j)) << 3)));
    }
  }
}

/** C [m, n] += alpha A [m, k] B [k, n]; A and B by row and column stride (so transposes are free), C by row stride. */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  alpha: f64,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bRow: i32,
  bColumn: i32,
  c: usize,
  cRow: i32,
  scratch: usize,
): void {
  const packedB = scratch + ((<usize>(MC * KC)) << 3);
  const spare = packedB + ((<usize>(KC * NC)) << 3);
  const stride = (<usize>cRow) << 3;
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      pack(nc, kc, b + ((<usize>pc * <usize>bRow + <usize>jc * <usize>bColumn) << 3), bColumn, bRow, packedB);
      for (let ic = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic);
        pack(mc, kc, a + ((<usize>ic * <usize>aRow + <usize>pc * <usize>aColumn) << 3), aRow, aColumn, scratch);
        for (let j = 0; j < nc; j += 4) {
          const columns = min(4, nc - j);
          const sliverB = packedB + ((<usize>(j * kc)) << 3);
          for (let i = 0; i < mc; i += 4) {
            const rows = min(4, mc - i);
            const sliverA = scratch + ((<usize>(i * kc)) << 3);
            const at = c + <usize>(ic + i) * stride + ((<usize>(jc + j)) << 3);
            if (rows == 4 && columns == 4) tile(kc, sliverA, sliverB, at, stride, alpha);
            else edgeTile(kc, sliverA, sliverB, at, stride, alpha, rows, columns, spare);
          }
        }
      }
    }
  }
}

// One row of tridiagonalPass, elements [from, row].
function tridiagonalRow(row: i32, from: i32, at: usize, v: usize, w: usize, p: usize, y: usize): f64 {
  const vi = load<f64>(v + ((<usize>row) << 3));
  const wi = load<f64>(w + ((<usize>row) << 3));
  const pi = load<f64>(p + ((<usize>row) << 3));
  let sum: f64 = 0;
  for (let j = from; j <= row; j++) {
    const o = (<usize>j) << 3;
    const x = load<f64>(at + o) - vi * load<f64>(w + o) - wi * load<f64>(v + o);
    store<f64>(at + o, x);
    sum += x * load<f64>(p + o);
    if (j < row) store<f64>(y + o, load<f64>(y + o) + x * pi);
  }
  return sum;
}

/**
 * One step of Householder tridiagonalisation in a single pass over the lower triangle of the leading n x n block:
 * A -= v w^T + w v^T (left over from the step before), then y = A p. `y` must come as zeros.
 */
export function tridiagonalPass(n: i32, a: usize, stride: i32, v: usize, w: usize, p: usize, y: usize): void {
  const rowBytes = (<usize>stride) << 3;
  let i = 0;
  for (; i + 1 < n; i += 2) {
    const a0 = a + <usize>i * rowBytes;
    const a1 = a0 + rowBytes;
    const at = (<usize>i) << 3;
    const v0 = v128.load_splat<f64>(v + at),
      v1 = v128.load_splat<f64>(v + at, 8);
    const w0 = v128.load_splat<f64>(w + at),
      w1 = v128.load_splat<f64>(w + at, 8);
    const p0 = v128.load_splat<f64>(p + at),
      p1 = v128.load_splat<f64>(p + at, 8);
    let s0 = f64x2.splat(0),
      s1 = f64x2.splat(0);
    for (let o: usize = 0; o < at; o += 16) {
      const vj = v128.load(v + o);
      const wj = v128.load(w + o);
      const pj = v128.load(p + o);
      const x0 = f64x2.sub(f64x2.sub(v128.load(a0 + o), f64x2.mul(v0, wj)), f64x2.mul(w0, vj));
      const x1 = f64x2.sub(f64x2.sub(v128.load(a1 + o), f64x2.mul(v1, wj)), f64x2.mul(w1, vj));
      v128.store(a0 + o, x0);
      v128.store(a1 + o, x1);
      s0 = f64x2.add(s0, f64x2.mul(x0, pj));
      s1 = f64x2.add(s1, f64x2.mul(x1, pj));
      v128.store(y + o, f64x2.add(f64x2.add(v128.load(y + o), f64x2.mul(x0, p0)), f64x2.mul(x1, p1)));
    }
    const r0 = tridiagonalRow(i, i, a0, v, w, p, y);
    const r1 = tridiagonalRow(i + 1, i, a1, v, w, p, y);
    const y0 = y + at;
    store<f64>(y0, load<f64>(y0) + r0 + f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1));
    store<f64>(y0, load<f64>(y0, 8) + r1 + f64x2.extract_lane(s1, 0) + f64x2.extract_lane(s1, 1), 8);
  }
  if (i < n) {
    const r = tridiagonalRow(i, 0, a + <usize>i * rowBytes, v, w, p, y);
    const yi = y + ((<usize>i) << 3);
    store<f64>(yi, load<f64>(yi) + r);
  }
}

// Column k of bidiagonalPass up to its row element: updates the column, stores y'_k and r_k.
function bidiagonalColumn(
  m: i32,
  c: usize,
  u: usize,
  x: usize,
  yk: f64,
  vk: f64,
  next: usize,
  tau: f64,
  nextY: usize,
  r: usize,
): void {
  const ys = f64x2.splat(yk),
    vs = f64x2.splat(vk);
  let s = f64x2.splat(0);
  let i = 0;
  for (; i + 1 < m; i += 2) {
    const o = (<usize>i) << 3;
    const e = f64x2.sub(f64x2.sub(v128.load(c + o), f64x2.mul(ys, v128.load(u + o))), f64x2.mul(vs, v128.load(x + o)));
    v128.store(c + o, e);
    s = f64x2.add(s, f64x2.mul(e, v128.load(next + o)));
  }
  let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  if (i < m) {
    const o = (<usize>i) << 3;
    const e = load<f64>(c + o) - yk * load<f64>(u + o) - vk * load<f64>(x + o);
    store<f64>(c + o, e);
    sum += e * load<f64>(next + o);
  }
  store<f64>(nextY, tau * sum);
  store<f64>(r, load<f64>(c) - tau * sum);
}

/**
 * One step of Householder bidiagonalisation in a single pass over n columns of length m, stored one after another:
 * c_k -= y_k u + v_k x (left over from the step before), y'_k = tau <next, c_k>, r_k = c_k[0] - y'_k (the row after the left
 * reflection, for next[0] = 1), sum += r_k c_k. `sum` must come as zeros. The trick of forming A r while r is still being formed:
 * Howell et al. 2008, "Cache efficient bidiagonalization using BLAS 2.5 operators".
 */
export function bidiagonalPass(
  m: i32,
  n: i32,
  c: usize,
  stride: i32,
  u: usize,
  x: usize,
  y: usize,
  v: usize,
  next: usize,
  tau: f64,
  nextY: usize,
  r: usize,
  sum: usize,
): void {
  const bytes = (<usize>stride) << 3;
  let k = 0;
  for (; k + 1 < n; k += 2) {
    const o = (<usize>k) << 3;
    const c0 = c + <usize>k * bytes;
    const c1 = c0 + bytes;
    const y0 = v128.load_splat<f64>(y + o),
      y1 = v128.load_splat<f64>(y + o, 8);
    const v0 = v128.load_splat<f64>(v + o),
      v1 = v128.load_splat<f64>(v + o, 8);
    let s0 = f64x2.splat(0),
      s1 = f64x2.splat(0);
    let i = 0;
    for (; i + 1 < m; i += 2) {
      const q = (<usize>i) << 3;
      const ui = v128.load(u + q);
      const xi = v128.load(x + q);
      const ni = v128.load(next + q);
      const e0 = f64x2.sub(f64x2.sub(v128.load(c0 + q), f64x2.mul(y0, ui)), f64x2.mul(v0, xi));
      const e1 = f64x2.sub(f64x2.sub(v128.load(c1 + q), f64x2.mul(y1, ui)), f64x2.mul(v1, xi));
      v128.store(c0 + q, e0);
      v128.store(c1 + q, e1);
      s0 = f64x2.add(s0, f64x2.mul(e0, ni));
      s1 = f64x2.add(s1, f64x2.mul(e1, ni));
    }
    let d0 = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
    let d1 = f64x2.extract_lane(s1, 0) + f64x2.extract_lane(s1, 1);
    if (i < m) {
      const q = (<usize>i) << 3;
      const e0 = load<f64>(c0 + q) - load<f64>(y + o) * load<f64>(u + q) - load<f64>(v + o) * load<f64>(x + q);
      const e1 = load<f64>(c1 + q) - load<f64>(y + o, 8) * load<f64>(u + q) - load<f64>(v + o, 8) * load<f64>(x + q);
      store<f64>(c0 + q, e0);
      store<f64>(c1 + q, e1);
      d0 += e0 * load<f64>(next + q);
      d1 += e1 * load<f64>(next + q);
    }
    const r0 = load<f64>(c0) - tau * d0;
    const r1 = load<f64>(c1) - tau * d1;
    store<f64>(nextY + o, tau * d0);
    store<f64>(nextY + o, tau * d1, 8);
    store<f64>(r + o, r0);
    store<f64>(r + o, r1, 8);
    const t0 = f64x2.splat(r0),
      t1 = f64x2.splat(r1);
    i = 0;
    for (; i + 1 < m; i += 2) {
      const q = (<usize>i) << 3;
      const z = f64x2.add(v128.load(sum + q), f64x2.mul(t0, v128.load(c0 + q)));
      v128.store(sum + q, f64x2.add(z, f64x2.mul(t1, v128.load(c1 + q))));
    }
    if (i < m) {
      const q = (<usize>i) << 3;
      store<f64>(sum + q, load<f64>(sum + q) + r0 * load<f64>(c0 + q) + r1 * load<f64>(c1 + q));
    }
  }
  if (k < n) {
    const o = (<usize>k) << 3;
    const ck = c + <usize>k * bytes;
    bidiagonalColumn(m, ck, u, x, load<f64>(y + o), load<f64>(v + o), next, tau, nextY + o, r + o);
    const rk = load<f64>(r + o);
    for (let i = 0; i < m; i++) {
      const q = (<usize>i) << 3;
      store<f64>(sum + q, load<f64>(sum + q) + rk * load<f64>(ck + q));
    }
  }
}

// One sweep on eight columns: rotation i takes rows i and i + 1 to (c f + s g, c g - s f); the row in hand stays in registers.
function sweep8(count: i32, cs: usize, at: usize, step: usize): void {
  let f0 = v128.load(at),
    f1 = v128.load(at, 16),
    f2 = v128.load(at, 32),
    f3 = v128.load(at, 48);
  for (let i = 0; i < count; i++) {
    const c = v128.load_splat<f64>(cs);
    const s = v128.load_splat<f64>(cs, 8);
    const to = at;
    at += step;
    const g0 = v128.load(at),
      g1 = v128.load(at, 16),
      g2 = v128.load(at, 32),
      g3 = v128.load(at, 48);
    v128.store(to, f64x2.add(f64x2.mul(c, f0), f64x2.mul(s, g0)));
    v128.store(to, f64x2.add(f64x2.mul(c, f1), f64x2.mul(s, g1)), 16);
    v128.store(to, f64x2.add(f64x2.mul(c, f2), f64x2.mul(s, g2)), 32);
    v128.store(to, f64x2.add(f64x2.mul(c, f3), f64x2.mul(s, g3)), 48);
    f0 = f64x2.sub(f64x2.mul(c, g0), f64x2.mul(s, f0));
    f1 = f64x2.sub(f64x2.mul(c, g1), f64x2.mul(s, f1));
    f2 = f64x2.sub(f64x2.mul(c, g2), f64x2.mul(s, f2));
    f3 = f64x2.sub(f64x2.mul(c, g3), f64x2.mul(s, f3));
    cs += 16;
  }
  v128.store(at, f0);
  v128.store(at, f1, 16);
  v128.store(at, f2, 32);
  v128.store(at, f3, 48);
}

function sweep1(count: i32, cs: usize, at: usize, step: usize): void {
  let f = load<f64>(at);
  for (let i = 0; i < count; i++) {
    const c = load<f64>(cs);
    const s = load<f64>(cs, 8);
    const g = load<f64>(at + step);
    store<f64>(at, c * f + s * g);
    at += step;
    f = c * g - s * f;
    cs += 16;
  }
  store<f64>(at, f);
}

/**
 * Applies recorded sweeps of plane rotations to the rows of a matrix, eight columns at a time, so that the columns in hand stay in
 * cache over all sweeps. `table` holds (first row, count, +1 down or -1 up) as int32 for every sweep, `pairs` their (c, s) one after another.
 */
export function rotateRows(sweeps: i32, table: usize, pairs: usize, a: usize, stride: i32, columns: i32): void {
  for (let j = 0; j < columns;) {
    const wide = columns - j >= 8;
    let cs = pairs;
    for (let t = 0; t < sweeps; t++) {
      const entry = table + <usize>t * 12;
      const first = load<i32>(entry);
      const count = load<i32>(entry, 4);
      const step = <usize>(load<i32>(entry, 8) * stride * 8);
      const at = a + ((<usize>first * <usize>stride + <usize>j) << 3);
      if (wide) sweep8(count, cs, at, step);
      else sweep1(count, cs, at, step);
      cs += (<usize>count) << 4;
    }
    j += wide ? 8 : 1;
  }
}
