import { describe, expect, it } from 'vitest';
import { alternatives, MOST_ALTERNATIVES } from './alternatives.ts';
import type { Alternative } from './alternatives.ts';
import { cosineChain, ddpmChain, latentChain } from './betas.ts';
import { parameterization } from './parameterization.ts';
import type { ParameterizationSpec } from './parameterization.ts';
import { parameterizationSchema } from './parameterization-schema.ts';

const usual = { low: -1, high: 1 };
const timed: ParameterizationSpec[] = [
  { kind: 'denoised' },
  { kind: 'edm' },
  { kind: 'epsilon' },
  { kind: 'v', schedule: latentChain },
  { kind: 'x0', schedule: cosineChain, time: 'unit', timeScale: 1000 },
  { kind: 'epsilon', schedule: { trainedBetas: [0.1, 0.2, 0.3] } },
  { kind: 'vp' },
  { kind: 've' },
  { kind: 'iddpm' },
  { kind: 'flow', timeScale: 1000 },
  { kind: 'score' },
];
const has = (list: readonly Alternative[], label: string): boolean => list.some((other) => other.label === label);

describe('alternatives()', () => {
  it.each(timed)('alternatives(%o) are few, valid, labelled apart and the same every time', (spec) => {
    for (const range of [usual, { low: 0, high: 255 }, { low: -2, high: 2 }]) {
      const list = alternatives({ parameterization: spec, range }, true);
      expect(list.length).toBeGreaterThan(15);
      expect(list.length).toBeLessThanOrEqual(MOST_ALTERNATIVES);
      expect(new Set(list.map(({ label }) => label)).size).toBe(list.length);
      for (const other of list) {
        expect(parameterizationSchema.safeParse(JSON.parse(JSON.stringify(other.parameterization))).success).toBe(true);
        expect(parameterization(other.parameterization).needsTime).toBe(true);
      }
      expect(alternatives({ parameterization: spec, range }, true)).toEqual(list);
    }
  });

  it.each(timed)('alternatives(%o) never repeat the chosen reading', (spec) => {
    const chosen = parameterization(spec);
    for (const other of alternatives({ parameterization: spec, range: usual }, true)) {
      if (other.range.low !== -1 || other.range.high !== 1) continue;
      const reading = parameterization(other.parameterization);
      const differ = [0.05, 0.3, 1, 4, 20].some((sigma) => {
        const [a, b] = [chosen.coefficients(sigma), reading.coefficients(sigma)];
        return a.cSkip !== b.cSkip || a.cOut !== b.cOut || a.cIn !== b.cIn || Math.abs(a.time - b.time) > 1e-3;
      });
      expect(differ).toBe(true);
    }
  });

  it('alternatives() hold the mistakes that people make', () => {
    const list = alternatives({ parameterization: { kind: 'epsilon', schedule: ddpmChain }, range: usual }, true);
    for (const label of [
      'epsilon, linear, pixels 0..1',
      'epsilon, linear, pixels 0..255',
      'epsilon, scaled_linear, pixels -1..1',
      'epsilon, squaredcos_cap_v2, pixels -1..1',
      'epsilon, linear, time unit, pixels -1..1',
      'v, linear, pixels -1..1',
      'v, scaled_linear, pixels -1..1',
      'x0, linear, pixels -1..1',
      'x0, linear, pixels 0..1',
      'flow, time x 1000, pixels -1..1',
      'flow, pixels 0..1',
      'edm, pixels -1..1',
      'denoised, pixels -1..1',
    ]) {
      expect(has(list, label), label).toBe(true);
    }
    expect(list[0]?.label).toBe('epsilon, linear, pixels 0..1');
  });

  it('alternatives() of vp and iddpm do not offer the epsilon that is the same', () => {
    expect(
      has(alternatives({ parameterization: { kind: 'vp' }, range: usual }, true), 'epsilon, linear, pixels -1..1'),
    ).toBe(false);
    const iddpm = alternatives({ parameterization: { kind: 'iddpm' }, range: usual }, true);
    expect(has(iddpm, 'epsilon, squaredcos_cap_v2, pixels -1..1')).toBe(false);
  });

  it('alternatives() of a graph without time are residual and blind at the usual ranges', () => {
    const labels = (chosen: ParameterizationSpec): string[] =>
      alternatives({ parameterization: chosen, range: { low: 0, high: 1 } }, false).map(({ label }) => label);
    expect(labels({ kind: 'residual' })).toEqual([
      'residual, pixels -1..1',
      'residual, pixels 0..255',
      'blind, pixels 0..1',
      'blind, pixels -1..1',
      'blind, pixels 0..255',
    ]);
    // One that needs a time which the graph does not take: both, at every range.
    expect(labels({ kind: 'epsilon' })).toHaveLength(6);
  });
});
