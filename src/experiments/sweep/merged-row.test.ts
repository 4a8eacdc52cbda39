import { expect, it } from 'vitest';
import { mergedRow } from './merged-row.ts';

it('mergedRow() puts parameters before a row and renames those that the row knows by another value', () => {
  const row = mergedRow({ key: 'k' }, { size: 16, train: 'a', seed: 0 }, { step: 5, train: 0.5, seed: 0 });
  expect(row).toEqual({ key: 'k', size: 16, 'spec.train': 'a', seed: 0, step: 5, train: 0.5 });
});

it('mergedRow() keeps the columns of the run where a row or a parameter has one of that name', () => {
  const row = mergedRow({ path: 'runs/a', key: 'k' }, { key: 3 }, { path: 'x.npy', step: 5 });
  expect(row).toEqual({ path: 'runs/a', key: 'k', 'spec.key': 3, 'row.path': 'x.npy', step: 5 });
});
