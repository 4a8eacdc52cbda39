import type { BinaryOp, GraphNode, UnaryOp } from '../graph.ts';
import { onnxTypes } from './emitter.ts';
import { lowerErf } from './erf.ts';
import type { Lowering, LoweringRules } from './rule.ts';
import { operandOf } from './rule.ts';

const named =
  (opType: string) =>
  (l: Lowering, node: GraphNode): string =>
    l.emitter.op(
      opType,
      node.inputs.map((x) => l.operand(x)),
    );

/** mod with the sign of the dividend, as in C: integers and floats alike go through fmod. */
const mod = (l: Lowering, node: GraphNode): string =>
  l.emitter.op('Mod', [l.operand(operandOf(node, 0)), l.operand(operandOf(node, 1))], { fmod: 1 });

/** Elementwise operations. */
export const elementwiseRules: LoweringRules<UnaryOp | BinaryOp | 'where' | 'cast'> = {
  reciprocal: named('Reciprocal'),
  floor: named('Floor'),
  ceil: named('Ceil'),
  sin: named('Sin'),
  cos: named('Cos'),
  asin: named('Asin'),
  atan: named('Atan'),
  exp: named('Exp'),
  log: named('Log'),
  erf: lowerErf,
  sqrt: named('Sqrt'),
  sigmoid: named('Sigmoid'),
  not: named('Not'),
  add: named('Add'),
  sub: named('Sub'),
  mul: named('Mul'),
  div: named('Div'),
  mod,
  min: named('Min'),
  max: named('Max'),
  less: named('Less'),
  lessEqual: named('LessOrEqual'),
  equal: named('Equal'),
  where: named('Where'),
  cast: (l, node) => l.emitter.op('Cast', [l.value(operandOf(node, 0))], { to: onnxTypes[node.dtype] }),
};
