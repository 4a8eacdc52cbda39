import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AttributeProtoSchema, NodeProto } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import type { OnnxAttribute } from '../model.ts';
import { array, attribute, file, floats, graph, node, readGraph, refusal, value } from './model.fixture.ts';
import { readOnnx } from './read-onnx.ts';

const text = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s);
const two = floats('two', [2], [1, 2]);

describe('readOnnx() of a graph', () => {
  it('gives inputs, outputs and nodes with their declared types and names', async () => {
    const main = graph({
      nodes: [node('Neg', ['x'], ['h'], { name: 'first' }), node('Exp', ['h'], ['y'])],
      inputs: [value('x', ['n', 3, -1]), value('t', [], 7), value('u')],
      outputs: [value('y', ['', 3, 8], 10)],
    });
    const model = await readGraph(main);
    expect(model.inputs).toEqual([
      { name: 'x', elementType: 'float32', shape: ['n', 3, ''] },
      { name: 't', elementType: 'int64', shape: [] },
      { name: 'u', elementType: 'undeclared', shape: undefined },
    ]);
    expect(model.outputs).toEqual([{ name: 'y', elementType: 'float16', shape: ['', 3, 8] }]);
    expect(model.nodes.map((n) => [n.name, n.operator, n.inputs, n.outputs])).toEqual([
      ['first', 'Neg', ['x'], ['h']],
      ['Exp_1', 'Exp', ['h'], ['y']],
    ]);
    expect([model.opset, model.producer]).toEqual([17, 'test 1.0']);
  });

  it('leaves out inputs that arrays fill', async () => {
    const main = graph({
      nodes: [node('Add', ['x', 'two'], ['y'])],
      arrays: [two],
      inputs: [value('x'), value('two')],
    });
    expect((await readGraph(main)).inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it.each([
    [
      { type: 1, f: 0.5 },
      { kind: 'float', value: 0.5 },
    ],
    [
      { type: 2, i: -(2n ** 63n) },
      { kind: 'int', value: -(2 ** 63) },
    ],
    [
      { type: 3, s: text('same_upper') },
      { kind: 'string', value: 'same_upper' },
    ],
    [
      { type: 6, floats: [0.5, -2] },
      { kind: 'floats', value: [0.5, -2] },
    ],
    [
      { type: 7, ints: [-1n, 0n, 300n] },
      { kind: 'ints', value: [-1, 0, 300] },
    ],
    [{ type: 7 }, { kind: 'ints', value: [] }],
    [
      { type: 8, strings: [text('a'), text('')] },
      { kind: 'strings', value: ['a', ''] },
    ],
    [
      { type: 4, t: floats('', [2], [1, 2]) },
      { kind: 'tensor', value: { type: 'float', shape: [2], data: Float64Array.of(1, 2) } },
    ],
    [{ type: 9, tensors: [two] }, undefined],
  ] satisfies [Omit<MessageInitShape<typeof AttributeProtoSchema>, 'name'>, OnnxAttribute | undefined][])(
    'reads attribute %#',
    async (stored, expected) => {
      const model = await readGraph(
        graph({ nodes: [node('Op', ['x'], ['y'], { attribute: [attribute('k', stored)] })] }),
      );
      expect(model.nodes[0]?.attributes.get('k')).toEqual(expected);
    },
  );

  it.each([{}, { type: 4 }, { type: 5 }, { type: 77 }])('refuses an attribute without value, %o', async (stored) => {
    const nodes = [node('Op', ['x'], ['y'], { attribute: [attribute('k', stored)] })];
    expect(await refusal(readGraph(graph({ nodes })))).toContain("attribute 'k' holds no value of its type");
  });

  it('names a value that is made by no node, and the node or output that wants it', async () => {
    expect(await refusal(readGraph(graph({ nodes: [node('Neg', ['z'], ['y'], { name: 'n' })] })))).toContain(
      "value 'z', used by node 'n' (Neg), is made by no node",
    );
    expect(await refusal(readGraph(graph({ nodes: [node('Neg', ['x'], ['z'])] })))).toContain(
      "value 'y', an output of the graph, is made by no node",
    );
    expect(await refusal(readGraph(graph({ nodes: [], outputs: [] })))).toContain(
      'expected a graph with outputs, got none',
    );
  });

  it.each<[string, Parameters<typeof graph>[0]]>([
    ['two nodes', { nodes: [node('Neg', ['x'], ['y']), node('Exp', ['x'], ['y'])] }],
    ['a node and an input', { nodes: [node('Neg', ['x'], ['x'])] }],
    ['a node and an array', { nodes: [node('Neg', ['x'], ['two'])], arrays: [two] }],
    ['two arrays', { nodes: [node('Neg', ['x'], ['y'])], arrays: [two, two] }],
    ['two inputs', { nodes: [node('Neg', ['x'], ['y'])], inputs: [value('x'), value('x')] }],
  ])('refuses a value that is made twice, by %s', async (_, parts) => {
    expect(await refusal(readGraph(graph(parts)))).toContain('is made twice');
  });

  it('keeps names out of messages that would break the line', async () => {
    const nodes = [node('Neg', [`a\n\u2028\u0007${'b'.repeat(1000)}`], ['y'], { name: 'n\r\n' })];
    const message = await refusal(readGraph(graph({ nodes })));
    expect(message).toContain("'a???bbb");
    expect(message.length).toBeLessThan(400);
  });
});

describe('readOnnx() of nodes out of order', () => {
  /** A chain v0 -> v1 -> ... of this length. */
  const chain = (length: number): NodeProto[] =>
    Array.from({ length }, (_, i) => node('Neg', [i === 0 ? 'x' : `v${i}`], [i === length - 1 ? 'y' : `v${i + 1}`]));

  it('keeps an order that is right', async () => {
    const nodes = [...chain(5), node('Exp', ['x'], ['e']), node('Add', ['e', 'v2'], ['s'])];
    const model = await readGraph(graph({ nodes }));
    expect(model.nodes.map(({ outputs }) => outputs[0])).toEqual(nodes.map(({ output }) => output[0]));
  });

  it('sorts a long chain that comes backwards, in linear time and without recursion', async () => {
    const length = 50_000;
    const start = performance.now();
    const model = await readGraph(graph({ nodes: chain(length).reverse() }));
    expect(performance.now() - start).toBeLessThan(5000); // a quadratic sort takes minutes
    expect(model.nodes[0]?.inputs).toEqual(['x']);
    expect(model.nodes[length - 1]?.outputs).toEqual(['y']);
    expect(model.nodes.every((n, i) => i === 0 || n.inputs[0] === model.nodes[i - 1]?.outputs[0])).toBe(true);
  });

  it('refuses a circle and names a node on it', async () => {
    const nodes = [
      node('Neg', ['x'], ['h'], { name: 'before' }),
      node('Add', ['h', 'b'], ['a'], { name: 'on it' }),
      node('Exp', ['a'], ['b'], { name: 'on it' }),
      node('Neg', ['b'], ['y'], { name: 'after' }),
    ];
    expect(await refusal(readGraph(graph({ nodes })))).toContain("node 'on it' waits for its own result");
    expect(await refusal(readGraph(graph({ nodes: [node('Add', ['x', 'y'], ['y'], { name: 'self' })] })))).toContain(
      "node 'self' waits for its own result 'y'",
    );
  });
});

describe('readOnnx() of constants', () => {
  const constant = (...parts: Parameters<typeof attribute>): NodeProto =>
    node('Constant', [], ['c'], { attribute: [attribute(...parts)] });
  const add = node('Add', ['x', 'c'], ['y']);

  it.each([
    [constant('value_float', { type: 1, f: 0.5 }), { type: 'float', shape: [], data: Float64Array.of(0.5) }],
    [constant('value_int', { type: 2, i: -3n }), { type: 'int', shape: [], data: Float64Array.of(-3) }],
    [constant('value_ints', { type: 7, ints: [1n, 2n] }), { type: 'int', shape: [2], data: Float64Array.of(1, 2) }],
    [constant('value_floats', { type: 6, floats: [0.5] }), { type: 'float', shape: [1], data: Float64Array.of(0.5) }],
    [
      constant('value', { type: 4, t: array('', [2], 7, { int64Data: [4n, 5n] }) }),
      { type: 'int', shape: [2], data: Float64Array.of(4, 5) },
    ],
  ])('folds form %#', async (made, expected) => {
    const model = await readGraph(graph({ nodes: [made, add] }));
    expect(model.constants.get('c')).toEqual(expected);
    expect(model.nodes).toHaveLength(1);
  });

  it('makes weights of float lists and arrays', async () => {
    const expected = { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) };
    for (const made of [
      constant('value', { type: 4, t: two }),
      constant('value_floats', { type: 6, floats: [1, 2] }),
    ]) {
      expect((await readGraph(graph({ nodes: [made, add] }))).weights.get('c')).toEqual(expected);
    }
  });

  it('checks and counts such lists like any weight', async () => {
    const list = (floats: number[]): NodeProto => constant('value_floats', { type: 6, floats });
    expect((await readGraph(graph({ nodes: [list([1, 2, 3]), add] }))).weightBytes).toBe(12);
    expect(await refusal(readGraph(graph({ nodes: [list([1, NaN]), add] })))).toContain("array 'c' holds NaN");
  });

  it('refuses text and sparse arrays where they are used', async () => {
    const string = constant('value_string', { type: 3, s: text('a') });
    const sparse = constant('sparse_value', { type: 11, sparseTensor: { values: two } });
    for (const made of [string, sparse]) {
      expect(await refusal(readGraph(graph({ nodes: [made, add] })))).toMatch(
        /value 'c', used by node 'Add_1' \(Add\), .* cannot be read/,
      );
      expect(await refusal(readGraph(graph({ nodes: [made, node('Neg', ['x'], ['y'])] })))).toBe('was read');
    }
    expect(await refusal(readGraph(graph({ nodes: [node('Constant', [], ['c']), add] })))).toContain('holds no value');
  });

  it('lets Identity of an array stand for the array, save as an output', async () => {
    const nodes = [
      node('Identity', ['two'], ['a']),
      node('Identity', ['a'], ['b']),
      node('Add', ['x', 'b'], ['y']),
      node('Identity', ['two'], ['z']),
      node('Identity', ['x'], ['w']),
    ];
    const model = await readGraph(graph({ nodes, arrays: [two], outputs: [value('y'), value('z'), value('w')] }));
    expect(model.nodes.map((n) => [n.operator, ...n.inputs])).toEqual([
      ['Add', 'x', 'two'],
      ['Identity', 'two'],
      ['Identity', 'x'],
    ]);
    expect([...model.weights.keys()]).toEqual(['two']);
  });
});

describe('readOnnx() of branches', () => {
  const branch = (name: string, source: string): ReturnType<typeof attribute> =>
    attribute(name, {
      type: 5,
      g: graph({
        nodes: [node('Add', [source, 'k'], ['r'])],
        arrays: [floats('k', [], [1])],
        inputs: [],
        outputs: [value('r')],
      }),
    });

  it('reads them as graphs that may use what is around them, which is then made before', async () => {
    const nodes = [
      node('If', ['x'], ['y'], { attribute: [branch('then_branch', 'h'), branch('else_branch', 'x')] }),
      node('Neg', ['x'], ['h']),
    ];
    const model = await readGraph(graph({ nodes }));
    expect(model.nodes.map(({ operator }) => operator)).toEqual(['Neg', 'If']);
    const inner = model.nodes[1]?.attributes.get('then_branch');
    expect(inner?.kind === 'graph' && inner.value.nodes[0]?.inputs).toEqual(['h', 'k']);
    expect(inner?.kind === 'graph' && inner.value.constants.has('k')).toBe(true);
  });

  it('refuses what is made nowhere and a circle through a branch', async () => {
    const lost = [node('If', ['x'], ['y'], { attribute: [branch('then_branch', 'nowhere')] })];
    expect(await refusal(readGraph(graph({ nodes: lost })))).toContain("value 'nowhere'");
    const circle = [node('If', ['x'], ['y'], { name: 'fork', attribute: [branch('then_branch', 'y')] })];
    expect(await refusal(readGraph(graph({ nodes: circle })))).toContain("node 'fork' waits for its own result 'y'");
  });

  it('refuses branches nested without end', async () => {
    let nested = branch('body', 'x');
    for (let i = 0; i < 20; i++) {
      const nodes = [node('If', ['x'], ['r'], { attribute: [nested] })];
      nested = attribute('body', { type: 5, g: graph({ nodes, inputs: [], outputs: [value('r')] }) });
    }
    const nodes = [node('If', ['x'], ['y'], { attribute: [nested] })];
    expect(await refusal(readGraph(graph({ nodes })))).toContain('nests more than 8 branches and loops');
  });
});

describe('readOnnx() of operator sets', () => {
  const main = graph({ nodes: [node('Neg', ['x'], ['y'])] });

  it.each([11, 17, 23])('reads opset %i', async (opset) => {
    expect((await readOnnx('m', file(main, { opset }))).opset).toBe(opset);
  });

  it.each([10, 24, 0])('refuses opset %i in one line', async (opset) => {
    expect(await refusal(readOnnx('m', file(main, { opset })))).toContain(`expected opset 11 to 23, got ${opset}.`);
  });

  it('refuses fused operators all at once, with the flags that avoid them', async () => {
    const nodes = [
      node('Gelu', ['x'], ['a'], { domain: 'com.microsoft' }),
      node('GroupNorm', ['a'], ['b'], { domain: 'com.microsoft' }),
      node('Gelu', ['b'], ['y'], { domain: 'com.microsoft' }),
    ];
    const message = await refusal(readGraph(graph({ nodes })));
    expect(message).toContain('com.microsoft.Gelu (2), com.microsoft.GroupNorm (1)');
    expect(message).toContain('optimum-cli without --optimize');
  });

  it('refuses operators of other domains with another advice, and takes ai.onnx as its own', async () => {
    const foreign = (domain: string): Promise<string> =>
      refusal(readGraph(graph({ nodes: [node('Op', ['x'], ['y'], { domain })] })));
    expect(await foreign('org.pytorch.aten')).toMatch(
      /org\.pytorch\.aten\.Op \(1\)\. Export it with ONNX's own operators/,
    );
    expect(await foreign('ai.onnx')).toBe('was read');
  });
});
