import { expect, it } from 'vitest';
import { editingTable } from './editing-table.ts';

it(
  'editing-table passes every claim at its tiny size: of two masked directions one edits the clothing, of two random ones none does',
  {
    timeout: 120_000,
  },
  async () => {
    const result = await editingTable.run('tiny', { seed: 0 });
    expect(result.claims.filter((c) => !c.pass)).toEqual([]);
    expect(result.claims).toHaveLength(3);
    const [ours, random] = result.values.scores as { method: string; changed: object; localSuccess: number }[];
    expect(ours).toMatchObject({ method: 'loco', changed: { clothing: 1 } });
    expect(random).toMatchObject({ method: 'random', localSuccess: 0 });
  },
);
