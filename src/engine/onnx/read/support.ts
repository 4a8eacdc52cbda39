import type { OnnxGraph, OnnxNode } from '../model.ts';

/** An operator of a model that cannot be differentiated here. */
export interface UnsupportedOperator {
  readonly operator: string;
  /** Names of its nodes. */
  readonly nodes: readonly string[];
  /** How to export the model without it. */
  readonly advice: string;
}

const fixedSizes = 'export with fixed sizes (no dynamic_axes), so that loops and branches unroll';
const fullPrecision = 'export the model in float32, without quantization';
const noNoise = 'export in evaluation mode, with noise as an input';
const noSelection = 'export the network alone, without the steps that select or sort results';
const noText = 'export the network alone, without tokenizers and other text steps';
const decomposed = 'export with opset_version=17, where it is written out in simpler operators';
const noFourier = 'export the network without Fourier transforms';

const advices: ReadonlyMap<string, string> = new Map(
  (
    [
      [
        fixedSizes,
        'If Loop Scan SequenceAt SequenceConstruct SequenceInsert SequenceEmpty SequenceLength SequenceMap SequenceErase',
      ],
      [
        fixedSizes,
        'ConcatFromSequence SplitToSequence Optional OptionalGetElement OptionalHasElement NonZero Compress Unique',
      ],
      [
        fullPrecision,
        'QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul ConvInteger MatMulInteger',
      ],
      [noNoise, 'RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli Multinomial'],
      [noSelection, 'NonMaxSuppression RoiAlign MaxRoiPool TopK ArgMax ArgMin'],
      [noText, 'StringNormalizer StringConcat StringSplit RegexFullMatch TfIdfVectorizer'],
      [decomposed, 'Attention RMSNormalization RotaryEmbedding Swish AffineGrid CenterCropPad Col2Im'],
      [noFourier, 'DFT STFT MelWeightMatrix HannWindow HammingWindow BlackmanWindow'],
    ] as const
  ).flatMap(([advice, operators]) => operators.split(' ').map((operator) => [operator, advice] as const)),
);
const generalAdvice = 'replace it in the exported module by operators of convolutional or attention networks';

const operatorsListed = 6;
const nodesListed = 3;

/** How often each operator occurs, most frequent first, those in branches and loops included. */
export function describeOperators(model: OnnxGraph): ReadonlyMap<string, number> {
  const counts = [...byOperator(model)].map(([operator, nodes]) => [operator, nodes.length] as const);
  return new Map(counts.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** The operators of a model that are not among `supported`, in the order of their first nodes. */
export function unsupportedNodes(model: OnnxGraph, supported: ReadonlySet<string>): UnsupportedOperator[] {
  return [...byOperator(model)]
    .filter(([operator]) => !supported.has(operator))
    .map(([operator, nodes]) => ({
      operator,
      nodes: nodes.map(({ name }) => name),
      advice: advices.get(operator) ?? generalAdvice,
    }));
}

/** All of it in one line of bounded length, for the end of an error message. */
export function unsupportedMessage(list: readonly UnsupportedOperator[]): string {
  const byAdvice = new Map<string, string[]>();
  for (const { operator, nodes, advice } of list.slice(0, operatorsListed)) {
    const some = nodes.slice(0, nodesListed).map((name) => (name.length > 60 ? `${name.slice(0, 60)}...` : name));
    const more = nodes.length > nodesListed ? ` and ${nodes.length - nodesListed} more` : '';
    byAdvice.set(advice, [...(byAdvice.get(advice) ?? []), `${operator} (${some.join(', ')}${more})`]);
  }
  const parts = [...byAdvice].map(([advice, operators]) => `${operators.join(', ')}: ${advice}`);
  const rest = list.length > operatorsListed ? ` And ${list.length - operatorsListed} more operators.` : '';
  return `uses operators that cannot be read. ${parts.join('; ')}.${rest}`;
}

function byOperator(graph: OnnxGraph): Map<string, OnnxNode[]> {
  const found = new Map<string, OnnxNode[]>();
  for (const node of allNodes(graph)) {
    const known = found.get(node.operator) ?? [];
    known.push(node);
    found.set(node.operator, known);
  }
  return found;
}

function* allNodes(graph: OnnxGraph): Generator<OnnxNode> {
  for (const node of graph.nodes) {
    yield node;
    for (const attribute of node.attributes.values()) {
      if (attribute.kind === 'graph') yield* allNodes(attribute.value);
    }
  }
}
