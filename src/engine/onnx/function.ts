import { ModelError } from '../../errors/errors.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../jax.ts';
import { OperatorCall } from './call.ts';
import type { HostArray, OnnxModel, OnnxNode } from './model.ts';
import { operatorRules } from './operators/table.ts';
import type { OnnxValue } from './value.ts';
import { tracedValue } from './value.ts';

/** A foreign graph as a function that jax-js traces and differentiates. */
export interface OnnxFunction {
  /** Weights in the order in which `apply` takes them. */
  readonly weights: readonly { readonly name: string; readonly value: FloatTensor }[];
  /**
   * @param weights  arrays of `dtype`, not consumed
   * @param inputs  run-time inputs by name; not consumed. Every input is here or among the fixed ones
   * @returns the named outputs, floats in `dtype`
   */
  apply(
    jax: JaxLibrary,
    weights: readonly JaxArray[],
    inputs: Readonly<Record<string, JaxArray>>,
    outputs: readonly string[],
  ): JaxArray[];
}

/** How a foreign graph is to be traced. */
export interface OnnxFunctionOptions {
  /** Default float32. */
  readonly dtype?: FloatDType;
  /** Inputs that never change, such as a class label: everything that depends on them alone is computed while tracing. */
  readonly fixed?: Readonly<Record<string, HostArray>>;
}

/**
 * The traceable function of a model. Shapes come from the arrays that `apply` is given: shape arithmetic is done while tracing and leaves
 * nothing behind.
 * @throws ModelError naming, all at once, the nodes whose operators are not known
 */
export function onnxFunction(model: OnnxModel, options: OnnxFunctionOptions = {}): OnnxFunction {
  const { dtype = 'float32', fixed = {} } = options;
  const weights = [...model.weights].map(([name, value]) => ({ name, value }));
  return {
    weights,
    apply(jax, arrays, inputs, outputs) {
      const known = new Map<string, OnnxValue>();
      for (const [name, value] of model.constants) known.set(name, { kind: 'host', ...value });
      for (const [name, value] of Object.entries(fixed)) known.set(name, { kind: 'host', ...value });
      weights.forEach(({ name }, i) => known.set(name, tracedValue(arrays[i] as JaxArray)));
      for (const [name, array] of Object.entries(inputs)) known.set(name, tracedValue(array));
      for (const node of model.nodes) run(node, known, { opset: model.opset, jax, dtype });
      return outputs.map((name) => {
        const value = known.get(name);
        if (value?.kind === 'traced') return value.array;
        throw new ModelError(`output '${name}'`, 'does not depend on the inputs. Name another with --output.');
      });
    },
  };
}

function run(
  node: OnnxNode,
  known: Map<string, OnnxValue>,
  context: { readonly opset: number; readonly jax: JaxLibrary; readonly dtype: FloatDType },
): void {
  const inputs = node.inputs.map((name) => (name === '' ? undefined : known.get(name)));
  const call = new OperatorCall(node, inputs, context);
  const rule = operatorRules[node.operator] ?? call.fail('is not an operator that can be read.');
  const results = rule(call);
  const list = 'kind' in results ? [results] : results;
  node.outputs.forEach((name, i) => {
    const value = list[i];
    if (name !== '' && value !== undefined) known.set(name, value);
  });
}
