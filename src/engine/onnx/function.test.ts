import { describe, expect, test } from 'vitest';
import { tensor } from '../../tensor/tensor.ts';
import { nodesOf, opsOf } from '../graph.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { loadJax } from '../jax.ts';
import { onnxFunction } from './function.ts';
import type { HostArray, OnnxModel, OnnxNode, OnnxValueInfo } from './model.ts';
import { graph, model, node } from './model.fixture.ts';
import { int, known, list } from './operators/agreement.fixture.ts';

const input = (name: string, ...shape: readonly (number | string)[]): OnnxValueInfo => ({
  name,
  elementType: 'float32',
  shape,
});

/** Names of the graph operations that a model of one input becomes. */
async function opsLeftBy(
  nodes: readonly OnnxNode[],
  shape: readonly number[],
  constants: Readonly<Record<string, HostArray>> = {},
): Promise<string[]> {
  const of = model(graph({ inputs: [input('x', ...shape)], outputs: ['y'], nodes, constants }));
  const fn = onnxFunction(of);
  const traced = await nodesOf([{ shape }], (jax, x) => fn.apply(jax, [], { x: x }, ['y']));
  return opsOf(traced);
}

describe('onnxFunction() leaves nothing of what is known while tracing', () => {
  test('shape arithmetic of an exporter leaves one reshape', async () => {
    const sizes = ['n', 'c'].flatMap((name, i) => [
      node('Shape', ['x'], [`shape ${name}`]),
      node('Gather', [`shape ${name}`, `${i}`], [name], { axis: int(0) }),
      node('Unsqueeze', [name, 'first'], [`[${name}]`]),
    ]);
    const groups = [
      node('Div', ['c', 'four'], ['c / 4']),
      node('Cast', ['c / 4'], ['groups'], { to: int(7) }),
      node('Unsqueeze', ['groups', 'first'], ['[groups]']),
      node('Concat', ['[n]', '[groups]', 'rest'], ['target'], { axis: int(0) }),
      node('Reshape', ['x', 'target'], ['y']),
    ];
    const four = known('int', [], [4]);
    const constants = { 0: known('int', [], [0]), 1: known('int', [], [1]), first: list(0), rest: list(-1), four };
    expect(await opsLeftBy([...sizes, ...groups], [2, 8, 3, 3], constants)).toEqual(['reshape']);
  });

  test('a mask of computed size that is one everywhere leaves its other operand', async () => {
    const nodes = [
      node('Shape', ['x'], ['shape']),
      node('ConstantOfShape', ['shape'], ['ones'], { value: { kind: 'tensor', value: known('float', [1], [1]) } }),
      node('Mul', ['ones', 'one'], ['mask']),
      node('Mul', ['x', 'mask'], ['masked']),
      node('Sin', ['masked'], ['y']),
    ];
    expect(await opsLeftBy(nodes, [2, 3], { one: known('float', [1, 1], [1]) })).toEqual(['sin']);
  });

  test('x * 1 + 0 is x', async () => {
    const nodes = [
      node('Mul', ['x', 'one'], ['product']),
      node('Add', ['product', 'zero'], ['sum']),
      node('Exp', ['sum'], ['y']),
    ];
    expect(await opsLeftBy(nodes, [4], { one: known('float', [], [1]), zero: known('float', [1], [0]) })).toEqual([
      'exp',
    ]);
  });

  test('scales that look like weights are known, however they are put together', async () => {
    const nodes = [
      node('Shape', ['x'], ['shape']),
      node('Slice', ['shape', 'two', 'four'], ['sizes']),
      node('Cast', ['sizes'], ['float sizes'], { to: int(1) }),
      node('Div', ['float sizes', 'float sizes'], ['ones']),
      node('Mul', ['ones', 'doubled'], ['spatial']),
      node('Concat', ['same', 'spatial'], ['scales'], { axis: int(0) }),
      node('Resize', ['x', '', 'scales'], ['y'], { mode: { kind: 'string', value: 'nearest' } }),
    ];
    const weights = {
      same: tensor('float32', [2], Float32Array.of(1, 1)),
      doubled: tensor('float32', [2], Float32Array.of(2, 2)),
    };
    const constants = { two: list(2), four: list(4) };
    const of = model(graph({ inputs: [input('x', 1, 1, 2, 3)], outputs: ['y'], nodes, constants, weights }));
    const fn = onnxFunction(of);
    expect(fn.weights).toEqual([]);
    const traced = await nodesOf([{ shape: [1, 1, 2, 3] }], (jax, x) => fn.apply(jax, [], { x: x }, ['y']));
    expect(opsOf(traced)).toEqual(['upsample']);
  });

  test('x^2 is one product, a slice of everything nothing', async () => {
    const nodes = [node('Slice', ['x', 'start', 'end', 'axes'], ['same']), node('Pow', ['same', 'two'], ['y'])];
    const constants = { start: list(0), end: list(2 ** 63), axes: list(1), two: known('float', [], [2]) };
    expect(await opsLeftBy(nodes, [2, 3], constants)).toEqual(['mul']);
  });
});

