import type { OnnxDimension, OnnxGraph, OnnxValueInfo } from '../../engine/onnx/model.ts';
import { ModelError } from '../../errors/errors.ts';

/** Roles that a user may give to inputs by name, where their shapes do not tell. */
export interface RoleOverrides {
  readonly sample?: string | undefined;
  readonly time?: string | undefined;
  readonly classLabels?: string | undefined;
  readonly text?: string | undefined;
  readonly output?: string | undefined;
  /** Names of inputs that are held at a given value. */
  readonly fixed?: readonly string[] | undefined;
}

/** What each input of a foreign denoiser is for. */
export interface OnnxRoles {
  /** The noisy image or latent: [b, c, h, w], or [b, d] for points. */
  readonly sample: OnnxValueInfo;
  /** Noise level or time step, one for the batch (rank 0 or [1]) or one a sample; absent in blind denoisers. */
  readonly time: OnnxValueInfo | undefined;
  /** Class index [b] or one-hot [b, k]. */
  readonly classLabels: OnnxValueInfo | undefined;
  /** Embedded text [b, length, width]. */
  readonly text: OnnxValueInfo | undefined;
  readonly output: OnnxValueInfo;
  /** Inputs that the user holds at a value. */
  readonly fixed: readonly OnnxValueInfo[];
  /** Whether the graph takes any number of samples with a time each; otherwise one at a time. */
  readonly batched: boolean;
}

const timeName = /^(t|time|time_?steps?|timestep_cond|sigmas?|noise(_?(levels?|labels?|cond))?|c_noise|log_?snr)$/i;
const className = /^(y|class(es)?|.*label.*|class_.*)$/i;
const isFloat = (v: OnnxValueInfo): boolean => /^b?float/.test(v.elementType);
const rank = (v: OnnxValueInfo): number => v.shape?.length ?? -1;

/**
 * Finds the inputs by role: the float array of the highest rank is the sample, rank 0 or 1 the time, integers or [b, k] the class, rank 3 beside
 * an image the text. What the user says comes first.
 * @throws ModelError in one line that says which input could not be placed and how to name it
 */
export function assignRoles(where: string, graph: OnnxGraph, overrides: RoleOverrides = {}): OnnxRoles {
  const free = new Map(graph.inputs.map((v) => [v.name, v]));
  const take = (name: string | undefined, role: string): OnnxValueInfo | undefined => {
    if (name === undefined) return undefined;
    const found = free.get(name);
    if (found === undefined) throw new ModelError(where, unknownName(role, name, [...free.keys()]));
    free.delete(name);
    return found;
  };
  const pick = (found: OnnxValueInfo | undefined): OnnxValueInfo | undefined => {
    if (found !== undefined) free.delete(found.name);
    return found;
  };
  const fixed = (overrides.fixed ?? []).map((name) => take(name, 'fixed input') as OnnxValueInfo);
  const named = {
    sample: take(overrides.sample, 'sample'),
    time: take(overrides.time, 'time'),
    classLabels: take(overrides.classLabels, 'class labels'),
    text: take(overrides.text, 'text'),
  };
  const sample = named.sample ?? pick(findSample(where, [...free.values()]));
  if (sample === undefined) throw new ModelError(where, noSample(graph.inputs));
  const time = named.time ?? pick(findTime(where, [...free.values()]));
  const classLabels = named.classLabels ?? pick([...free.values()].find(isClass));
  const text = named.text ?? pick([...free.values()].find((v) => isFloat(v) && rank(v) === 3));
  const left = [...free.values()][0];
  if (left !== undefined) {
    throw new ModelError(
      where,
      `input ${describeInput(left)} has no role. Say it with --input sample=NAME,time=NAME,class=NAME,text=NAME or hold it with --fix ${left.name}=0.`,
    );
  }
  return {
    sample,
    time,
    classLabels,
    text,
    fixed,
    output: findOutput(where, graph, rank(sample), overrides.output),
    batched: [sample, time, classLabels, text].every(
      (v) => v === undefined || (rank(v) > 0 && typeof v.shape?.[0] === 'string'),
    ),
  };
}

