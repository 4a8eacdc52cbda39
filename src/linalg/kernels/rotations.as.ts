// AssemblyScript, compiled by scripts/build-wasm.ts; not part of the TypeScript program.
// Conventions stand in gemm.as.ts.

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
