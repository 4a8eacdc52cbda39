import { describe, expect, it } from 'vitest';
import { SpecError } from '../errors/errors.ts';
import { parseMixtureSpec } from './mixture-spec.ts';

describe('parseMixtureSpec()', () => {
  it("parseMixtureSpec('n=48,K=2,d=6') is the mixture of the papers' figure", () => {
    expect(parseMixtureSpec('n=48,K=2,d=6')).toEqual({ n: 48, ranks: [6, 6], variances: [1, 1], seed: 0 });
  });

  it('parseMixtureSpec() takes lists of ranks and variances, a seed, and K from the list', () => {
    expect(parseMixtureSpec(' n=20, d=3:5, var=1:0.25, seed=7')).toEqual({
      n: 20,
      ranks: [3, 5],
      variances: [1, 0.25],
      seed: 7,
    });
  });

  it.each([
    ['K=2,d=6', 'expected n='],
    ['n=48', 'expected d='],
    ['n=48,d=6,K=0', 'expected K to be an integer >= 1'],
    ['n=48,d=6.5', "expected d to be an integer >= 1, got '6.5'"],
    ['n=48,d=', "expected d to be an integer >= 1, got ''"],
    ['n=48,d=6,var=-1', "expected var to be a number > 0, got '-1'"],
    ['n=48,d=6,rank=3', "got 'rank=3'"],
    ['n=48,d=6,d=7', 'expected d once'],
    ['n=48,K=3,d=3:5', 'expected 1 or K = 3 values of d, got 2'],
    ['n=10,K=2,d=6', 'expected ranks with a sum of at most n = 10, got 12'],
    ['', "got ''"],
  ])("parseMixtureSpec('%s') throws SpecError that says why", (text, why) => {
    expect(() => parseMixtureSpec(text)).toThrow(SpecError);
    expect(() => parseMixtureSpec(text)).toThrow(why);
  });

  it('parseMixtureSpec() names all problems at once, in one line', () => {
    expect(() => parseMixtureSpec('d=0,var=x')).toThrow(/^molrg: .*n=.*d to be.*var to be.*Write it like.*$/);
  });
});