/**
 * Shape of one sample: declared sizes, open ones filled from `wanted`.
 * @param wanted  shape that the user or the data asks for
 * @throws ModelError where a size stays open or contradicts `wanted`
 */
export function sampleShapeOf(where: string, sample: OnnxValueInfo, wanted: readonly number[] | undefined): number[] {
  const declared = (sample.shape ?? []).slice(1);
  if (wanted === undefined) {
    const open = declared.findIndex((d) => typeof d === 'string');
    if (open < 0) return declared as number[];
    throw new ModelError(
      where,
      `input ${describeInput(sample)} leaves its size open. Give the shape of one sample, such as --shape 3x32x32.`,
    );
  }
  const fits = wanted.length === declared.length && declared.every((d, i) => typeof d === 'string' || d === wanted[i]);
  if (fits) return [...wanted];
  throw new ModelError(
    where,
    `input ${describeInput(sample)} does not take samples of ${wanted.join('x')}. Choose data of its shape, or export it for this one.`,
  );
}

/** `'sample' (float32 [batch, 3, 32, 32])`. */
export function describeInput({ name, elementType, shape }: OnnxValueInfo): string {
  const size = (d: OnnxDimension): string => (d === '' ? '?' : String(d));
  return `'${name}' (${elementType} ${shape === undefined ? 'of unknown rank' : `[${shape.map(size).join(', ')}]`})`;
}

function findSample(where: string, inputs: readonly OnnxValueInfo[]): OnnxValueInfo | undefined {
  const floats = inputs.filter(isFloat);
  const images = floats.filter((v) => rank(v) === 4);
  const points = floats.filter((v) => rank(v) === 2 && !className.test(v.name) && !timeName.test(v.name));
  const candidates = images.length > 0 ? images : points;
  if (candidates.length <= 1) return candidates[0];
  const best = candidates.find((v) => /^(x|x_?t|sample|input|latents?|noisy.*)$/i.test(v.name));
  if (best !== undefined) return best;
  throw new ModelError(
    where,
    `inputs ${candidates.map(describeInput).join(' and ')} could both be the sample. Say which with --input sample=NAME.`,
  );
}

function findTime(where: string, inputs: readonly OnnxValueInfo[]): OnnxValueInfo | undefined {
  const small = inputs.filter((v) => rank(v) === 0 || rank(v) === 1);
  const named = small.find((v) => timeName.test(v.name));
  if (named !== undefined) return named;
  const others = small.filter((v) => !className.test(v.name));
  if (others.length <= 1) return others[0];
  throw new ModelError(
    where,
    `inputs ${others.map(describeInput).join(' and ')} could both be the time. Say which with --input time=NAME.`,
  );
}

function isClass(v: OnnxValueInfo): boolean {
  return isFloat(v) ? rank(v) === 2 : rank(v) === 0 || rank(v) === 1;
}

function findOutput(where: string, graph: OnnxGraph, sampleRank: number, name: string | undefined): OnnxValueInfo {
  if (name !== undefined) {
    const found = graph.outputs.find((v) => v.name === name);
    if (found !== undefined) return found;
    throw new ModelError(
      where,
      unknownName(
        'output',
        name,
        graph.outputs.map((v) => v.name),
      ),
    );
  }
  const fitting = graph.outputs.filter((v) => rank(v) === sampleRank || rank(v) === -1);
  const found = fitting[0] ?? graph.outputs[0];
  if (found === undefined) throw new ModelError(where, 'has no output. Export it again.');
  return found;
}

function unknownName(role: string, name: string, names: readonly string[]): string {
  return `'${name}', named as the ${role}, is not free. There are ${names.map((n) => `'${n}'`).join(', ') || 'none'}.`;
}

function noSample(inputs: readonly OnnxValueInfo[]): string {
  const list = inputs.map(describeInput).join(', ') || 'none';
  return `no input looks like an image (a float array of rank 4) or a point (rank 2): inputs are ${list}. Say which with --input sample=NAME.`;
}
