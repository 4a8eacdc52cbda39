import { ModelError } from '../../errors/errors.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../jax.ts';
import type { HostArray, OnnxModel, OnnxNode } from './model.ts';
import { interpret } from './interpreter.ts';
import { operatorRules } from './operators/table.ts';
import type { OnnxValue } from './value.ts';
import { kindOf, tracedValue } from './value.ts';

/** A foreign graph as a function that jax-js traces and differentiates. */
export interface OnnxFunction {
  /** Weights in the order in which `apply` takes them. */
  readonly weights: readonly { readonly name: string; readonly value: FloatTensor }[];
  /**
   * @param weights  arrays of `dtype`, not consumed
   * @param inputs  run-time inputs by name; not consumed. Every input is here or among the fixed ones
   * @returns the named outputs, floats in `dtype`
   * @throws ModelError naming an input without a value, a node that cannot be traced, or an output that depends on nothing
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
  checkOperators(model.nodes);
  const weights = [...model.weights].map(([name, value]) => ({ name, value }));
  return {
    weights,
    apply(jax, arrays, inputs, outputs) {
      const known = new Map<string, OnnxValue>();
      for (const [name, value] of model.constants) known.set(name, { kind: 'host', ...value });
      for (const [name, value] of Object.entries(fixed)) known.set(name, { kind: 'host', ...value });
      weights.forEach(({ name }, i) => known.set(name, tracedValue(arrays[i] as JaxArray)));
      for (const [name, array] of Object.entries(inputs)) known.set(name, tracedValue(array));
      const open = model.inputs.find(({ name }) => !known.has(name));
      if (open !== undefined)
        throw new ModelError(`input '${open.name}'`, 'expected a value, got none. Name its role.');
      const results = interpret({ nodes: model.nodes, outputs }, known, { opset: model.opset, jax, dtype });
      const type = dtype === 'float32' ? jax.numpy.float32 : jax.numpy.float64;
      return results.map((value, i) => {
        if (value.kind === 'traced') return kindOf(value) === 'float' ? value.array : value.array.astype(type);
        throw new ModelError(`output '${outputs[i]}'`, 'does not depend on the inputs. Name another with --output.');
      });
    },
  };
}

/** At most so many nodes of one operator are named. */
const namesShown = 3;

function checkOperators(nodes: readonly OnnxNode[]): void {
  const unknown = nodes.filter(({ operator }) => !Object.hasOwn(operatorRules, operator));
  if (unknown.length === 0) return;
  const list = [...Map.groupBy(unknown, ({ operator }) => operator)].map(([operator, group]) => {
    const names = group.slice(0, namesShown).map(({ name }) => `'${name}'`);
    const rest = group.length > namesShown ? ` and ${group.length - namesShown} more` : '';
    return `${operator} (${names.join(', ')}${rest})`;
  });
  const advice = unknown.some(({ operator }) => /^(Loop|Scan|Sequence|SplitToSequence)/.test(operator))
    ? 'Export by tracing, without torch.jit.script and with fixed sizes: loops are then unrolled.'
    : 'Export with opset_version=17, or rewrite these parts of the network.';
  throw new ModelError('model', `holds operators that cannot be read: ${list.join(', ')}. ${advice}`, {
    details: { nodes: unknown.map(({ name, operator }) => ({ name, operator })) },
  });
}
