import type { GraphNode, OpName } from './graph.ts';
import { loadJax } from './jax.ts';
import type { JaxArray } from './jax.ts';
import type { Jax } from './agreement.fixture.ts';
import type { ArgumentSpec } from './trace.ts';
import { trace } from './trace.ts';

/** The nodes that a function of jax-js arrays becomes, operands before their users. */
export async function nodesOf(
  specs: readonly ArgumentSpec[],
  fn: (jax: Jax, ...inputs: JaxArray[]) => JaxArray | JaxArray[],
): Promise<GraphNode[]> {
  const jax = await loadJax();
  const outputs = await trace((...inputs) => fn(jax, ...inputs), specs);
  const found = new Set<GraphNode>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    stack.push(...node.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** Names of the operations that compute something, in order: leaves left out. */
export function opsOf(nodes: readonly GraphNode[]): OpName[] {
  return nodes.map((n) => n.op).filter((op) => op !== 'input' && op !== 'constant' && op !== 'uniform');
}

/** How often an operation occurs. */
export function countOf(nodes: readonly GraphNode[], op: OpName): number {
  return nodes.filter((n) => n.op === op).length;
}
