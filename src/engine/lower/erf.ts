import type { GraphNode } from '../graph.ts';
import type { Lowering } from './rule.ts';
import { operandOf } from './rule.ts';

/**
 * Chebyshev coefficients of ln(erfc(z)) + z^2 - ln(t) in t = 2 / (2 + z) for z >= 0, computed with 40 digits at 60 Chebyshev nodes.
 * Summed in float64 they give erf to 4e-16.
 */
const coefficients = [
  -1.3026537197817094, 0.6419697923564902, 0.019476473204185836, -0.009561514786808632, -0.0009465953444820369,
  0.00036683949785276145, 4.252332480690777e-5, -2.0278578112534242e-5, -1.6242900046470256e-6, 1.3036558355805232e-6,
  1.5626441722066142e-8, -8.523809591492654e-8, 6.5290544390988515e-9, 5.059343495551469e-9, -9.91364156493033e-10,
  -2.273651222931836e-10, 9.646791102015527e-11, 2.3940380830391146e-12, -6.886027526497553e-12, 8.944879273090725e-13,
  3.130921399342958e-13, -1.1270822361367252e-13, 3.810905255189232e-16, 7.106097613609237e-15, -1.5230282014571043e-15,
  -9.457494571291233e-17, 1.210237189224279e-16, -2.816663087747177e-17,
] as const; // prettier-ignore

/** erf: the runtime's own kernel in float32; it has none in float64, where erf(x) = sign(x) (1 - t exp(-x^2 + sum)) is written out. */
export function lowerErf(l: Lowering, node: GraphNode): string {
  const x = l.value(operandOf(node, 0));
  if (node.dtype !== 'float64') return l.emitter.op('Erf', [x]);
  const { emitter } = l;
  const number = (value: number): string => emitter.scalar(value, 'float64');
  const op = (name: string, a: string, b: string): string => emitter.op(name, [a, b]);
  const size = emitter.op('Abs', [x]);
  const t = op('Div', number(2), op('Add', size, number(2)));
  // Clenshaw's recurrence on [0, 1]: d_k = (4 t - 2) d_{k+1} - d_{k+2} + c_k.
  const y = op('Sub', op('Mul', t, number(4)), number(2));
  let d = number(coefficients[coefficients.length - 1] as number);
  let before = number(0);
  for (let k = coefficients.length - 2; k > 0; k--) {
    const next = op('Add', op('Sub', op('Mul', y, d), before), number(coefficients[k] as number));
    [d, before] = [next, d];
  }
  const sum = op('Sub', op('Mul', op('Add', op('Mul', y, d), number(coefficients[0])), number(0.5)), before);
  const complement = op('Mul', t, emitter.op('Exp', [op('Sub', sum, op('Mul', x, x))]));
  return op('Mul', emitter.op('Sign', [x]), op('Sub', number(1), complement));
}
