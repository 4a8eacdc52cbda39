import { ModelError } from '../../errors/errors.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../jax.ts';
import type { HostArray, OnnxModel } from './model.ts';
import { interpret } from './interpreter.ts';
import { supportedOperators } from './operators/table.ts';
import { unsupportedMessage, unsupportedNodes } from './read/support.ts';
import { joinGroupNormalizations } from './operators/written-out.ts';
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
  /** What messages call the model. */
  readonly name?: string;
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
  const { name = 'model', dtype = 'float32', fixed = {} } = options;
  const unsupported = unsupportedNodes(model, supportedOperators);
  if (unsupported.length > 0) throw new ModelError(name, unsupportedMessage(unsupported));
  const settings = settingsOf(model);
  const weights = [...model.weights].flatMap(([name, value]) => (settings.has(name) ? [] : [{ name, value }]));
  return {
    weights,
    apply(jax, arrays, inputs, outputs) {
      const known = new Map<string, OnnxValue>();
      for (const [name, value] of model.constants) known.set(name, { kind: 'host', ...value });
      for (const [name, value] of settings) known.set(name, { kind: 'host', ...value });
      for (const [name, value] of Object.entries(fixed)) known.set(name, { kind: 'host', ...value });
      weights.forEach(({ name }, i) => known.set(name, tracedValue(arrays[i] as JaxArray)));
      for (const [name, array] of Object.entries(inputs)) known.set(name, tracedValue(array));
      const open = model.inputs.find(({ name }) => !known.has(name));
      if (open !== undefined)
        throw new ModelError(`input '${open.name}'`, 'expected a value, got none. Name its role.');
      const nodes = joinGroupNormalizations(model.nodes, outputs);
      const results = interpret({ nodes, outputs }, known, { opset: model.opset, jax, dtype });
      const type = dtype === 'float32' ? jax.numpy.float32 : jax.numpy.float64;
      return results.map((value, i) => {
        if (value.kind === 'traced') return kindOf(value) === 'float' ? value.array : value.array.astype(type);
        throw new ModelError(`output '${outputs[i]}'`, 'does not depend on the inputs. Name another with --output.');
      });
    },
  };
}

/** Operands that decide on shapes, such as the scales of a Resize, by operator. */
const shaping: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2], OneHot: [2] };

/** Float arrays of the file on which such operands depend: they look like weights, but must be known while tracing. */
function settingsOf({ nodes, weights }: OnnxModel): Map<string, HostArray> {
  const needed = new Set<string>();
  for (const { operator, inputs, outputs } of nodes.toReversed()) {
    const isNeeded = outputs.some((name) => needed.has(name)) && operator !== 'Shape' && operator !== 'Size';
    inputs.forEach((name, i) => {
      if (isNeeded || shaping[operator]?.includes(i)) needed.add(name);
    });
  }
  const found = [...weights].filter(([name]) => needed.has(name));
  return new Map(
    found.map(([name, { shape, data }]) => [name, { type: 'float', shape, data: Float64Array.from(data) }]),
  );
}
