import type { LinearOperator } from '../../src/linalg/operator.ts';

/** Hands the event loop a turn, so that a cancel is heard. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** An operator with a turn before each product: one that computes without ever waiting would not hear a cancel. */
export function unhurried(op: LinearOperator): LinearOperator {
  return {
    ...op,
    apply: async (v) => {
      await turn();
      return op.apply(v);
    },
    applyTranspose: async (u) => {
      await turn();
      return op.applyTranspose(u);
    },
  };
}
