import { describe, expect, it } from 'vitest';
import type { OnnxDimension, OnnxGraph, OnnxValueInfo } from '../../engine/onnx/model.ts';
import { ModelError } from '../../errors/errors.ts';
import { assignRoles, sampleShapeOf } from './roles.ts';

function port(name: string, elementType: string, ...shape: OnnxDimension[]): OnnxValueInfo {
  return { name, elementType, shape };
}

function graph(...inputs: OnnxValueInfo[]): OnnxGraph {
  const outputs = [port('aux', 'float32', 'b', 16), port('out', 'float32', 'b', 3, 32, 32)];
  return { inputs, outputs, nodes: [], weights: new Map(), constants: new Map() };
}

const image = port('x', 'float32', 'b', 3, 32, 32);

describe('assignRoles()', () => {
  it('assignRoles() knows the inputs of optimum, hand-made, EDM, guided-diffusion and blind exports', () => {
    const optimum = assignRoles(
      'optimum',
      graph(
        port('sample', 'float32', 'batch', 4, 64, 64),
        port('timestep', 'float32'),
        port('encoder_hidden_states', 'float32', 'batch', 77, 768),
      ),
    );
    expect(optimum).toMatchObject({ sample: { name: 'sample' }, time: { name: 'timestep' }, batched: false });
    expect(optimum.text?.name).toBe('encoder_hidden_states');
    const edm = assignRoles(
      'edm',
      graph(image, port('sigma', 'float32', 'b'), port('class_labels', 'float32', 'b', 10)),
    );
    expect(edm).toMatchObject({ time: { name: 'sigma' }, classLabels: { name: 'class_labels' }, batched: true });
    const guided = assignRoles('adm', graph(image, port('y', 'int64', 'b'), port('timesteps', 'int64', 'b')));
    expect(guided).toMatchObject({ time: { name: 'timesteps' }, classLabels: { name: 'y' } });
    const blind = assignRoles('blind', graph(image));
    expect(blind).toMatchObject({ time: undefined, output: { name: 'out' }, batched: true });
  });

  it('assignRoles() takes one sample at a time where the batch is fixed or the time is one for all', () => {
    expect(assignRoles('m', graph(port('x', 'float32', 1, 3, 32, 32), port('t', 'float32', 1))).batched).toBe(false);
    expect(assignRoles('m', graph(image, port('t', 'float32', 1))).batched).toBe(false);
  });

  it('assignRoles() lets the user name what shapes do not tell, and refuses what stays open, in one line', () => {
    const twice = graph(port('a', 'float32', 'b', 3, 8, 8), port('b', 'float32', 'b', 3, 8, 8));
    expect(() => assignRoles('m', twice)).toThrow(/'a' \(float32 \[b, 3, 8, 8\]\) and 'b' .* --input sample=NAME/);
    const named = assignRoles('m', twice, { sample: 'b', fixed: ['a'] });
    expect([named.sample.name, named.fixed[0]?.name]).toEqual(['b', 'a']);
    expect(() => assignRoles('m', twice, { sample: 'b' })).toThrow(/input 'a' .* has no role.*--fix a=0/);
    expect(() => assignRoles('m', twice, { sample: 'c' })).toThrow(/'c', named as the sample.*'a', 'b'/);
    expect(() => assignRoles('m', graph(image), { output: 'eps' })).toThrow(/'eps', named as the output.*'aux', 'out'/);
    expect(() => assignRoles('m', graph(port('t', 'float32')))).toThrow(ModelError);
  });
});

describe('sampleShapeOf()', () => {
  it('sampleShapeOf() fills open sizes from what is asked for and refuses what contradicts the graph', () => {
    const open = port('x', 'float32', 'n', 3, 'h', 'w');
    expect(sampleShapeOf('m', image, undefined)).toEqual([3, 32, 32]);
    expect(sampleShapeOf('m', open, [3, 20, 24])).toEqual([3, 20, 24]);
    expect(() => sampleShapeOf('m', open, undefined)).toThrow(/leaves its size open.*--shape 3x32x32/);
    expect(() => sampleShapeOf('m', open, [1, 20, 24])).toThrow(/does not take samples of 1x20x24/);
  });
});
