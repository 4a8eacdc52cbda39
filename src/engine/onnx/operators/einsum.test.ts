import { expect, test } from 'vitest';
import { opsOf } from '../../graph.fixture.ts';
import { argument, expectAgreesWithRuntime, text } from './agreement.fixture.ts';
import { graphsOf } from './traced.fixture.ts';

const trials: readonly (readonly [string, ...(readonly number[])[]])[] = [
  ['bct,bcs->bts', [2, 3, 4], [2, 3, 5]],
  ['ncq,nck->nqk', [2, 3, 4], [2, 3, 4]],
  ['nqk,nck->ncq', [2, 4, 5], [2, 3, 5]],
  ['bhid,bhjd->bhij', [2, 2, 3, 4], [2, 2, 5, 4]],
  ['nhwpqc->nchpwq', [2, 2, 3, 2, 2, 3]],
  ['i,j->ij', [3], [4]],
  ['ij,jk', [3, 4], [4, 2]],
  ['ba,cb', [3, 4], [2, 3]],
  ['...ij,...jk->...ik', [2, 3, 4], [2, 4, 2]],
  ['...ij,jk', [2, 5, 3, 4], [4, 2]],
  ['ij->j', [3, 4]],
  ['ij, kj , ik -> k', [3, 4], [2, 4], [3, 2]],
  ['ij,ij->ij', [3, 4], [3, 4]],
  ['ij,ij->', [3, 4], [3, 4]],
];

test.each(trials.map(([equation, ...shapes]) => ({ equation, shapes })))(
  'Einsum agrees with the runtime: $equation',
  async ({ equation, shapes }) => {
    const inputs = shapes.map((shape, i) => argument(`operand ${i}`, ...shape));
    await expectAgreesWithRuntime({ operator: 'Einsum', inputs, attributes: { equation: text(equation) } });
  },
);

test('Einsum of one operand is a transposition', async () => {
  const inputs = [argument('patches', 2, 2, 3, 2, 2, 3)];
  const { forward } = await graphsOf({ operator: 'Einsum', inputs, attributes: { equation: text('nhwpqc->nchpwq') } });
  expect(opsOf(forward)).toEqual(['transpose']);
});

test.each([
  ['ii->i', [3, 3], 'takes a diagonal'],
  ['ij,jk->ik', [3, 3], 'has 1 operands'],
  ['ijk->k', [3, 3], "has an operand of rank 2 for 'ijk'"],
] as const)('Einsum %s of %j is refused', async (equation, shape, words) => {
  const trial = { operator: 'Einsum', inputs: [argument('x', ...shape)], attributes: { equation: text(equation) } };
  await expect(graphsOf(trial)).rejects.toThrow(words);
});
