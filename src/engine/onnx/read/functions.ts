import type { ReadContext } from './context.ts';
import { printable, quoted } from './context.ts';
import { deepestGraph } from './decode.ts';
import type { RawAttribute, RawFunction, RawGraph, RawModel, RawNode, RawTensor, RawValue } from './raw.ts';

/** Functions that call functions: exporters write two or three levels. */
const deepestCall = 32;
const longestName = 200;
const remedy = 'Export with dynamo=False, or inline the functions with onnx.inliner.';

/** How many calls and branches a node lies in. */
interface Place {
  readonly calls: number;
  readonly graphs: number;
}

/**
 * The graph with every call of one of the model's own functions replaced by its nodes, as newer exporters of PyTorch leave them.
 * @throws ModelError where a function calls itself, or was written for another version of ONNX's operators
 */
export function inlineFunctions(context: ReadContext, model: RawModel, graph: RawGraph): RawGraph {
  if (model.functions.length === 0) return graph;
  const functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
  const opset = model.opsets.get('');
  let count = 0;

  const expandAll = (nodes: readonly RawNode[], place: Place): RawNode[] =>
    nodes.flatMap((node) =>
      expand(
        withGraphs(node, (inner) => expandGraph(inner, { ...place, graphs: place.graphs + 1 })),
        place,
      ),
    );

  const expandGraph = (inner: RawGraph, place: Place): RawGraph => {
    if (place.graphs > deepestGraph) context.fail(`nests more than ${deepestGraph} branches and loops. ${remedy}`);
    return { ...inner, nodes: expandAll(inner.nodes, place) };
  };

  const expand = (node: RawNode, place: Place): RawNode[] => {
    const called = functions.get(keyOf(node.domain, node.operator, node.overload));
    if (called === undefined) return [node];
    const version = called.opsets.get('');
    if (version !== undefined && version !== opset) {
      context.fail(`function ${quoted(called.name)} uses opset ${version}, the model ${opset ?? 'none'}. ${remedy}`);
    }
    if (place.calls === deepestCall)
      context.fail(`function ${quoted(called.name)} calls itself or nests too deep. ${remedy}`);
    return expandAll(bodyOf(context, called, node, count++), { ...place, calls: place.calls + 1 });
  };

  return expandGraph(graph, { calls: 0, graphs: 0 });
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, printable(name), overload]);
}

/** Nodes of a function for one call, under names of their own. */
function bodyOf(context: ReadContext, called: RawFunction, call: RawNode, index: number): RawNode[] {
  const names = new Map(called.inputs.map((name, i) => [name, call.inputs[i] ?? '']));
  const copies: RawNode[] = [];
  called.outputs.forEach((name, i) => {
    const output = call.outputs[i] ?? '';
    if (output === '') return;
    if (!names.has(name)) names.set(name, output);
    else copies.push(copyNode(call.name, names.get(name) as string, output)); // an input handed through, or one value given twice
  });
  names.set('', '');
  const rename = (name: string): string => {
    context.spend(1 + name.length / 16);
    return names.get(name) ?? `call ${index}/${name}`;
  };
  const given = new Map([...called.defaults, ...call.attributes].map((attribute) => [attribute.name, attribute]));
  return [...called.nodes.map((node) => instantiate(context, node, call.name, rename, given)), ...copies];
}

function copyNode(name: string, input: string, output: string): RawNode {
  return { name, operator: 'Identity', domain: '', overload: '', inputs: [input], outputs: [output], attributes: [] };
}

/** A node of a function's body with its values renamed and its attributes bound. */
function instantiate(
  context: ReadContext,
  node: RawNode,
  caller: string,
  rename: (name: string) => string,
  given: ReadonlyMap<string, RawAttribute>,
): RawNode {
  context.spendMessage();
  const within = (inner: RawGraph): RawGraph => ({
    nodes: inner.nodes.map((n) => instantiate(context, n, caller, rename, given)),
    initializers: inner.initializers.map((t): RawTensor => ({ ...t, name: rename(t.name) })),
    sparse: inner.sparse.map(rename),
    inputs: inner.inputs.map((v) => ({ ...v, name: rename(v.name) })),
    outputs: inner.outputs.map((v) => ({ ...v, name: rename(v.name) })),
  });
  const attributes = node.attributes.flatMap(({ name, reference, value }): RawAttribute[] => {
    if (value.kind === 'graph') return [{ name, reference, value: { kind: 'graph', value: within(value.value) } }];
    const bound = reference === '' ? value : given.get(reference)?.value;
    if (bound === undefined) return []; // left out by the caller and without default: left out here
    context.spend(lengthOf(bound));
    return [{ name, reference: '', value: bound }];
  });
  return {
    ...node,
    name: `${caller}/${node.name}`.slice(0, longestName),
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes,
  };
}

function lengthOf(value: RawValue): number {
  return value.kind === 'ints' || value.kind === 'floats' || value.kind === 'strings' ? value.value.length : 1;
}

/** The node with its branches and loop bodies replaced. */
function withGraphs(node: RawNode, replace: (inner: RawGraph) => RawGraph): RawNode {
  const attributes = node.attributes.map((attribute): RawAttribute => {
    const { value } = attribute;
    return value.kind === 'graph' ? { ...attribute, value: { kind: 'graph', value: replace(value.value) } } : attribute;
  });
  return { ...node, attributes };
}