describe('onnxFunction() in float64', () => {
  test('keeps constants that float32 lacks', async () => {
    const jax = await loadJax();
    const nodes = [node('Mul', ['x', 'tenth'], ['product']), node('Mean', ['product', 'x', 'x'], ['y'])];
    const fn = onnxFunction(
      model(graph({ inputs: [input('x', 1)], outputs: ['y'], nodes, constants: { tenth: known('float', [], [0.1]) } })),
      { dtype: 'float64' },
    );
    const x = jax.numpy.array(Float64Array.of(3), { dtype: jax.numpy.float64 });
    const [y] = fn.apply(jax, [], { x }, ['y']) as [JaxArray];
    expect(Math.abs((y.dataSync()[0] as number) - 2.1)).toBeLessThan(4 * 2 ** -52 * 2.1);
  });
});

describe('onnxFunction() of an integer input, given as floats', () => {
  test('casts it there and back, and looks up by it', async () => {
    const jax = await loadJax();
    const nodes = [
      node('Cast', ['t'], ['whole'], { to: int(7) }),
      node('Cast', ['whole'], ['t again'], { to: int(1) }),
      node('Gather', ['table', 't'], ['row']),
      node('Gather', ['table', 'whole'], ['same row']),
      node('Sum', ['row', 'same row', 't again'], ['y']),
    ];
    const table = known('float', [3], [10, 20, 40]);
    const of = model(graph({ inputs: [input('t', 2)], outputs: ['y', 'whole'], nodes, constants: { table } }));
    const t = jax.numpy.array(Float32Array.of(2, 1));
    const [y, whole] = onnxFunction(of).apply(jax, [], { t }, ['y', 'whole']) as [JaxArray, JaxArray];
    expect([...y.dataSync()]).toEqual([82, 41]);
    expect(whole.dtype, 'results are floats').toBe('float32');
  });
});

describe('onnxFunction() with branches', () => {
  const constants = { scale: known('float', [2], [2, 3]) };
  const twice = graph({ outputs: ['t'], nodes: [node('Mul', ['h', 'scale'], ['t'])], constants });
  const bias = tensor('float32', [2], Float32Array.of(10, 20));
  const shifted = graph({ outputs: ['e'], nodes: [node('Add', ['h', 'bias'], ['e'])], weights: { bias } });
  const branches = (nodes: readonly OnnxNode[], fixed: Readonly<Record<string, HostArray>>): OnnxModel => {
    const attributes = {
      then_branch: { kind: 'graph', value: twice },
      else_branch: { kind: 'graph', value: shifted },
    } as const;
    const all = [node('Identity', ['x'], ['h']), ...nodes, node('If', ['condition'], ['y'], attributes)];
    return model(graph({ inputs: [input('x', 2)], outputs: ['y'], nodes: all, constants: fixed }));
  };
  const run = async (of: OnnxModel): Promise<readonly number[]> => {
    const jax = await loadJax();
    const x = jax.numpy.array(Float32Array.of(1, 1));
    const [y] = onnxFunction(of).apply(jax, [], { x }, ['y']) as [JaxArray];
    const values = [...y.dataSync()];
    expect(x.refCount, 'references to x that are left').toBe(1);
    return values;
  };

  test('takes the one whose condition is known, which sees the values around it', async () => {
    expect(await run(branches([], { condition: known('bool', [], [1]) }))).toEqual([2, 3]);
    expect(await run(branches([], { condition: known('bool', [], [0]) }))).toEqual([11, 21]);
  });
  test('knows a condition on sizes', async () => {
    const nodes = [node('Size', ['x'], ['size']), node('Greater', ['size', 'three'], ['condition'])];
    expect(await run(branches(nodes, { three: known('int', [], [3]) }))).toEqual([11, 21]);
  });
  test('says which node has a condition on run-time values', async () => {
    const nodes = [
      node('ReduceSum', ['x'], ['sum'], { keepdims: int(0) }),
      node('Greater', ['sum', 'three'], ['condition']),
    ];
    const of = branches(nodes, { three: known('float', [], [3]) });
    await expect(run(of)).rejects.toThrow("node 'If for y' (If): needs its input 1 before the run");
  });
});

