import type { OperatorRules } from '../call.ts';
import { activationRules } from './activation.ts';
import { attentionRules } from './attention.ts';
import { convolutionRules } from './convolution.ts';
import { einsumRules } from './einsum.ts';
import { matmulRules } from './matmul.ts';
import { normalizationRules } from './normalization.ts';
import { poolingRules } from './pooling.ts';
import { resizeRules } from './resize.ts';
import { controlRules } from './control.ts';
import { indexingRules } from './indexing.ts';
import { logicRules } from './logic.ts';
import { movementRules } from './movement.ts';
import { reductionRules } from './reduction.ts';
import { shapeRules } from './shape.ts';
import { elementwiseRules } from './elementwise.ts';
import { writtenOutRules } from './written-out.ts';

/** Every operator that a file may hold. */
const readable: OperatorRules = {
  ...activationRules,
  ...attentionRules,
  ...convolutionRules,
  ...einsumRules,
  ...matmulRules,
  ...normalizationRules,
  ...poolingRules,
  ...resizeRules,
  ...controlRules,
  ...indexingRules,
  ...logicRules,
  ...movementRules,
  ...reductionRules,
  ...shapeRules,
  ...elementwiseRules,
};

/** Those of files, and what the importer puts into a graph itself. */
export const operatorRules: OperatorRules = { ...readable, ...writtenOutRules };

/** Names of the operators that a file may hold. */
export const supportedOperators: ReadonlySet<string> = new Set(Object.keys(readable));
