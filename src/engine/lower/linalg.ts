import type { LoweringRules } from './rule.ts';
import { operandOf } from './rule.ts';

/** Matrix products; float32 takes the runtime's product with built-in transposition, float64 and portable models transpose first. */
export const linalgRules: LoweringRules<'matmul'> = {
  matmul: (l, node) => {
    const { transposeA, transposeB } = node.attributes;
    const [a, b] = [operandOf(node, 0), operandOf(node, 1)];
    if (!transposeA && !transposeB) return l.emitter.op('MatMul', [l.value(a), l.value(b)]);
    if (node.dtype === 'float32' && !l.isPortable) {
      const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
      return l.emitter.op('FusedMatMul', [l.value(a), l.value(b)], attributes, 'com.microsoft');
    }
    const rank = a.shape.length;
    const perm = [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];
    const swapped = (name: string, flag: boolean): string =>
      flag ? l.emitter.op('Transpose', [name], { perm }) : name;
    return l.emitter.op('MatMul', [swapped(l.value(a), transposeA), swapped(l.value(b), transposeB)]);
  },
};
