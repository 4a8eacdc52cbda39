import type { OnnxModel } from '../model.ts';
import { StoredArrays } from './arrays.ts';
import { ReadContext, printable } from './context.ts';
import { decodeModel } from './decode.ts';
import type { ExternalReader } from './external.ts';
import { foreignFormat } from './foreign-format.ts';
import { inlineFunctions } from './functions.ts';
import { buildGraph } from './graph.ts';
import type { RawGraph, RawModel, RawTensor } from './raw.ts';

/** Versions of ONNX's operators that can be read. */
const oldestOpset = 11;
const newestOpset = 23;
const bytesPerGib = 2 ** 30;
const listed = 8;

/** How a file may be read. */
export interface ReadOnnxOptions {
  /** Reads arrays that lie beside the model; without it such models are refused. */
  readonly readExternal?: ExternalReader;
  /** Most memory that all arrays may take once read, default 4 GiB. */
  readonly maxWeightBytes?: number;
}

/**
 * Reads an ONNX model of opset 11 to 23: checks it, inlines its functions, folds its constants and puts its nodes in order.
 * @param where  path or name of the file, for messages
 * @param bytes  the whole file; not kept, not changed
 * @throws ModelError in one line where the file is no such model, is damaged, or takes more memory than allowed
 */
export async function readOnnx(where: string, bytes: Uint8Array, options: ReadOnnxOptions = {}): Promise<OnnxModel> {
  const { readExternal, maxWeightBytes = 4 * bytesPerGib } = options;
  const context = new ReadContext(where);
  const format = foreignFormat(bytes);
  if (format !== undefined) context.fail(`expected an ONNX model, got ${format}`);
  const file = decodeModel(context, bytes);
  const opset = checkedOpset(context, file);
  const raw = inlineFunctions(context, file, checkedGraph(context, file));
  refuseForeignOperators(context, raw);

  const arrays = new StoredArrays(context);
  const stored = [...new Set(arraysOf(raw))];
  let needed = 0;
  for (const array of stored) needed += arrays.memoryBytes(array);
  if (needed > maxWeightBytes) {
    const [need, most] = [needed, maxWeightBytes].map((size) => (size / bytesPerGib).toFixed(1));
    context.fail(
      `its weights take ${need} GiB of memory, more than ${most} GiB. Allow it with --max-weights ${Math.ceil(needed / bytesPerGib)}.`,
    );
  }
  for (const array of stored) await arrays.fetch(array, readExternal);
  const graph = buildGraph(context, arrays, raw);
  let weightBytes = 0;
  for (const data of new Set([...graph.weights.values()].map((weight) => weight.data))) weightBytes += data.byteLength;
  return { ...graph, opset, producer: file.producer, weightBytes };
}

function checkedOpset(context: ReadContext, { opsets, graph }: RawModel): number {
  const opset = opsets.get('');
  if (opset === undefined) {
    const what = graph === undefined ? 'neither a graph nor an operator set' : 'no version of ONNX operators';
    return context.fail(
      `expected an ONNX model, got ${what} in it: it is truncated or something else. Export it again.`,
    );
  }
  if (opset >= oldestOpset && opset <= newestOpset) return opset;
  return context.fail(
    `expected opset ${oldestOpset} to ${newestOpset}, got ${opset}. Export with opset_version=17, or convert it with onnx.version_converter.`,
  );
}

function checkedGraph(context: ReadContext, { graph }: RawModel): RawGraph {
  if (graph === undefined) return context.fail('expected an ONNX model, got none: it holds no graph. Export it again.');
  if (graph.outputs.length === 0) context.fail('expected a graph with outputs, got none. Export it again.');
  return graph;
}

/** Refuses operators that are not ONNX's own, all at once. */
function refuseForeignOperators(context: ReadContext, raw: RawGraph): void {
  const counts = new Map<string, number>();
  for (const { domain, operator } of nodesOf(raw)) {
    const name = printable(`${domain}.${operator}`);
    if (domain !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) return;
  const all = [...counts].map(([name, count]) => `${name} (${count})`);
  const more = all.length > listed ? ` and ${all.length - listed} more` : '';
  const optimized = [...counts.keys()].some((name) => name.startsWith('com.microsoft'));
  const remedy = optimized
    ? 'The model was optimized for ONNX Runtime: export it without optimization (optimum-cli without --optimize, no optimized_model_filepath).'
    : "Export it with ONNX's own operators only (torch.onnx.export with dynamo=False and no custom operators).";
  context.fail(`uses operators that are not part of ONNX: ${all.slice(0, listed).join(', ')}${more}. ${remedy}`);
}

function* nodesOf(graph: RawGraph): Generator<RawGraph['nodes'][number]> {
  for (const node of graph.nodes) {
    yield node;
    for (const { value } of node.attributes) if (value.kind === 'graph') yield* nodesOf(value.value);
  }
}

function* arraysOf(graph: RawGraph): Generator<RawTensor> {
  yield* graph.initializers;
  for (const node of graph.nodes) {
    for (const { value } of node.attributes) {
      if (value.kind === 'tensor') yield value.value;
      else if (value.kind === 'graph') yield* arraysOf(value.value);
    }
  }
}