describe('onnxFunction() owns what it makes', () => {
  test('values used twice, not at all, or handed out leave no reference behind', async () => {
    const jax = await loadJax();
    // Identity shares the array, so every reference kept too long shows in the count of x.
    const nodes = [
      node('Identity', ['x'], ['a']),
      node('Identity', ['a'], ['unused']),
      node('Split', ['x'], ['left', ''], { axis: int(0) }),
      node('Pad', ['a', 'widths'], ['padded'], { mode: { kind: 'string', value: 'edge' } }),
      node('Pow', ['a', 'five'], ['power']),
      node('Clip', ['a', '', 'high'], ['clipped']),
      node('Gather', ['a', 'order'], ['gathered']),
      node('Add', ['a', 'a'], ['sum']),
    ];
    const outputs = ['sum', 'padded', 'power', 'clipped', 'gathered', 'left', 'x'];
    const constants = {
      widths: list(1, 2), five: known('float', [], [5]), high: known('float', [], [2]), order: list(3, 0, 0),
    }; // prettier-ignore
    const fn = onnxFunction(model(graph({ inputs: [input('x', 4)], outputs, nodes, constants })));
    const x = jax.numpy.array(Float32Array.of(1, 2, 3, 4));
    const results = fn.apply(jax, [], { x }, outputs);
    const [sum, padded] = results.map((r) => [...r.dataSync()]);
    expect(sum).toEqual([2, 4, 6, 8]);
    expect(padded).toEqual([1, 1, 2, 3, 4, 4, 4]);
    expect(x.refCount).toBe(1);
  });

  test('a node that fails leaves no reference behind', async () => {
    const jax = await loadJax();
    const nodes = [node('Identity', ['x'], ['a']), node('Reshape', ['a', 'shape'], ['y'])];
    const fn = onnxFunction(
      model(graph({ inputs: [input('x', 2)], outputs: ['y'], nodes, constants: { shape: list(3) } })),
    );
    const x = jax.numpy.array(Float32Array.of(1, 2));
    expect(() => fn.apply(jax, [], { x }, ['y'])).toThrow(
      "node 'Reshape for y' (Reshape): cannot give [2] the shape [3]",
    );
    expect(x.refCount).toBe(1);
  });
});

describe('onnxFunction() says in one line', () => {
  test('all operators that cannot be read, with the names of their nodes', () => {
    const nodes = [
      node('NonMaxSuppression', ['x'], ['a']),
      node('Loop', ['a'], ['b']),
      node('Unique', ['a'], ['c']),
      node('Neg', ['b'], ['y']),
    ];
    const refused = graph({ inputs: [input('x', 1)], outputs: ['y'], nodes });
    expect(() => onnxFunction(model(refused))).toThrow(
      /NonMaxSuppression for a.*Loop for b.*Unique for c.*export with fixed sizes/s,
    );
  });
  test('which input has no value and which output depends on none', async () => {
    const jax = await loadJax();
    const nodes = [node('Add', ['x', 't'], ['y']), node('Shape', ['x'], ['sizes'])];
    const fn = onnxFunction(model(graph({ inputs: [input('x', 1), input('t')], outputs: ['y'], nodes })));
    const x = jax.numpy.array(Float32Array.of(1));
    expect(() => fn.apply(jax, [], { x }, ['y'])).toThrow("input 't': expected a value, got none.");
    const fixed = onnxFunction(model(graph({ inputs: [input('x', 1), input('t')], outputs: ['y'], nodes })), {
      fixed: { t: known('float', [], [2]) },
    });
    expect([...(fixed.apply(jax, [], { x }, ['y'])[0] as JaxArray).dataSync()]).toEqual([3]);
    expect(() => fixed.apply(jax, [], { x }, ['sizes'])).toThrow("output 'sizes': does not depend on the inputs.");
  });
});
