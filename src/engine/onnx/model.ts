import type { FloatTensor } from '../../tensor/tensor.ts';

/** An array known before anything runs. Integers and booleans are doubles: exact to 2^53, beyond it saturated as sizes and ends may be. */
export interface HostArray {
  readonly type: 'float' | 'int' | 'bool';
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Value of a node attribute; a subgraph keeps its nodes and outputs. */
export type OnnxAttribute =
  | { readonly kind: 'int' | 'float'; readonly value: number }
  | { readonly kind: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: HostArray }
  | { readonly kind: 'graph'; readonly value: OnnxGraph };

/** One operation of a foreign graph. */
export interface OnnxNode {
  /** What the exporter called it, fit for a message of one line; its operator and place in the graph where it has no name. */
  readonly name: string;
  readonly operator: string;
  /** '' is ONNX's own set of operators. */
  readonly domain: string;
  /** Names of values; '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A size: a number, or a name where the exporter left it open ('' without one). */
export type OnnxDimension = number | string;

/** Declared type of an input or output. */
export interface OnnxValueInfo {
  readonly name: string;
  /** As ONNX names it: float32, float16, float64, int64, int32, bool, ... */
  readonly elementType: string;
  /** Undefined where not even the rank is declared. */
  readonly shape: readonly OnnxDimension[] | undefined;
}

/** A graph with its nodes in an order in which every value is made before it is used. */
export interface OnnxGraph {
  /** Run-time inputs, without those that initializers fill. */
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly nodes: readonly OnnxNode[];
  /** Float arrays of more than one element: they become arguments of the traced function. float16 and bfloat16 are widened. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
  /** Scalars, empty arrays, integers and booleans. */
  readonly constants: ReadonlyMap<string, HostArray>;
}

/** A foreign model, read and checked but not yet understood. */
export interface OnnxModel extends OnnxGraph {
  /** Version of ONNX's own operators, 11 to 23. */
  readonly opset: number;
  /** Exporter and version, such as `pytorch 1.13.0`; may be empty. */
  readonly producer: string;
  /** Bytes of all weights in memory: float16 widened to float32, float64 as it is. */
  readonly weightBytes: number;
}
