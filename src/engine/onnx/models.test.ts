import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseNpz } from '../../data/npz.ts';
import { openOnnxFile } from '../../data/onnx-files.ts';
import type { FloatDType, FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { castFloat, tensor } from '../../tensor/tensor.ts';
import { compile } from '../compile.ts';
import type { JaxArray } from '../jax.ts';
import { loadJax } from '../jax.ts';
import { onnxFunction } from './function.ts';
import type { OnnxModel } from './model.ts';
import { readOnnx } from './read/read-onnx.ts';

const folder = 'test/models';
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : []));

/** Networks whose files hold no rounded constant. */
const exact = ['adm', 'blind-cnn', 'blind-unet', 'ddpm-unet', 'edm-fourier', 'latent-decoder', 'latent-encoder'];

/** Values in the order of a model's inputs. */
const roles = ['x', 'time', 'labels', 'text'] as const;

async function open(name: string): Promise<{ model: OnnxModel; reference: Map<string, Tensor> }> {
  const opened = await openOnnxFile(`${folder}/${name}.onnx`);
  const model = await readOnnx(name, opened.bytes, opened);
  return { model, reference: parseNpz(name, readFileSync(`${folder}/${name}.npz`)) };
}

/** y, J v and J^T u at the point of the reference: the sample and the time are arguments, all else is held fixed. */
async function products(
  model: OnnxModel,
  reference: ReadonlyMap<string, Tensor>,
  dtype: FloatDType,
): Promise<Tensor[]> {
  const jax = await loadJax();
  const given = roles.filter((role) => reference.has(role));
  const named = new Map(given.map((role, i) => [role, model.inputs[i]?.name ?? '']));
  const fixed = Object.fromEntries(
    given.slice(1).map((role) => {
      const { shape, data } = reference.get(role) as Tensor;
      const type = role === 'labels' && data instanceof Int32Array ? ('int' as const) : ('float' as const);
      return [named.get(role), { type, shape, data: Float64Array.from(data) }];
    }),
  );
  const time = named.get('time');
  const fn = onnxFunction(model, { dtype, fixed });
  const output = model.outputs[0]?.name ?? '';
  const traced = (...inputs: JaxArray[]): JaxArray[] => {
    const [x, t, v, u, ...weights] = inputs as [JaxArray, JaxArray, JaxArray, JaxArray, ...JaxArray[]];
    const at = (sample: JaxArray): JaxArray => {
      const values = { [named.get('x') ?? '']: sample, ...(time === undefined ? {} : { [time]: t }) };
      return fn.apply(jax, weights, values, [output])[0] as JaxArray;
    };
    const [y, jv] = jax.jvp(at, [x.ref], [v]);
    const [, pull] = jax.vjp(at, [x]);
    return [y, jv, pull(u)[0]];
  };
  const point = ['x', 'time', 'v', 'u'].map((role) => float(reference.get(role) ?? tensor('float64', [], Float64Array.of(0)), dtype)); // prettier-ignore
  const weights = fn.weights.map(({ value }) => castFloat(value, dtype));
  const specs = [
    ...point.map(({ shape }) => ({ shape, dtype })),
    ...weights.map((value) => ({ shape: value.shape, dtype, value })),
  ];
  await using executable = await compile(traced, specs, { threads: 1 });
  return executable.run(...point);
}

function float({ shape, data }: Tensor, dtype: FloatDType): FloatTensor {
  return castFloat(tensor('float64', shape, Float64Array.from(data)), dtype) as FloatTensor;
}

/** Largest difference over the largest magnitude. */
function distance(got: Tensor, wanted: Tensor): number {
  expect(got.shape).toEqual(wanted.shape);
  let [difference, scale] = [0, 0];
  wanted.data.forEach((w, i) => {
    difference = Math.max(difference, Math.abs((got.data[i] as number) - w));
    scale = Math.max(scale, Math.abs(w));
  });
  return difference / scale;
}

async function errorsOf(name: string, dtype: FloatDType): Promise<number[]> {
  const { model, reference } = await open(name);
  const results = await products(model, reference, dtype);
  return ['y', 'jv', 'vju'].map((key, i) => distance(results[i] as Tensor, reference.get(key) as Tensor));
}

describe('onnxFunction() of an exported network gives the output, J v and J^T u that PyTorch gives in float64', () => {
  test.each(names)('%s in float32', async (name) => {
    // Thirty-two roundings of the largest element: what a sum of a few hundred terms leaves, far below the 1e-4 that is promised.
    for (const error of await errorsOf(name, 'float32')) expect(error).toBeLessThan(32 * 2 ** -23);
  });

  test.each(exact)('%s in float64', async (name) => {
    for (const error of await errorsOf(name, 'float64')) expect(error).toBeLessThan(1e-9);
  });

  test.each(['dit', 'flow-mixer', 'latent-denoiser'])(
    '%s in float64, as far as its constants go, which the file holds in float32',
    async (name) => {
      for (const error of await errorsOf(name, 'float64')) expect(error).toBeLessThan(2 ** -24);
    },
  );
});
