import { expect, test } from 'vitest';
import { CancelledError, DomainError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { repeatTrials, trialMean, trialRatio } from './trials.ts';

test('trialMean() gives mean, deviation and error of a few numbers', () => {
  const { mean, deviation, standardError, low, high, trials } = trialMean([1, 2, 3, 6]);
  expect([mean, trials]).toEqual([3, 4]);
  expect(deviation ** 2).toBeCloseTo(14 / 3, 12);
  expect(standardError).toBeCloseTo(deviation / 2, 12);
  expect((low + high) / 2).toBeCloseTo(3, 12);
  expect(high - low).toBeCloseTo(2 * 1.96 * standardError, 12);
});

test('trialRatio() is the ratio of the means, and its interval holds the truth 95 times in 100', () => {
  expect(trialRatio([2, 4], [1, 3]).mean).toBe(1.5);
  let held = 0;
  for (let t = 0; t < 400; t++) {
    const z = normal(randomKey(t, 'ratio'), [2, 200]).data;
    const below = Array.from({ length: 200 }, (_, i) => 10 + (z[i] as number));
    const above = below.map((b, i) => 0.3 * b + 0.5 * (z[200 + i] as number));
    const { low, high } = trialRatio(above, below);
    if (low <= 0.3 && 0.3 <= high) held++;
  }
  // 380 expected with a deviation of 4.4; four of them either way.
  expect(held).toBeGreaterThan(362);
  expect(held).toBeLessThan(398);
});

test('trialMean() and trialRatio() refuse trials that say nothing of the spread', () => {
  expect(() => trialMean([1])).toThrow(DomainError);
  expect(() => trialRatio([1, 2], [1])).toThrow(DomainError);
});

test('repeatTrials() does one after another, says how many are done, and stops between two when told to', async () => {
  const [done, heard]: [number[], number[]] = [[], []];
  await repeatTrials('trials', 3, (t) => done.push(t), { onTrial: (count) => heard.push(count) });
  expect([done, heard]).toEqual([
    [0, 1, 2],
    [1, 2, 3],
  ]);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  const stopped = repeatTrials('trials', 1e6, (t) => done.push(t), { signal: controller.signal });
  await expect(stopped).rejects.toThrow(CancelledError);
  expect(done.length).toBeLessThan(10);
});
