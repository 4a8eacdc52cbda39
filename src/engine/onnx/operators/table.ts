import type { OperatorRules } from '../call.ts';

/** Every operator that can be read. */
export const operatorRules: OperatorRules = {};
