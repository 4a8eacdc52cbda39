// AssemblyScript, compiled by scripts/build-wasm.ts; not part of the TypeScript program.
// Conventions stand in gemm.as.ts.

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
