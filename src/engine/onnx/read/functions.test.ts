import type { FunctionProto, NodeProto } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../model.ts';
import { attribute, file, graph, localFunction, node, refusal, value } from './model.fixture.ts';
import { readOnnx } from './read-onnx.ts';

const call = (name: string, input: string[], output: string[], rest: Parameters<typeof node>[3] = {}): NodeProto =>
  node(name, input, output, { domain: 'own', ...rest });
const read = (nodes: NodeProto[], functions: FunctionProto[]): Promise<OnnxModel> =>
  readOnnx('m', file(graph({ nodes }), { functions }));

/** h = x * x in a value of its own; y = h + b. */
const square = localFunction(
  'Square',
  ['a', 'b'],
  ['y'],
  [node('Mul', ['a', 'a'], ['h']), node('Add', ['h', 'b'], ['y'])],
);

/** What a model computes for x, for Mul, Add and Identity. */
function evaluate(model: OnnxModel, x: number): number {
  const values = new Map([['x', x]]);
  for (const { operator, inputs, outputs } of model.nodes) {
    const [a = 0, b = 0] = inputs.map((name) => values.get(name) ?? NaN);
    values.set(outputs[0] ?? '', operator === 'Mul' ? a * b : operator === 'Add' ? a + b : a);
  }
  return values.get('y') ?? NaN;
}

describe('readOnnx() of a model with functions of its own', () => {
  it('replaces every call by the nodes of the function, under names of their own', async () => {
    const model = await read([call('Square', ['x', 'x'], ['s']), call('Square', ['s', 'x'], ['y'])], [square]);
    expect(model.nodes.map(({ operator }) => operator)).toEqual(['Mul', 'Add', 'Mul', 'Add']);
    expect(evaluate(model, 3)).toBe((3 * 3 + 3) ** 2 + 3);
    expect(model.nodes[0]?.name).toBe('Square_0/Mul_0');
  });

  it('follows functions that call functions', async () => {
    const fourth = localFunction(
      'Fourth',
      ['a'],
      ['r'],
      [call('Square', ['a', 'a'], ['h']), call('Square', ['h', 'h'], ['r'])],
    );
    const model = await read([call('Fourth', ['x'], ['y'])], [fourth, square]);
    const f = (v: number): number => v * v + v;
    expect(evaluate(model, 2)).toBe(f(f(2)));
  });

  it('hands through an input that is also an output', async () => {
    const both = localFunction('Both', ['a'], ['a', 'h'], [node('Add', ['a', 'a'], ['h'])]);
    expect(evaluate(await read([call('Both', ['x'], ['y', 'h'])], [both]), 7)).toBe(7);
    expect(evaluate(await read([call('Both', ['x'], ['', 'y'])], [both]), 7)).toBe(14);
  });

  it('binds attributes: as given, by default, or left out', async () => {
    const body = node('Clip', ['a'], ['y'], {
      attribute: ['given', 'default', 'neither'].map((refAttrName) =>
        attribute(`k_${refAttrName}`, { type: 2, refAttrName }),
      ),
    });
    const clip = localFunction('Own', ['a'], ['y'], [body], {
      attribute: ['given', 'neither'],
      attributeProto: [attribute('default', { type: 2, i: 5n })],
    });
    const given = [attribute('given', { type: 2, i: 4n })];
    const model = await read([call('Own', ['x'], ['y'], { attribute: given })], [clip]);
    expect(model.nodes[0]?.attributes).toEqual(
      new Map([
        ['k_given', { kind: 'int', value: 4 }],
        ['k_default', { kind: 'int', value: 5 }],
      ]),
    );
  });

  it('renames inside branches, which may use values of the function', async () => {
    const g = graph({ nodes: [node('Neg', ['h'], ['r'])], inputs: [], outputs: [value('r')] });
    const branching = localFunction(
      'Branch',
      ['a'],
      ['y'],
      [node('Neg', ['a'], ['h']), node('If', ['a'], ['y'], { attribute: [attribute('then_branch', { type: 5, g })] })],
    );
    const model = await read([call('Branch', ['x'], ['s']), call('Branch', ['s'], ['y'])], [branching]);
    const inner = model.nodes[3]?.attributes.get('then_branch');
    expect(inner?.kind === 'graph' && inner.value.nodes[0]?.inputs).toEqual(model.nodes[2]?.outputs);
  });

  it('refuses a function that calls itself or was written for another opset', async () => {
    const endless = localFunction('Endless', ['a'], ['y'], [call('Endless', ['a'], ['y'])]);
    expect(await refusal(read([call('Endless', ['x'], ['y'])], [endless]))).toMatch(
      /calls itself.*dynamo=False.*onnx\.inliner/,
    );
    const old = localFunction('Old', ['a'], ['y'], [node('Neg', ['a'], ['y'])], {
      opsetImport: [{ domain: '', version: 15n }],
    });
    expect(await refusal(read([call('Old', ['x'], ['y'])], [old]))).toContain(
      "function 'Old' uses opset 15, the model 17",
    );
  });

  it('refuses functions that double at every level before they fill the memory', async () => {
    const doubling = Array.from({ length: 30 }, (_, i) =>
      localFunction(`F${i}`, ['a'], ['y'], [call(`F${i + 1}`, ['a'], ['h']), call(`F${i + 1}`, ['h'], ['y'])]),
    );
    const last = localFunction('F30', ['a'], ['y'], [node('Neg', ['a'], ['y'])]);
    const start = performance.now();
    const message = await refusal(read([call('F0', ['x'], ['y'])], [...doubling, last]));
    expect(message).toContain('holds more nodes than any real model');
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
