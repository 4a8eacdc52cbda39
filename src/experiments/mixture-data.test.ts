import { describe, expect, it } from 'vitest';
import { SpecError } from '../errors/errors.ts';
import { singularValues } from '../linalg/svd.ts';
import { castFloat } from '../tensor/tensor.ts';
import { splitMixtureData } from './mixture-data.ts';
import { splitDataset } from './split-dataset.ts';

const all = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

describe('splitMixtureData()', () => {
  it('splitMixtureData() draws as many samples as are named, in the span of all subspaces, equally many of each', async () => {
    const { train, heldout } = splitMixtureData('molrg:n=12,K=2,d=3:40');
    expect(train).toMatchObject({ name: 'molrg:n=12,K=2,d=3:40', count: 40, sampleShape: [12] });
    expect(train.labels?.filter((k) => k === 0)).toHaveLength(20);
    const values = singularValues(castFloat(await train.read(all(40)), 'float64'));
    // Rounding to float32 leaves about eps sqrt(40) of the largest value.
    expect(values.filter((s) => s > 1e-5 * (values[0] as number))).toHaveLength(6);
    expect(heldout.count).toBe(1000);
  });

  it('splitMixtureData() nests smaller sets in larger ones and holds out others', async () => {
    const [small, large] = ['6', '20'].map((n) => splitMixtureData(`molrg:n=12,d=3,seed=4:${n}`));
    const few = (await small?.train.read(all(6)))?.data;
    expect((await large?.train.read(all(6)))?.data).toEqual(few);
    expect((await large?.heldout.read(all(6)))?.data).not.toEqual(few);
  });

  it('splitMixtureData() draws components by their weights where it has some', () => {
    const { train } = splitMixtureData('molrg:n=8,K=2,d=2,weights=9+1:1000');
    // 4 deviations of a binomial of 1,000 at 0.1.
    const second = train.labels?.filter((k) => k === 1).length ?? 0;
    expect(Math.abs(second - 100)).toBeLessThan(38);
  });

  it('splitDataset() takes a mixture by name', async () => {
    const { train } = await splitDataset('molrg:n=4,d=1');
    expect(train.count).toBe(4096);
  });

  it.each([
    'molrg:n=4',
    'molrg:',
    'molrg:n=4,d=1:0',
    'molrg:n=2,K=2,d=3:10',
    'molrg:n=4,d=1:99999999',
    'molrg:n=99999,d=1:99999',
  ])('splitMixtureData() refuses %s in one line', (name) => {
    expect(() => splitMixtureData(name)).toThrow(SpecError);
    expect(() => splitMixtureData(name)).toThrow(/^[^\n]+$/);
  });
});
