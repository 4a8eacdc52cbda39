import type { OnnxValueInfo } from '../model.ts';

// Messages of onnx.proto as they stand in the file.

/** An array as stored: views of the file, nothing decoded. */
export interface RawTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly raw: Uint8Array | undefined;
  /** Contents of the typed fields by field number. */
  readonly typed: ReadonlyMap<number, readonly Uint8Array[]>;
  /** Where the contents lie if not in this file: `location`, `offset`, `length`. */
  readonly external: ReadonlyMap<string, string> | undefined;
}

/** Value of an attribute; kinds that no operator of ours takes stay unread. */
export type RawValue =
  | { readonly kind: 'int' | 'float'; readonly value: number }
  | { readonly kind: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: RawTensor }
  | { readonly kind: 'graph'; readonly value: RawGraph }
  | { readonly kind: 'unread' };

/** A named value of a node. */
export interface RawAttribute {
  readonly name: string;
  /** Attribute of the enclosing function that gives the value; '' outside functions. */
  readonly reference: string;
  readonly value: RawValue;
}

/** One operation, not yet checked. */
export interface RawNode {
  readonly name: string;
  readonly operator: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly RawAttribute[];
}

/** A graph in the order of the file. */
export interface RawGraph {
  readonly nodes: readonly RawNode[];
  readonly initializers: readonly RawTensor[];
  /** Names of sparse initializers, which are not read. */
  readonly sparse: readonly string[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/** A function of the model's own, which nodes may call like an operator. */
export interface RawFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes with a default. */
  readonly defaults: readonly RawAttribute[];
  readonly nodes: readonly RawNode[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** A whole file. */
export interface RawModel {
  readonly producer: string;
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: RawGraph | undefined;
  readonly functions: readonly RawFunction[];
}
