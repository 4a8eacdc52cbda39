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

  it('parseMixtureSpec() takes lists with +, weights and means', () => {
    expect(parseMixtureSpec('n=48,d=3+5,var=1e+1+0.5,weights=2+1,means=0+3')).toEqual({
      n: 48,
      ranks: [3, 5],
      variances: [10, 0.5],
      weights: [2, 1],
      means: [0, 3],
      seed: 0,
    });
    expect(parseMixtureSpec('n=48,d=3,means=1+2').ranks).toEqual([3, 3]);
  });

  it.each([
    ['K=2,d=6', 'expected n='],
    ['n=48', 'expected d='],
    ['n=48,d=6,K=0', 'expected K to be an integer >= 1'],
    ['n=48,d=6.5', "expected d to be an integer >= 1, got '6.5'"],
    ['n=48,d=', "expected d to be an integer >= 1, got ''"],
    ['n=48,d=6,var=-1', "expected var to be a number > 0, got '-1'"],
    ['n=0,d=6', "expected n to be an integer >= 1, got '0'"],
    ['n=48,d=6,var=0', "expected var to be a number > 0, got '0'"],
    ['n=48,d=6,weights=1+0', "expected weights to be a number > 0, got '0'"],
    ['n=48,d=6,means=-1', "expected means to be a number >= 0, got '-1'"],
    ['n=48,d=49', 'expected ranks with a sum of at most n = 48, got 49'],
    ['n=48,d=3+5,means=1+2+3', 'expected 1 or K = 3 values of d, got 2'],
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
