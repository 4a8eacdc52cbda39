import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import type { OnnxAttribute, OnnxNode } from '../model.ts';
import { tracedValue } from '../value.ts';
import { groupNormalization } from './normalization.ts';

/** Operator that stands for the five nodes of a written out group normalization; no exporter can write the spaces of its name. */
const operator = 'GroupNormalization in five nodes';

/**
 * Joins what PyTorch exports for a group normalization before opset 21: Reshape to [N, groups, -1], InstanceNormalization, Reshape
 * back, Mul and Add of one number a channel. As one node, a tangent passes through half as many operations of full size.
 * @param outputs  names that are asked for: they stay
 * @returns the nodes, five of them replaced by one wherever nothing else uses what lies between them
 */
export function joinGroupNormalizations(nodes: readonly OnnxNode[], outputs: readonly string[]): readonly OnnxNode[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const users = usersOf(nodes);
  const asked = new Set(outputs);
  const joined = new Map<OnnxNode, OnnxNode>();
  const gone = new Set<OnnxNode>();
  const onlyUser = (node: OnnxNode | undefined, kind: string): OnnxNode | undefined => {
    const [name = '', ...others] = node?.outputs ?? [];
    const [user, ...rest] = users.get(name) ?? [];
    const isOnly = user?.operator === kind && rest.length === 0 && others.length === 0 && !asked.has(name);
    return isOnly ? user : undefined;
  };
  for (const middle of nodes) {
    if (middle.operator !== 'InstanceNormalization') continue;
    const first = makers.get(middle.inputs[0] ?? '');
    const back = onlyUser(middle, 'Reshape');
    const scaled = onlyUser(back, 'Mul');
    const shifted = onlyUser(scaled, 'Add');
    if (first?.operator !== 'Reshape' || onlyUser(first, middle.operator) !== middle) continue;
    if (back === undefined || scaled === undefined || shifted === undefined) continue;
    if (back.inputs[0] !== middle.outputs[0]) continue;
    joined.set(shifted, asOne([first, middle, back, scaled, shifted]));
    for (const node of [first, middle, back, scaled]) gone.add(node);
  }
  return nodes.filter((node) => !gone.has(node)).map((node) => joined.get(node) ?? node);
}

/** Nodes that read each value, once for every time; those inside subgraphs count for the node that holds them. */
function usersOf(nodes: readonly OnnxNode[]): Map<string, OnnxNode[]> {
  const users = new Map<string, OnnxNode[]>();
  const visit = (node: OnnxNode, holder: OnnxNode): void => {
    for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), holder]);
    for (const attribute of node.attributes.values()) {
      if (attribute.kind !== 'graph') continue;
      for (const inner of attribute.value.nodes) visit(inner, holder);
      for (const { name } of attribute.value.outputs) users.set(name, [...(users.get(name) ?? []), holder]);
    }
  };
  for (const node of nodes) visit(node, node);
  return users;
}

type Five = readonly [OnnxNode, OnnxNode, OnnxNode, OnnxNode, OnnxNode];

/** The other operand of a product or sum. */
const besides = (node: OnnxNode, previous: OnnxNode): string =>
  node.inputs.find((name) => name !== previous.outputs[0]) ?? '';

function asOne(nodes: Five): OnnxNode {
  const [first, middle, back, scaled, shifted] = nodes;
  const outputs = shifted.outputs.map((name) => ({ name, elementType: 'float32', shape: undefined }));
  const written: OnnxAttribute = {
    kind: 'graph',
    value: { inputs: [], outputs, nodes, weights: new Map(), constants: new Map() },
  };
  return {
    name: middle.name,
    operator,
    domain: '',
    inputs: [
      ...first.inputs.slice(0, 2),
      ...middle.inputs.slice(1, 3),
      back.inputs[1] ?? '',
      besides(scaled, back),
      besides(shifted, scaled),
    ],
    outputs: shifted.outputs,
    attributes: new Map([...middle.attributes, ['written', written]]),
  };
}

/** Groups, where the shapes are those of a group normalization. */
function groupsOf(call: OperatorCall): number | undefined {
  const shape = call.shape(0);
  const [n, c] = shape as [number, number];
  if (shape.length < 3 || call.value(1).kind !== 'host' || call.value(4).kind !== 'host') return undefined;
  const [batch, groups = 0, rest, ...more] = call.integers(1);
  const size = shape.reduce((a, b) => a * b, 1);
  const isGrouped = groups > 0 && c % groups === 0 && (batch === 0 || batch === n) && more.length === 0;
  const isWhole = rest === -1 || (rest as number) * groups * n === size;
  const back = call.integers(4);
  const isBack =
    back.length === shape.length && back.every((d, i) => d === shape[i] || d === -1 || (d === 0 && i === 0));
  const isAffine = [5, 6].every((i) => isPerChannel(call.shape(i), shape));
  return isGrouped && isWhole && isBack && isAffine ? groups : undefined;
}

/** Whether an operand has one number a channel for an image of this shape. */
function isPerChannel(shape: readonly number[], image: readonly number[]): boolean {
  const lifted = [...Array<number>(Math.max(image.length - shape.length, 0)).fill(1), ...shape];
  return lifted.length === image.length && lifted.every((d, i) => d === (i === 1 ? image[1] : 1));
}

const writtenOut: OperatorRule = (call) => {
  const groups = groupsOf(call);
  if (groups === undefined) return call.evaluate('written');
  const x = call.array(0);
  const channels = x.shape[1] as number;
  const own = (index: number) => call.jax.numpy.repeat(call.array(index), channels / groups);
  const factor = call.array(5).reshape([channels]);
  const gain = own(2).mul(factor.ref);
  const offset = own(3)
    .mul(factor)
    .add(call.array(6).reshape([channels]));
  return tracedValue(groupNormalization(call, x, groups, gain, offset));
};

/** What `joinGroupNormalizations` makes. */
export const writtenOutRules: OperatorRules = { [operator]: writtenOut };
