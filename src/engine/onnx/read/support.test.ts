import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../model.ts';
import { attribute, graph, node, readGraph, value } from './model.fixture.ts';
import { describeOperators, unsupportedMessage, unsupportedNodes } from './support.ts';

const inner = graph({ nodes: [node('TopK', ['x'], ['r'])], inputs: [], outputs: [value('r')] });
const model: OnnxModel = await readGraph(
  graph({
    nodes: [
      node('Neg', ['x'], ['a']),
      node('Neg', ['a'], ['b'], { name: 'again' }),
      node('If', ['b'], ['c'], { name: 'fork', attribute: [attribute('then_branch', { type: 5, g: inner })] }),
      node('Add', ['b', 'c'], ['d']),
      node('Mystery', ['d'], ['y']),
    ],
  }),
);

describe('describeOperators()', () => {
  it('counts operators, most frequent first, with those in branches', () => {
    expect([...describeOperators(model)]).toEqual([
      ['Neg', 2],
      ['Add', 1],
      ['If', 1],
      ['Mystery', 1],
      ['TopK', 1],
    ]);
  });
});

describe('unsupportedNodes()', () => {
  it('lists the operators that are not supported with their nodes and an advice', () => {
    const list = unsupportedNodes(model, new Set(['Neg', 'Add']));
    expect(list.map(({ operator, nodes }) => [operator, nodes])).toEqual([
      ['If', ['fork']],
      ['TopK', ['TopK_0']],
      ['Mystery', ['Mystery_4']],
    ]);
    expect(list[0]?.advice).toContain('export with fixed sizes');
    expect(list.every(({ advice }) => advice.length > 0)).toBe(true);
  });

  it('is empty where all operators are supported', () => {
    expect(unsupportedNodes(model, new Set(describeOperators(model).keys()))).toEqual([]);
  });
});

describe('unsupportedMessage()', () => {
  it('names operators and nodes in one line, operators of one advice together', () => {
    expect(unsupportedMessage(unsupportedNodes(model, new Set(['Neg', 'Add', 'TopK', 'Mystery'])))).toBe(
      'uses operators that cannot be read. If (fork): export with fixed sizes (no dynamic_axes), so that loops and branches unroll.',
    );
    const list = ['If', 'Loop'].map((operator) => ({ operator, nodes: ['n'], advice: 'do so' }));
    expect(unsupportedMessage(list)).toBe('uses operators that cannot be read. If (n), Loop (n): do so.');
  });

  it('stays short however many there are', () => {
    const nodes = Array.from({ length: 5000 }, (_, i) => `${'long'.repeat(100)}${i}`);
    const list = Array.from({ length: 500 }, (_, i) => ({ operator: `Op${i}`, nodes, advice: `advice ${i}` }));
    const message = unsupportedMessage(list);
    expect(message.length).toBeLessThan(2000);
    expect(message).toContain('and 4997 more');
    expect(message).toContain('And 494 more operators.');
  });
});
