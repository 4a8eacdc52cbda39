import { compile } from '../../engine/compile.ts';
import { loadJax } from '../../engine/jax.ts';
import type { JaxArray } from '../../engine/jax.ts';
import { onnxFunction } from '../../engine/onnx/function.ts';
import type { HostArray, OnnxModel } from '../../engine/onnx/model.ts';
import { ModelError } from '../../errors/errors.ts';
import { sameShape, showShape, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { OnnxRoles } from './roles.ts';

/**
 * Runs a foreign graph on the inputs that its exporter stored beside it and compares the outputs.
 * @param held  values of the inputs that `roles.fixed` names
 * @param arrays  by role: `x`, `time`, `labels`, `text` as the graph takes them, and its output `y`
 * @returns |F - y| / |y|
 * @throws ModelError where an array is missing or of another shape
 */
export async function referenceDefect(
  where: string,
  model: OnnxModel,
  roles: OnnxRoles,
  held: Readonly<Record<string, HostArray>>,
  arrays: ReadonlyMap<string, Tensor>,
): Promise<number> {
  const array = (name: string): Tensor => {
    const found = arrays.get(name);
    if (found === undefined) throw new ModelError(where, `lacks the array '${name}'. Export the reference again.`);
    return found;
  };
  const fixed: Record<string, HostArray> = { ...held };
  if (roles.classLabels) fixed[roles.classLabels.name] = hostArray(array('labels'));
  if (roles.text) fixed[roles.text.name] = hostArray(array('text'));
  const names = [roles.sample.name, ...(roles.time ? [roles.time.name] : [])];
  const inputs = [array('x'), ...(roles.time ? [array('time')] : [])].map(float32);
  const jax = await loadJax();
  const fn = onnxFunction(model, { fixed });
  const count = fn.weights.length;
  const traced = (...args: JaxArray[]): JaxArray[] => {
    const given = Object.fromEntries(names.map((name, i) => [name, args[count + i] as JaxArray]));
    return fn.apply(jax, args.slice(0, count), given, [roles.output.name]);
  };
  await using executable = await compile(traced, [
    ...fn.weights.map(({ value }) => ({ shape: value.shape, value })),
    ...inputs.map(({ shape }) => ({ shape })),
  ]);
  const [output] = (await executable.run(...inputs)) as [Tensor<'float32'>];
  const expected = array('y');
  if (!sameShape(output.shape, expected.shape)) {
    throw new ModelError(where, `expected y of shape ${showShape(output.shape)}, got ${showShape(expected.shape)}.`);
  }
  let difference = 0;
  let size = 0;
  for (let i = 0; i < output.data.length; i++) {
    const y = Number(expected.data[i]);
    difference += ((output.data[i] as number) - y) ** 2;
    size += y * y;
  }
  return Math.sqrt(difference / size);
}

function float32(x: Tensor): Tensor<'float32'> {
  return tensor('float32', x.shape, Float32Array.from(x.data));
}

function hostArray(x: Tensor): HostArray {
  return { type: x.dtype.startsWith('float') ? 'float' : 'int', shape: x.shape, data: Float64Array.from(x.data) };
}
