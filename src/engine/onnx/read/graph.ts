import type { FloatTensor } from '../../../tensor/tensor.ts';
import type { HostArray, OnnxAttribute, OnnxGraph, OnnxNode, OnnxValueInfo } from '../model.ts';
import type { StoredArrays } from './arrays.ts';
import type { ReadContext } from './context.ts';
import { quoted } from './context.ts';
import { foldConstant } from './constant.ts';
import { inOrder, usesOf } from './order.ts';
import type { RawAttribute, RawGraph, RawNode, RawTensor } from './raw.ts';

/** Where the names that a graph may use come from: undefined is nowhere, text says why a value cannot be used. */
type Origin = 'input' | 'known' | { readonly refused: string } | { readonly node: number };
type Lookup = (name: string) => Origin | undefined;

/**
 * Checks a graph and puts it in order, with constants folded and the branches of its nodes likewise.
 * @param outer  finds what the graphs around this one hold
 * @throws ModelError where a value is made twice or never, cannot be read, or depends on itself
 */
export function buildGraph(
  context: ReadContext,
  arrays: StoredArrays,
  raw: RawGraph,
  outer: Lookup = () => undefined,
): OnnxGraph {
  const builder = new GraphBuilder(context, arrays, outer);
  for (const stored of raw.initializers) builder.addArray(stored);
  for (const name of raw.sparse) builder.refuse(name, 'is a sparse array');
  const inputs = builder.addInputs(raw.inputs);
  const nodes = builder.addNodes(raw);
  for (const { name } of raw.outputs) builder.assertMade(name, 'an output of the graph');
  return { inputs, outputs: raw.outputs, nodes, weights: builder.weights, constants: builder.constants };
}

class GraphBuilder {
  readonly weights: Map<string, FloatTensor> = new Map();
  readonly constants: Map<string, HostArray> = new Map();
  readonly #context: ReadContext;
  readonly #arrays: StoredArrays;
  readonly #outer: Lookup;
  readonly #origins = new Map<string, Origin>();

  constructor(context: ReadContext, arrays: StoredArrays, outer: Lookup) {
    this.#context = context;
    this.#arrays = arrays;
    this.#outer = outer;
  }

  addArray(stored: RawTensor, name: string = stored.name): void {
    const problem = this.#arrays.problem(stored);
    if (problem !== undefined) return this.refuse(name, problem);
    this.#define(name, 'known');
    if (this.#arrays.isWeight(stored)) this.weights.set(name, this.#arrays.weight(stored));
    else this.constants.set(name, this.#arrays.host(stored));
  }

  /** Remembers a value that is an error only where it is used. */
  refuse(name: string, refused: string): void {
    this.#define(name, { refused });
  }

  /** The inputs that no array fills, as files of older versions list all arrays among the inputs. */
  addInputs(infos: readonly OnnxValueInfo[]): OnnxValueInfo[] {
    const free = infos.filter(({ name }) => !this.#origins.has(name));
    for (const { name } of free) this.#define(name, 'input');
    return free;
  }

  addNodes({ nodes: all, outputs }: RawGraph): OnnxNode[] {
    const nodes = all.filter((node) => !this.#fold(node));
    const makers = new Map<string, number>();
    nodes.forEach((node, i) => {
      for (const name of node.outputs) {
        if (name === '') continue;
        this.#define(name, { node: i });
        makers.set(name, i);
      }
    });
    const uses = nodes.map(usesOf);
    nodes.forEach((node, i) => {
      for (const name of uses[i] ?? []) this.assertMade(name, `used by node ${quoted(node.name)} (${node.operator})`);
    });
    const ordered = inOrder(this.#context, nodes, uses, makers).map((i) => nodes[i] as RawNode);
    const aliases = this.#aliases(ordered, new Set(outputs.map(({ name }) => name)));
    return ordered
      .filter((node) => !aliases.has(node.outputs[0] ?? ''))
      .map((node) => this.#finish(node, (name) => aliases.get(name) ?? name));
  }

  /** @throws ModelError unless the value exists and can be read */
  assertMade(name: string, role: string): void {
    const origin = this.#find(name);
    if (origin === undefined) {
      this.#context.fail(`value ${quoted(name)}, ${role}, is made by no node. The file is damaged: export it again.`);
    }
    if (typeof origin === 'object' && 'refused' in origin) {
      this.#context.fail(
        `value ${quoted(name)}, ${role}, ${origin.refused}, which cannot be read. Export it in float32.`,
      );
    }
  }

  #find(name: string): Origin | undefined {
    return this.#origins.get(name) ?? this.#outer(name);
  }

  #define(name: string, origin: Origin): void {
    if (this.#origins.has(name)) {
      this.#context.fail(`value ${quoted(name)} is made twice. The file is damaged: export it again.`);
    }
    this.#origins.set(name, origin);
  }

  /** Whether the node is a constant, which is then known. */
  #fold(node: RawNode): boolean {
    if (node.operator !== 'Constant' || node.domain !== '') return false;
    const name = node.outputs[0] ?? '';
    const value = foldConstant(this.#context, node);
    if ('refused' in value) this.refuse(name, value.refused);
    else if ('stored' in value) this.addArray(value.stored, name);
    else {
      this.#define(name, 'known');
      this.constants.set(name, value.constant);
    }
    return true;
  }

  /** What stands for the results of nodes that hand an array through, as exporters write for a weight used twice. */
  #aliases(nodes: readonly RawNode[], kept: ReadonlySet<string>): Map<string, string> {
    const aliases = new Map<string, string>();
    // Branches would have to be renamed too; no exporter writes both.
    if (nodes.some((node) => node.attributes.some(({ value }) => value.kind === 'graph'))) return aliases;
    for (const { operator, domain, inputs, outputs } of nodes) {
      const [from = '', to = ''] = [inputs[0], outputs[0]];
      const source = aliases.get(from) ?? from;
      if (operator !== 'Identity' || domain !== '' || to === '' || kept.has(to)) continue;
      if (this.#origins.get(source) === 'known') aliases.set(to, source);
    }
    return aliases;
  }

  #finish(node: RawNode, resolve: (name: string) => string): OnnxNode {
    const { name, operator, domain, outputs } = node;
    const attributes = new Map<string, OnnxAttribute>();
    for (const attribute of node.attributes) {
      const value = this.#attribute(node, attribute);
      if (value !== undefined) attributes.set(attribute.name, value);
    }
    return { name, operator, domain, inputs: node.inputs.map(resolve), outputs, attributes };
  }

  #attribute(node: RawNode, { name, reference, value }: RawAttribute): OnnxAttribute | undefined {
    const where = `attribute ${quoted(name)} of node ${quoted(node.name)} (${node.operator})`;
    if (reference !== '') this.#context.fail(`${where} refers to a function that is not there. Export it again.`);
    switch (value.kind) {
      case 'unread':
        return undefined; // lists of arrays and of graphs, and types: no operator that can be read takes them
      case 'graph':
        return { kind: 'graph', value: buildGraph(this.#context, this.#arrays, value.value, (n) => this.#find(n)) };
      case 'tensor': {
        const problem = this.#arrays.problem(value.value);
        if (problem !== undefined)
          this.#context.fail(`${where} ${problem}, which cannot be read. Export it in float32.`);
        return { kind: 'tensor', value: this.#arrays.host(value.value) };
      }
      default:
        return value;
    }
  }
}
