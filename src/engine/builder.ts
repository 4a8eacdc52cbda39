import type { Tensor } from '../tensor/tensor.ts';
import type { GraphDType, GraphNode, OpAttributes, OpName } from './graph.ts';

/**
 * Makes graph nodes and gives back an existing one where an equal node was made before (common subexpressions).
 * Knows nothing of the algebra: that is in `simplify/`.
 */
export class GraphBuilder {
  readonly #nodes = new Map<string, GraphNode>();
  #next = 0;

  /** The node of this description; attributes must be JSON-able. */
  node<O extends OpName>(
    op: O,
    inputs: readonly GraphNode[],
    attributes: OpAttributes[O],
    shape: readonly number[],
    dtype: GraphDType,
  ): GraphNode<O> {
    const key = `${op} ${inputs.map((n) => n.id).join(',')} ${JSON.stringify(attributes)} ${shape.join(',')} ${dtype}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known as GraphNode<O>;
    const linear = inputs.some((n) => n.linear);
    const made: GraphNode<O> = { id: this.#next++, op, inputs, attributes, shape: [...shape], dtype, linear };
    this.#nodes.set(key, made);
    return made;
  }

  /** One value at every place of `shape`. */
  uniform(value: number, shape: readonly number[], dtype: GraphDType): GraphNode<'uniform'> {
    // 0 and -0 are one node, and a template writes both as 0; NaN and infinities, which JSON lacks, keep their names.
    return this.#leaf('uniform', `${value}`, { value }, shape, dtype, false);
  }

  /** A literal array, one node for each `Tensor` object. */
  constant(value: Tensor, dtype: GraphDType): GraphNode<'constant'> {
    return this.#leaf('constant', `#${this.#identity(value)}`, { value }, value.shape, dtype, false);
  }

  /** Argument `index` of the compiled function. */
  input(index: number, shape: readonly number[], dtype: GraphDType, linear: boolean): GraphNode<'input'> {
    return this.#leaf('input', `${index}`, { index, linear }, shape, dtype, linear);
  }

  readonly #identities = new Map<Tensor, number>();

  #identity(value: Tensor): number {
    const known = this.#identities.get(value);
    if (known !== undefined) return known;
    this.#identities.set(value, this.#identities.size);
    return this.#identities.size - 1;
  }

  #leaf<O extends 'uniform' | 'constant' | 'input'>(
    op: O,
    name: string,
    attributes: OpAttributes[O],
    shape: readonly number[],
    dtype: GraphDType,
    linear: boolean,
  ): GraphNode<O> {
    const key = `${op} ${name} ${shape.join(',')} ${dtype}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known as GraphNode<O>;
    const made: GraphNode<O> = { id: this.#next++, op, inputs: [], attributes, shape: [...shape], dtype, linear };
    this.#nodes.set(key, made);
    return made;
  }
}
