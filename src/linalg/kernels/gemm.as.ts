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
