/** A square sparse matrix by rows: the entries of row i stand at starts[i] to starts[i + 1] - 1. */
export interface SparseRows {
  /** N, rows and columns. */
  readonly size: number;
  /** [N + 1] */
  readonly starts: Int32Array;
  /** Column of each entry. */
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** Entries of one row, columns and values in step. */
export interface SparseRow {
  readonly columns: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Rows in order as one matrix. */
export function sparseRows(rows: readonly SparseRow[]): SparseRows {
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => (starts[i + 1] = (starts[i] as number) + row.columns.length));
  const entries = starts[rows.length] as number;
  const columns = new Int32Array(entries);
  const values = new Float64Array(entries);
  rows.forEach((row, i) => {
    columns.set(row.columns, starts[i]);
    values.set(row.values, starts[i]);
  });
  return { size: rows.length, starts, columns, values };
}
