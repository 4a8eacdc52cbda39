import type { ReadContext } from './context.ts';
import { quoted } from './context.ts';
import type { RawGraph, RawNode } from './raw.ts';

/** Names that a graph takes from around it. */
export function capturesOf(graph: RawGraph): Set<string> {
  const made = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
  for (const name of graph.sparse) made.add(name);
  for (const node of graph.nodes) for (const name of node.outputs) made.add(name);
  const captures = new Set<string>();
  const used = (name: string): unknown => made.has(name) || captures.add(name);
  for (const node of graph.nodes) for (const name of usesOf(node)) used(name);
  for (const { name } of graph.outputs) used(name);
  return captures;
}

/** Names that a node uses, those of its branches included. */
export function usesOf(node: RawNode): readonly string[] {
  const captures = node.attributes.flatMap(({ value }) => (value.kind === 'graph' ? [...capturesOf(value.value)] : []));
  return [...node.inputs, ...captures].filter((name) => name !== '');
}

/**
 * The nodes so that every value is made before it is used; nodes that are in such an order stay as they are.
 * @param uses  names used by each node
 * @param makers  place of the node that makes a value, for values made by nodes of this list
 * @throws ModelError naming a node that waits for itself
 */
export function inOrder(
  context: ReadContext,
  nodes: readonly RawNode[],
  uses: readonly (readonly string[])[],
  makers: ReadonlyMap<string, number>,
): number[] {
  const ordered: number[] = [];
  const state = new Uint8Array(nodes.length); // 1: waits for its operands, 2: done
  const next = new Uint32Array(nodes.length); // operand to look at
  const waiting: number[] = []; // in place of recursion: chains are as long as the file
  for (let first = 0; first < nodes.length; first++) {
    if (state[first] === 0) waiting.push(first);
    while (waiting.length > 0) {
      const at = waiting[waiting.length - 1] as number;
      state[at] = 1;
      const operand = next[at] as number;
      next[at] = operand + 1;
      const name = uses[at]?.[operand];
      if (name === undefined) {
        state[at] = 2;
        ordered.push(at);
        waiting.pop();
        continue;
      }
      const maker = makers.get(name);
      if (maker === undefined || state[maker] === 2) continue;
      if (state[maker] === 1) {
        context.fail(
          `node ${quoted(nodes[maker]?.name ?? '')} waits for its own result ${quoted(name)}: the graph runs in a circle. Export it again.`,
        );
      }
      waiting.push(maker);
    }
  }
  return ordered;
}
