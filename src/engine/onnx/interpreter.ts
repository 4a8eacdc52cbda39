import { ModelError } from '../../errors/errors.ts';
import type { OperatorContext } from './call.ts';
import { lift, OperatorCall } from './call.ts';
import type { OnnxGraph, OnnxNode } from './model.ts';
import { operatorRules } from './operators/table.ts';
import type { OnnxValue } from './value.ts';
import { tracedValue } from './value.ts';

/** What is run: nodes in order, and the values wanted from them. */
interface Program {
  readonly nodes: readonly OnnxNode[];
  readonly outputs: readonly string[];
}

/**
 * Runs nodes one after another. A traced value lives until its last use: what jax-js evaluates then needs no more memory than it must.
 * @param around  values known before: inputs, weights, constants, or those around a subgraph; not consumed
 * @returns the outputs, references of the caller's own
 * @throws ModelError naming the node that cannot be traced
 */
export function interpret(
  { nodes, outputs }: Program,
  around: ReadonlyMap<string, OnnxValue>,
  context: OperatorContext,
): OnnxValue[] {
  const own = new Map<string, OnnxValue>();
  const lookUp = (name: string): OnnxValue | undefined => own.get(name) ?? around.get(name);
  const drop = (name: string): void => {
    const value = own.get(name);
    if (value?.kind === 'traced') value.array.dispose();
    own.delete(name);
  };
  const last = lastUses(nodes, outputs);
  const inner: OperatorContext = {
    ...context,
    evaluate: (graph) => evaluateSubgraph(graph, new Map([...around, ...own]), context),
  };
  try {
    nodes.forEach((node, i) => {
      const call = new OperatorCall(node, node.inputs.map(lookUp), inner);
      const rule = operatorRules[node.operator] ?? call.fail('is not an operator that can be read.');
      const results = rule(call);
      const list = 'kind' in results ? [results] : results;
      list.forEach((value, k) => own.set(node.outputs[k] || `${i}:${k}`, value));
      for (const name of [...usedBy(node), ...node.outputs, ...list.map((_, k) => `${i}:${k}`)]) {
        if ((last.get(name) ?? -1) <= i) drop(name);
      }
    });
    return outputs.map((name) => fresh(lookUp(name), name));
  } finally {
    for (const name of [...own.keys()]) drop(name);
  }
}

function fresh(value: OnnxValue | undefined, name: string): OnnxValue {
  if (value === undefined) throw new ModelError(`output '${name}'`, 'expected a value of the graph, found none.');
  return value.kind === 'host' ? value : tracedValue(value.array.ref);
}

/** Initializers of a subgraph are few and small: they are built in. */
function evaluateSubgraph(
  { nodes, outputs, constants, weights }: OnnxGraph,
  around: Map<string, OnnxValue>,
  context: OperatorContext,
): OnnxValue[] {
  for (const [name, value] of constants) around.set(name, { kind: 'host', ...value });
  const built = [...weights].map(([name, { shape, data }]) => {
    const host = { kind: 'host', type: 'float', shape, data: Float64Array.from(data) } as const;
    const array = lift(context.jax, host, context.dtype);
    around.set(name, tracedValue(array));
    return array;
  });
  const results = interpret({ nodes, outputs: outputs.map(({ name }) => name) }, around, context);
  for (const array of built) array.dispose();
  return results;
}

/** Where each value is used for the last time; outputs are used after everything. */
function lastUses(nodes: readonly OnnxNode[], outputs: readonly string[]): Map<string, number> {
  const last = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const name of usedBy(node)) last.set(name, i);
  });
  for (const name of outputs) last.set(name, nodes.length);
  return last;
}

/** Names that a node reads, those that its subgraphs see among them. */
function usedBy(node: OnnxNode): string[] {
  const inner = [...node.attributes.values()].flatMap((attribute) =>
    attribute.kind === 'graph'
      ? [...attribute.value.nodes.flatMap(usedBy), ...attribute.value.outputs.map(({ name }) => name)]
      : [],
  );
  return [...node.inputs, ...inner];
}
