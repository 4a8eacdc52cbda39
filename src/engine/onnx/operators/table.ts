import type { OperatorRules } from '../call.ts';
import { elementwiseRules } from './elementwise.ts';

/** Every operator that can be read. */
export const operatorRules: OperatorRules = { ...elementwiseRules };
