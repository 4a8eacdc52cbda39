import { sparseRows } from './sparse-rows.ts';
import type { SparseRow, SparseRows } from './sparse-rows.ts';

/**
 * The symmetric affinity |C| + |C|^T without its diagonal.
 * @param c  coefficients or weights [N, N]; not consumed
 * @returns rows with ascending columns, exactly symmetric, values > 0
 * @source You, Robinson, Vidal 2016, algorithm 2; Heckel and Boelcskei 2015
 */
export function symmetricAffinity(c: SparseRows): SparseRows {
  const back = transpose(c);
  const sum = new Float64Array(c.size);
  const rows: SparseRow[] = [];
  for (let i = 0; i < c.size; i++) {
    const met: number[] = [];
    for (const side of [c, back]) {
      for (let e = side.starts[i] as number; e < (side.starts[i + 1] as number); e++) {
        const [j, weight] = [side.columns[e] as number, Math.abs(side.values[e] as number)];
        if (j === i || weight === 0) continue;
        if (sum[j] === 0) met.push(j);
        sum[j] = (sum[j] as number) + weight;
      }
    }
    met.sort((a, b) => a - b);
    rows.push({ columns: met, values: met.map((j) => sum[j] as number) });
    for (const j of met) sum[j] = 0;
  }
  return sparseRows(rows);
}

/** Row sums: the degrees of an affinity. */
export function degrees({ size, starts, values }: SparseRows): Float64Array {
  return Float64Array.from({ length: size }, (_, i) =>
    values.subarray(starts[i], starts[i + 1]).reduce((sum, w) => sum + w, 0),
  );
}

/** Number of connected components of a symmetric affinity; a sample without any entry is one by itself. */
export function countComponents({ size, starts, columns }: SparseRows): number {
  const seen = new Uint8Array(size);
  let components = 0;
  for (let root = 0; root < size; root++) {
    if (seen[root]) continue;
    components++;
    const waiting = [root];
    seen[root] = 1;
    for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
      for (let e = starts[i] as number; e < (starts[i + 1] as number); e++) {
        const j = columns[e] as number;
        if (seen[j]) continue;
        seen[j] = 1;
        waiting.push(j);
      }
    }
  }
  return components;
}

function transpose({ size, starts, columns, values }: SparseRows): SparseRows {
  const at = new Int32Array(size + 1);
  for (const j of columns) at[j + 1] = (at[j + 1] as number) + 1;
  for (let j = 0; j < size; j++) at[j + 1] = (at[j + 1] as number) + (at[j] as number);
  const next = at.slice();
  const [rows, moved] = [new Int32Array(columns.length), new Float64Array(columns.length)];
  for (let i = 0; i < size; i++) {
    for (let e = starts[i] as number; e < (starts[i + 1] as number); e++) {
      const j = columns[e] as number;
      const place = next[j] as number;
      next[j] = place + 1;
      rows[place] = i;
      moved[place] = values[e] as number;
    }
  }
  return { size, starts: at, columns: rows, values: moved };
}
