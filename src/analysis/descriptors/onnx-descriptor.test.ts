import { describe, expect, test } from 'vitest';
import type { OnnxFile } from '../../data/onnx-files.ts';
import { attribute, file, floats, graph, node, value } from '../../engine/onnx/read/model.fixture.ts';
import { ModelError, ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { openOnnxDescriptor } from './onnx-descriptor.ts';

/** Mean of every channel: [b, c, h, w] to [b, c]. */
function meansOfChannels(input: readonly (number | string)[]): OnnxFile {
  const nodes = [
    node('GlobalAveragePool', ['x'], ['pooled']),
    node('Flatten', ['pooled'], ['y'], { attribute: [attribute('axis', { i: 1n, type: 2 })] }),
  ];
  return held(graph({ nodes, inputs: [value('x', input)], outputs: [value('y', ['b', input[1] as number])] }));
}

function held(main: Parameters<typeof file>[0]): OnnxFile {
  return { bytes: file(main), readExternal: () => Promise.reject(new ModelError('test', 'holds all its weights.')) };
}

function constantImages(values: readonly number[], channels: number): Tensor<'float32'> {
  const planes = values.flatMap((v) => Array<number>(36).fill(v));
  return tensor('float32', [values.length / channels, channels, 6, 6], Float32Array.from(planes));
}

describe('openOnnxDescriptor()', () => {
  test('scales colours by the statistics of ImageNet', async () => {
    await using means = await openOnnxDescriptor({
      name: 'means',
      file: meansOfChannels(['b', 3, 8, 8]),
      sampleShape: [3, 6, 6],
      normalize: false,
    });
    expect(means).toMatchObject({ name: 'means', length: 3, similarity: 'cosine' });
    // Pixels 0, 0.25, 1 of the range [-1, 1], in more images than one run holds.
    const count = 11;
    const x = constantImages(Array.from({ length: count }, () => [-1, -0.5, 1]).flat(), 3);
    const { data, shape } = await means.describe(x);
    expect(shape).toEqual([count, 3]);
    const expected = [(0 - 0.485) / 0.229, (0.25 - 0.456) / 0.224, (1 - 0.406) / 0.225];
    data.forEach((v, i) => expect(v).toBeCloseTo(expected[i % 3] as number, 5));
  });
  test('turns colours to grey and grey to colours, at unit length', async () => {
    const plain = { mean: [0], std: [1], range: { low: 0, high: 255 } };
    await using grey = await openOnnxDescriptor({
      ...plain,
      name: 'grey',
      file: meansOfChannels([1, 1, 'h', 'w']),
      sampleShape: [3, 6, 6],
      size: [4, 5],
      normalize: false,
    });
    const { data } = await grey.describe(constantImages([255, 0, 0, 0, 255, 0], 3));
    expect(data[0]).toBeCloseTo(0.299, 6);
    expect(data[1]).toBeCloseTo(0.587, 6);
    await using colour = await openOnnxDescriptor({
      name: 'colour',
      file: meansOfChannels(['b', 3, 4, 4]),
      sampleShape: [1, 6, 6],
      mean: [0, 0, 0],
      std: [1, 1, 0.5],
    });
    const found = await colour.describe(constantImages([0.4], 1));
    found.data.forEach((v, i) => expect(v).toBeCloseTo(([1, 1, 2][i] as number) / Math.sqrt(6), 6));
  });
  test('describes images one by one as it describes them together, whatever batch the graph holds', async () => {
    const x = tensor('float32', [5, 3, 6, 6], Float32Array.from(normal(randomKey(4), [540]).data));
    const results: Float32Array[] = [];
    for (const batch of [1, 2, 'b']) {
      const weights = floats('k', [4, 3, 3, 3], [...normal(randomKey(5), [108]).data]);
      const nodes = [
        node('Conv', ['x', 'k'], ['h']),
        node('Relu', ['h'], ['r']),
        node('GlobalAveragePool', ['r'], ['y']),
      ];
      const inputs = [value('x', [batch, 3, 7, 5])];
      const main = graph({ nodes, arrays: [weights], inputs, outputs: [value('y', [batch, 4, 1, 1])] });
      await using of = await openOnnxDescriptor({ name: 'net', file: held(main), sampleShape: [3, 6, 6] });
      expect(of.length).toBe(4);
      const all = await of.describe(x);
      const last = await of.describe(slice(x, 4, 5));
      results.push(all.data);
      last.data.forEach((v, i) => expect(v).toBeCloseTo(all.data[16 + i] as number, 6));
      for (let b = 0; b < 5; b++) {
        const norm = slice(all, b, b + 1).data.reduce((sum, v) => sum + v * v, 0);
        expect(norm).toBeCloseTo(1, 6);
      }
    }
    results.forEach((r) => r.forEach((v, i) => expect(v).toBeCloseTo(results[0]?.[i] as number, 6)));
  });
  test('runs a head of SSCD: generalized mean, linear map, unit length', async () => {
    const nodes = [
      node('Clip', ['x', 'least'], ['positive']),
      node('Pow', ['positive', 'three'], ['cubes']),
      node('GlobalAveragePool', ['cubes'], ['mean']),
      node('Pow', ['mean', 'third'], ['root']),
      node('Flatten', ['root'], ['flat']),
      node('Gemm', ['flat', 'w', 'bias'], ['embedded'], { attribute: [attribute('transB', { i: 1n, type: 2 })] }),
      node('ReduceL2', ['embedded'], ['norm'], { attribute: [attribute('axes', { ints: [1n], type: 7 })] }),
      node('Div', ['embedded', 'norm'], ['y']),
    ];
    const w = [1, 2, 0, -1, 0.5, 1];
    const arrays = [
      floats('least', [], [1e-6]),
      floats('three', [], [3]),
      floats('third', [], [1 / 3]),
      floats('w', [2, 3], w),
      floats('bias', [2], [0.1, -0.2]),
    ];
    const main = graph({ nodes, arrays, inputs: [value('x', ['b', 3, 9, 9])], outputs: [value('y', ['b', 2])] });
    const options = { name: 'sscd', file: held(main), sampleShape: [3, 6, 6], normalize: false };
    await using of = await openOnnxDescriptor({ ...options, mean: [0, 0, 0], std: [1, 1, 1] });
    // The generalized mean of a constant is the constant: pixels 0.75, 0.5 and 1 of the range [-1, 1].
    const { data } = await of.describe(constantImages([0.5, 0, 1], 3));
    const embedded = [0.75 * 1 + 0.5 * 2 + 0.1, -0.75 + 0.5 * 0.5 + 1 - 0.2];
    data.forEach((v, i) => expect(v).toBeCloseTo((embedded[i] as number) / Math.hypot(...embedded), 5));
  });
  test('refuses what is no descriptor of these images, in one line that says what to do', async () => {
    const open = (input: readonly (number | string)[], sampleShape: number[], rest = {}): Promise<unknown> =>
      openOnnxDescriptor({ name: 'net', file: meansOfChannels(input), sampleShape, ...rest });
    await expect(open(['b', 3, 'h', 'w'], [3, 6, 6])).rejects.toThrow(/size of its images open/);
    await expect(open(['b', 4, 8, 8], [3, 6, 6])).rejects.toThrow(/expected one input \[batch, 1 or 3/);
    await expect(open(['b', 3, 8, 8], [12])).rejects.toThrow(ShapeError);
    await expect(open(['b', 3, 8, 8], [3, 6, 6], { std: [1] })).rejects.toThrow(ModelError);
    await expect(open(['b', 3, 8, 8], [3, 6, 6], { std: [1, 0, 1] })).rejects.toThrow(ModelError);
  });
});
