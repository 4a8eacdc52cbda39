import { expect, test } from 'vitest';
import { sharedBackend } from '../../backend/start.ts';
import { expectClose } from '../../agreement.fixture.ts';
import { compile } from '../../compile.ts';
import { countOf, nodesOf } from '../../graph.fixture.ts';
import type { JaxArray, JaxLibrary } from '../../jax.ts';
import { loadJax } from '../../jax.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { sizeOf } from '../../../tensor/tensor.ts';
import { interpret } from '../interpreter.ts';
import type { OnnxModel, OnnxNode } from '../model.ts';
import { bytesOf, graph, model, node } from '../model.fixture.ts';
import type { OnnxValue } from '../value.ts';
import { tracedValue } from '../value.ts';
import { argument, float, known, list } from './agreement.fixture.ts';
import { joinGroupNormalizations } from './written-out.ts';

const image = argument('image', 2, 6, 4, 4);
const affine = { gain: argument('gain', 6, 1, 1), offset: argument('offset', 6, 1, 1) };

/** What PyTorch writes for GroupNorm(3, 6), with its parts to be changed. */
function exported(
  changes: {
    readonly groups?: readonly number[];
    readonly gain?: Tensor<'float32'>;
    readonly more?: readonly OnnxNode[];
  } = {},
): OnnxModel {
  const { groups = [0, 3, -1], gain = affine.gain, more = [] } = changes;
  const rows = groups[1] as number;
  const constants = {
    groups: list(...groups),
    shape: list(...image.shape),
    one: known(
      'float',
      [rows],
      Array.from({ length: rows }, (_, i) => 1 + i),
    ),
    zero: known(
      'float',
      [rows],
      Array.from({ length: rows }, (_, i) => i / 2),
    ),
  };
  const nodes = [
    node('Reshape', ['x', 'groups'], ['rows']),
    node('InstanceNormalization', ['rows', 'one', 'zero'], ['normal'], { epsilon: float(1e-3) }),
    node('Reshape', ['normal', 'shape'], ['back']),
    node('Mul', ['gain', 'back'], ['scaled']),
    node('Add', ['scaled', 'offset'], ['y']),
    ...more,
  ];
  const weights = { gain, offset: affine.offset };
  const inputs = [{ name: 'x', elementType: 'float32', shape: image.shape }];
  return model(graph({ inputs, outputs: ['y'], nodes, weights, constants }));
}

type Function = (jax: JaxLibrary, ...arrays: JaxArray[]) => JaxArray;

/** y as a function of x, gain and offset. */
function functionOf({ constants }: OnnxModel, nodes: readonly OnnxNode[]): Function {
  return (jax, x, gain, offset) => {
    const around = new Map<string, OnnxValue>();
    for (const [name, value] of constants) around.set(name, { kind: 'host', ...value });
    const arrays = { x, gain, offset } as Record<string, JaxArray>;
    for (const [name, array] of Object.entries(arrays)) around.set(name, tracedValue(array));
    const [y] = interpret({ nodes, outputs: ['y'] }, around, { opset: 17, jax, dtype: 'float32' });
    return y?.kind === 'traced' ? y.array : jax.numpy.zeros([]);
  };
}

const operatorsOf = (nodes: readonly OnnxNode[]): string[] => nodes.map(({ operator }) => operator);

async function expectSame(original: OnnxModel): Promise<void> {
  const names = { inputs: ['x'], outputs: ['y'] };
  await using session = await (await sharedBackend()).createSession(bytesOf(original), names, { threads: 1 });
  const [wanted] = await session.run([image]);
  const jax = await loadJax();
  const fn = functionOf(original, joinGroupNormalizations(original.nodes, ['y']));
  const weights = [...original.weights.values()].map((value) => ({ shape: value.shape, value }));
  await using executable = await compile((...all) => fn(jax, ...all), [{ shape: image.shape }, ...weights], {
    threads: 1,
  });
  const [got] = await executable.run(image);
  expectClose(got as Tensor, wanted as Tensor, 8, 'y');
}

test('joinGroupNormalizations() makes one node of five, with the same values', async () => {
  const original = exported();
  expect(operatorsOf(joinGroupNormalizations(original.nodes, ['y']))).toEqual(['GroupNormalization in five nodes']);
  await expectSame(original);
});

test('joinGroupNormalizations() saves a tangent full-size products and sums', async () => {
  const { nodes, ...rest } = exported();
  const specs = [
    { shape: image.shape },
    { shape: image.shape, linear: true },
    { shape: [6, 1, 1] },
    { shape: [6, 1, 1] },
  ];
  const workOf = async (list: readonly OnnxNode[]): Promise<number> => {
    const fn = functionOf({ nodes, ...rest }, list);
    const all = await nodesOf(specs, (jax, x, v, ...weights) => {
      const [, tangent] = jax.jvp((y: JaxArray) => fn(jax, y, ...weights), [x], [v]);
      return tangent;
    });
    const full = all.filter((n) => sizeOf(n.shape) === sizeOf(image.shape));
    return countOf(full, 'mul') + countOf(full, 'add') + countOf(full, 'sub');
  };
  // The gain of the channels no longer multiplies the tangent on its own.
  expect(await workOf(joinGroupNormalizations(nodes, ['y']))).toBeLessThan(await workOf(nodes));
});

test('joinGroupNormalizations() leaves the values of other shapes as they were written', async () => {
  // Two groups of one image each in place of three of its channels; a gain that is no number a channel.
  await expectSame(exported({ groups: [4, 3, -1] }));
  await expectSame(exported({ gain: argument('pixel', 4, 4) }));
});

test('joinGroupNormalizations() keeps what is asked for or used elsewhere', () => {
  const { nodes } = exported();
  expect(joinGroupNormalizations(nodes, ['y', 'back'])).toEqual(nodes);
  const used = exported({ more: [node('Relu', ['normal'], ['z'])] }).nodes;
  expect(joinGroupNormalizations(used, ['y', 'z'])).toEqual(used);
  const squared = nodes.map((n) => (n.operator === 'Mul' ? node('Mul', ['back', 'back'], ['scaled']) : n));
  expect(joinGroupNormalizations(squared, ['y'])).toEqual(squared);
});
