import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { tracedValue } from '../value.ts';

/** Terms of the operands and of the result, the ellipsis written as '.'. */
interface Equation {
  readonly terms: readonly string[];
  readonly result: string;
}

/** Reads `ab,bc->ac`, or `ab,bc` whose result is the ellipsis and the labels that occur once, in the order of the alphabet. */
function equationOf(call: OperatorCall): Equation {
  const compact = call.string('equation').replaceAll(' ', '').replaceAll('...', '.');
  const [left = '', right] = compact.split('->');
  const terms = left.split(',');
  if (terms.length !== call.inputs.length) call.fail(`has ${call.inputs.length} operands for '${compact}'.`);
  const letters = [...left.replaceAll(',', '')];
  const single = [...new Set(letters)].filter((c) => c !== '.' && letters.indexOf(c) === letters.lastIndexOf(c)).sort();
  const implicit = (letters.includes('.') ? '.' : '') + single.join('');
  const result = right ?? implicit;
  terms.forEach((term, i) => {
    if (new Set(term).size !== term.length) call.fail(`takes a diagonal in '${compact}', which cannot be read.`);
    const rank = call.shape(i).length;
    if (term.includes('.') ? rank < term.length - 1 : rank !== term.length) {
      call.fail(`has an operand of rank ${rank} for '${term}'.`);
    }
  });
  return { terms, result };
}

const einsum: OperatorRule = (call) => {
  const { terms, result } = equationOf(call);
  const spelled = (term: string): string => term.replace('.', '...');
  const equation = `${terms.map(spelled).join(',')}->${spelled(result)}`;
  return tracedValue(call.jax.numpy.einsum(equation, ...terms.map((_, i) => call.array(i))));
};

/** Sums of products by labelled axes. */
export const einsumRules: OperatorRules = { Einsum: einsum };
