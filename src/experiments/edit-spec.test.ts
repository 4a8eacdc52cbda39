import { describe, expect, it } from 'vitest';

import { sigmaFromVpTime } from '../diffusion/coordinates.ts';
import { SpecError } from '../errors/errors.ts';
import { defaultSigma, defaultStrengths, parseStrengths, resolveEditSpec } from './edit-spec.ts';

describe('resolveEditSpec()', () => {
  it('resolveEditSpec() fills in what is not said: the shipped faces, automatic parts, a direction each', () => {
    const spec = resolveEditSpec({});
    expect(spec).toMatchObject({
      model: 'faces',
      image: '0',
      mask: 'auto',
      directions: 1,
      method: 'loco',
      nullRank: 5,
    });
    expect(resolveEditSpec({ mask: 'box:1,2,3,4' })).toMatchObject({ directions: 5, nullRank: 20 });
    expect(resolveEditSpec({ mask: 'part:2' }).nullRank).toBe(5);
    expect(resolveEditSpec({ transfer: 'a.json,b.json' })).toMatchObject({
      transfer: ['a.json', 'b.json'],
      mask: 'none',
    });
    expect(resolveEditSpec({ towardsClass: 3 })).toMatchObject({ method: 'supervised', directions: 1 });
    // A spec resolves to itself: it can be stored and said again.
    expect(resolveEditSpec(JSON.parse(JSON.stringify({ model: 'fashion', image: '3', seed: 9 })) as object)).toMatchObject({ seed: 9 }); // prettier-ignore
  });

  it('resolveEditSpec() turns times of the linear VP schedule into noise levels', () => {
    expect(resolveEditSpec({ time: 0.6 }).sigma).toBeCloseTo(sigmaFromVpTime(0.6), 12);
    expect(resolveEditSpec({ time: 0.6, boost: 0.2 }).boost).toBeCloseTo(sigmaFromVpTime(0.2), 12);
  });

  it('resolveEditSpec() refuses in one line what is wrong and what excludes each other', () => {
    const wrong: [Parameters<typeof resolveEditSpec>[0], RegExp][] = [
      [{ sigma: 1, time: 0.5 }, /--sigma or --time, got both/],
      [{ time: 1.5 }, /time between 0 and 1, got 1.5/],
      [{ boost: 0 }, /boost: expected a time/],
      [{ sigma: -1 }, /sigma: expected a number above 0, got -1/],
      [{ directions: 0 }, /directions: expected an integer from 1/],
      [{ towardsClass: 1, towardsText: 'a.npy' }, /--towards-class or --towards-text/],
      [{ towardsClass: 1, method: 'loco' }, /no --method beside a condition/],
      [{ method: 'supervised' }, /for --method supervised, got neither/],
      [{ transfer: 'a.json', mask: 'auto' }, /--transfer\) or a search/],
      [{ compose: '1=x' }, /DIRECTION=STRENGTH between commas, such as 1=4,3=-3, got '1=x'/],
      [{ compose: '0=1' }, /compose.*expected an integer from 1/],
      [{ strength: '6:-6' }, /--strength: expected low:high/],
    ];
    for (const [input, message] of wrong) {
      expect(() => resolveEditSpec(input)).toThrow(SpecError);
      expect(() => resolveEditSpec(input)).toThrow(message);
    }
  });
});

describe('strengths and noise levels', () => {
  it('parseStrengths() reads spans and lists, ascending, with 0 among them once', () => {
    expect(parseStrengths('-6:6')).toEqual([-6, -4, -2, 0, 2, 4, 6]);
    expect(parseStrengths('-1:3:3')).toEqual([-1, 0, 1, 3]);
    expect(parseStrengths('4,-2,4')).toEqual([-2, 0, 4]);
    expect(Object.is(parseStrengths('-2:2:3')[1], 0)).toBe(true);
    for (const bad of ['', '1:', ':', '1:2:3:4', '1:2:1', 'a,b', '1,,2', '2:2']) {
      expect(() => parseStrengths(bad)).toThrow(SpecError);
    }
  });

  it("defaultSigma() and defaultStrengths() meet the paper's values at 256 pixels and ours at 32", () => {
    expect(defaultSigma([3, 32, 32])).toBe(2);
    expect(Math.abs(defaultSigma([3, 256, 256]) / sigmaFromVpTime(0.6) - 1)).toBeLessThan(0.02);
    const ends = defaultStrengths([3, 32, 32]);
    expect([ends[0], ends[3], ends[6]]).toEqual([-3, 0, 3]);
    expect(defaultStrengths([3, 256, 256]).at(-1)).toBe(15);
    expect(defaultSigma([48])).toBe(1);
    expect(defaultStrengths([48]).at(-1)).toBe(1);
  });
});
