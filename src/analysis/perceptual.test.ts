import { describe, expect, test } from 'vitest';
import type { OnnxFile } from '../data/onnx-files.ts';
import { array, attribute, file, floats, graph, node, rawBytes, value } from '../engine/onnx/read/model.fixture.ts';
import { CancelledError, ModelError, NumericalError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, slice, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { openPerceptualDistance } from './perceptual.ts';

type Sizes = readonly (number | string)[];
type Nodes = ReturnType<typeof node>[];

/** A graph of two images p and q to y [b, 1, 1, 1]. */
function ofPairs(
  nodes: Nodes,
  sizes: Sizes,
  rest: { other?: Sizes; arrays?: ReturnType<typeof floats>[] } = {},
): OnnxFile {
  const { other = sizes, arrays = [] } = rest;
  const inputs = [value('p', sizes), value('q', other)];
  return held(graph({ nodes, arrays, inputs, outputs: [value('y', ['b', 1, 1, 1])] }));
}

function held(main: Parameters<typeof file>[0]): OnnxFile {
  return { bytes: file(main), readExternal: () => Promise.reject(new ModelError('test', 'holds all its weights.')) };
}

const over = (...ints: bigint[]) => ({ attribute: [attribute('axes', { ints, type: 7 })] });
const meanSquare = [
  node('Sub', ['p', 'q'], ['d']),
  node('Mul', ['d', 'd'], ['s']),
  node('ReduceMean', ['s'], ['y'], over(1n, 2n, 3n)),
];

/** [count, C, 6, 6] within (-1, 1). */
function images(seed: number, count: number, channels: number): Tensor<'float32'> {
  const shape = [count, channels, 6, 6];
  const { data } = normal(randomKey(seed, 'perceptual'), shape);
  return castFloat(tensor('float64', shape, data.map((v) => Math.tanh(v))), 'float32'); // prettier-ignore
}

/** Mean squared difference of pair `i`. */
function meanSquareOf(a: Tensor<'float32'>, b: Tensor<'float32'>, i: number): number {
  const [p, q] = [slice(a, i, i + 1).data, slice(b, i, i + 1).data];
  return p.reduce((sum, v, k) => sum + (v - (q[k] as number)) ** 2, 0) / p.length;
}

describe('openPerceptualDistance()', () => {
  test('a graph of two images gives its distance of every pair, in [-1, 1], whatever batch it holds', async () => {
    const [a, b] = [images(1, 11, 3), images(2, 11, 3)];
    for (const batch of [1, 4, 'b']) {
      const file = ofPairs(meanSquare, [batch, 3, 'h', 'w']);
      await using distance = await openPerceptualDistance({ name: 'mse', file, sampleShape: [3, 6, 6] });
      expect(distance).toMatchObject({ name: 'mse', kind: 'pair' });
      const found = await distance.compare(a, b);
      expect(found).toHaveLength(11);
      found.forEach((v, i) => expect(v).toBeCloseTo(meanSquareOf(a, b, i), 6));
      expect([...(await distance.compare(a, a))]).toEqual(Array(11).fill(0));
      expect(await distance.compare(slice(a, 0, 0), slice(b, 0, 0))).toHaveLength(0);
    }
  });

  test('a graph of two images gets both of them, in their order, its colours, its size and its scale', async () => {
    // The brightness of the first less half of that of the second, from pixels in [0, 1] of the range [0, 255].
    const nodes = [
      node('Mul', ['q', 'half'], ['r']),
      node('Sub', ['p', 'r'], ['d']),
      node('ReduceMean', ['d'], ['y'], over(1n, 2n, 3n)),
    ];
    const file = ofPairs(nodes, ['b', 3, 8, 5], { arrays: [floats('half', [], [0.5])] });
    const scale = { range: { low: 0, high: 255 }, mean: [0, 0, 0], std: [1, 1, 1] };
    await using distance = await openPerceptualDistance({ name: 'd', file, sampleShape: [1, 6, 6], ...scale });
    const flat = (v: number): Tensor<'float32'> => tensor('float32', [1, 1, 6, 6], new Float32Array(36).fill(v));
    expect((await distance.compare(flat(204), flat(51)))[0]).toBeCloseTo(0.8 - 0.1, 6);
    expect((await distance.compare(flat(51), flat(204)))[0]).toBeCloseTo(0.2 - 0.4, 6);
  });

  test('a layer of LPIPS is the weighted square of features of unit length, averaged over places', async () => {
    const [shift, scale, lin] = [[-0.03, -0.088, -0.188], [0.458, 0.448, 0.45], [0.7, 0.2, 1.1, 0.4]]; // prettier-ignore
    const kernel = [...normal(randomKey(3, 'kernel'), [4, 3, 2, 2]).data].map((v) => Math.fround(v));
    const side = (x: string): Nodes => [
      node('Sub', [x, 'shift'], [`${x}1`]),
      node('Div', [`${x}1`, 'scale'], [`${x}2`]),
      node('Conv', [`${x}2`, 'kernel'], [`${x}3`]),
      node('Relu', [`${x}3`], [`${x}4`]),
      node('Mul', [`${x}4`, `${x}4`], [`${x}5`]),
      node('ReduceSum', [`${x}5`, 'channels'], [`${x}6`]),
      node('Sqrt', [`${x}6`], [`${x}7`]),
      node('Add', [`${x}7`, 'eps'], [`${x}8`]),
      node('Div', [`${x}4`, `${x}8`], [`${x}9`]),
    ];
    const nodes = [
      ...side('p'),
      ...side('q'),
      node('Sub', ['p9', 'q9'], ['d']),
      node('Mul', ['d', 'd'], ['s']),
      node('Conv', ['s', 'lin'], ['weighted']),
      node('ReduceMean', ['weighted'], ['y'], over(2n, 3n)),
    ];
    const arrays = [
      floats('shift', [1, 3, 1, 1], shift),
      floats('scale', [1, 3, 1, 1], scale),
      floats('kernel', [4, 3, 2, 2], kernel),
      floats('lin', [1, 4, 1, 1], lin),
      floats('eps', [], [1e-10]),
      array('channels', [1], 7, { rawData: rawBytes(BigInt64Array.of(1n)) }),
    ];
    const unitFeatures = (x: Float32Array): number[][] =>
      Array.from({ length: 25 }, (_, at) => {
        const [y, z] = [Math.floor(at / 5), at % 5];
        const features = lin.map((_, f) => {
          let sum = 0;
          for (let i = 0; i < 12; i++) {
            const [c, dy, dz] = [Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2];
            const pixel = x[(c * 6 + y + dy) * 6 + z + dz] as number;
            sum += ((kernel[f * 12 + i] as number) * (pixel - (shift[c] as number))) / (scale[c] as number);
          }
          return Math.max(0, sum);
        });
        return features.map((v) => v / (Math.hypot(...features) + 1e-10));
      });
    const file = ofPairs(nodes, ['b', 3, 'h', 'w'], { arrays });
    await using distance = await openPerceptualDistance({ name: 'lpips', file, sampleShape: [3, 6, 6] });
    const [a, b] = [images(4, 3, 3), images(5, 3, 3)];
    const found = await distance.compare(a, b);
    found.forEach((v, i) => {
      const [p, q] = [unitFeatures(slice(a, i, i + 1).data), unitFeatures(slice(b, i, i + 1).data)];
      const places = p.map((f, at) => f.reduce((s, u, c) => s + (lin[c] as number) * (u - (q[at]?.[c] as number)) ** 2, 0)); // prettier-ignore
      expect(v).toBeCloseTo(places.reduce((s, u) => s + u, 0) / 25, 5);
      expect(v).toBeGreaterThan(0.05);
    });
  });

  test('a graph of one image gives the mean squared difference of its features, at their own length', async () => {
    const nodes = [node('Mul', ['x', 'two'], ['y'])];
    const inputs = [value('x', ['b', 1, 'h', 'w'])];
    const main = graph({ nodes, arrays: [floats('two', [], [2])], inputs, outputs: [value('y', ['b', 1, 'h', 'w'])] });
    await using distance = await openPerceptualDistance({ name: 'net', file: held(main), sampleShape: [1, 6, 6] });
    expect(distance).toMatchObject({ name: 'net', kind: 'features' });
    const [a, b] = [images(6, 10, 1), images(7, 10, 1)];
    const found = await distance.compare(a, b);
    expect(found).toHaveLength(10);
    // [-1, 1] is the usual scale of one channel.
    found.forEach((v, i) => expect(v).toBeCloseTo(4 * meanSquareOf(a, b, i), 5));
    expect([...(await distance.compare(a, a))]).toEqual(Array(10).fill(0));
  });

  test('what is no distance of these images is refused in one line that says what to do', async () => {
    const open = (file: OnnxFile, sampleShape = [3, 6, 6], rest = {}): Promise<unknown> =>
      openPerceptualDistance({ name: 'net', file, sampleShape, ...rest });
    const three = graph({ nodes: meanSquare, inputs: ['p', 'q', 'r'].map((name) => value(name, ['b', 3, 6, 6])) });
    await expect(open(held(three))).rejects.toThrow(/^net: expected two equal inputs .* got 'p' .* 'q' .* 'r' /);
    await expect(open(ofPairs(meanSquare, ['b', 3, 6, 6], { other: ['b', 3, 7, 6] }))).rejects.toThrow(
      /two equal inputs/,
    );
    await expect(open(ofPairs(meanSquare, ['b', 4, 6, 6]))).rejects.toThrow(ModelError);
    await expect(open(ofPairs(meanSquare, ['b', 3, 6, 6]), [108])).rejects.toThrow(ShapeError);
    await expect(open(ofPairs(meanSquare, ['b', 3, 6, 6]), [3, 6, 6], { std: [1] })).rejects.toThrow(/3 means/);
    const mapped = [...meanSquare.slice(0, 2), node('ReduceMean', ['s'], ['y'], over(1n))];
    await expect(open(ofPairs(mapped, ['b', 3, 6, 6]))).rejects.toThrow(/one distance a pair, .* got \[8, 1, 6, 6\]/);
    const joined = [...meanSquare.slice(0, 2), node('ReduceMean', ['s'], ['y'], over(0n, 1n, 2n, 3n))];
    await expect(open(ofPairs(joined, ['b', 3, 6, 6]))).rejects.toThrow(/none over pairs/);
    const single = [node('ReduceMean', ['p'], ['y'], over(1n, 2n, 3n))];
    await expect(open(ofPairs(single, ['b', 3, 6, 6]))).rejects.toThrow(/does not depend on both/);
  });

  test('compare() refuses other samples, a distance that is not finite, and goes no further once it is aborted', async () => {
    const root = [...meanSquare.slice(0, 2), node('Neg', ['s'], ['n']), node('Sqrt', ['n'], ['r']), node('ReduceMean', ['r'], ['y'], over(1n, 2n, 3n))]; // prettier-ignore
    const file = ofPairs(root, ['b', 1, 6, 6]);
    await using distance = await openPerceptualDistance({ name: 'net', file, sampleShape: [1, 6, 6] });
    const [a, b] = [images(8, 2, 1), images(9, 2, 1)];
    await expect(distance.compare(a, slice(b, 0, 1))).rejects.toThrow(ShapeError);
    await expect(distance.compare(a, zeros('float32', [2, 1, 6, 5]))).rejects.toThrow(ShapeError);
    await expect(distance.compare(a, b)).rejects.toThrow(NumericalError);
    await expect(distance.compare(a, b, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
