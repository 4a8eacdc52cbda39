import type { OperatorRule, OperatorRules } from '../call.ts';

/** Only the branch that is taken leaves anything behind. */
const branch: OperatorRule = (call) => {
  const taken = call.host(0).data[0] !== 0;
  return call.evaluate(taken ? 'then_branch' : 'else_branch');
};

/** Operators that hold graphs. Loops have no form here: exporters unroll them where sizes are fixed. */
export const controlRules: OperatorRules = { If: branch };
