import type { Jaxpr } from '@jax-js/jax';
import { LoweringError } from '../../errors/errors.ts';
import { showShape } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { GraphDType, GraphNode } from '../graph.ts';
import type { ReadParameters } from './primitives.ts';
import { isPrimitive, primitives } from './primitives.ts';

interface Aval {
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** A variable or scalar literal of a jaxpr, as far as it is read here. */
interface Atom {
  readonly aval: Aval;
  readonly value?: number | boolean;
}

/**
 * Builds the graph of a jaxpr, inner `jit` calls inlined.
 * @param jaxpr  traced program
 * @param inputs  one node a binder, in order
 * @returns one node an output
 * @throws LoweringError naming the primitive, the shapes and the equation that cannot be read
 */
export function readJaxpr(g: GraphBuilder, jaxpr: Jaxpr, inputs: readonly GraphNode[], path: string = ''): GraphNode[] {
  const known = new Map<Atom, GraphNode>();
  jaxpr.inBinders.forEach((binder, i) => known.set(binder, inputs[i] as GraphNode));
  const read = (atom: Atom): GraphNode =>
    known.get(atom) ?? g.uniform(Number(atom.value), atom.aval.shape, toGraphDType(atom.aval.dtype, path));
  jaxpr.eqns.forEach((equation, i) => {
    const where = `${path}equation ${i + 1}`;
    const operands = equation.inputs.map(read);
    const outputs = equation.outBinders.map((o) => ({ shape: o.aval.shape, dtype: o.aval.dtype }));
    const name: string = equation.primitive;
    const results =
      name === 'jit'
        ? readJaxpr(g, equation.params.jaxpr as Jaxpr, operands, `${where} (${equation.params.name}) > `)
        : readEquation(g, name, operands, outputs, equation.params as ReadParameters, where);
    equation.outBinders.forEach((binder, k) => known.set(binder, results[k] as GraphNode));
  });
  return jaxpr.outs.map(read);
}

function readEquation(
  g: GraphBuilder,
  name: string,
  operands: GraphNode[],
  outputs: readonly Aval[],
  parameters: ReadParameters,
  where: string,
): GraphNode[] {
  const describe = `${name}(${operands.map((o) => `${o.dtype}${showShape(o.shape)}`).join(', ')}) at ${where}`;
  const primitive = isPrimitive(name) ? primitives[name] : undefined;
  if (primitive === undefined) {
    throw new LoweringError('compile', `no ONNX form for ${describe}. Rewrite the function without it.`, {
      details: { primitive: name, shapes: operands.map((o) => o.shape), where },
    });
  }
  const shapes = outputs.map((o) => ({ shape: o.shape, dtype: toGraphDType(o.dtype, describe) }));
  const result = primitive(g, operands, parameters, shapes);
  const results = Array.isArray(result) ? result : [result];
  results.forEach((r: GraphNode, i) => {
    const wanted = shapes[i]?.shape ?? [];
    if (r.shape.length !== wanted.length || r.shape.some((d, k) => d !== wanted[k])) {
      throw new LoweringError('compile', `${describe} became ${showShape(r.shape)} instead of ${showShape(wanted)}.`);
    }
  });
  return results;
}

/** @throws LoweringError for element types without a place in the graph */
export function toGraphDType(dtype: string, where: string): GraphDType {
  if (dtype === 'float32' || dtype === 'float64' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new LoweringError('compile', `element type ${dtype} has no ONNX form here (${where}). Use float32 or float64.`);
}
