import { describe, expect, it } from 'vitest';
import { noiseFeatures } from './features.ts';

describe('noiseFeatures()', () => {
  it('noiseFeatures() are cosines then sines at frequencies from 1/8 to 8 in geometric progression', () => {
    const c = 0.37;
    const { data, shape } = noiseFeatures(Float64Array.of(c), 8);
    expect(shape).toEqual([1, 8]);
    // Four frequencies: ratio 64^(1/3) = 4.
    [1 / 8, 1 / 2, 2, 8].forEach((f, i) => {
      expect(Math.abs((data[i] as number) - Math.cos(2 * Math.PI * f * c))).toBeLessThan(2 ** -24);
      expect(Math.abs((data[4 + i] as number) - Math.sin(2 * Math.PI * f * c))).toBeLessThan(2 ** -24);
    });
  });

  it('noiseFeatures() of each level are those of the level alone', () => {
    const { data } = noiseFeatures(Float64Array.of(-1, 0, 1.1), 6);
    for (const [b, c] of [-1, 0, 1.1].entries()) {
      expect(data.slice(6 * b, 6 * (b + 1))).toEqual(noiseFeatures(Float64Array.of(c), 6).data);
    }
    expect(data.slice(6, 12)).toEqual(Float32Array.of(1, 1, 1, 0, 0, 0));
  });

  it('noiseFeatures() tell all levels from 0.002 to 80 apart, near ones by little', () => {
    const levels = Float64Array.from({ length: 200 }, (_, i) => Math.log(0.002 * 40_000 ** (i / 199)) / 4);
    const { data } = noiseFeatures(levels, 32);
    const row = (b: number): Float32Array => data.subarray(32 * b, 32 * (b + 1));
    const distance = (a: number, b: number): number => Math.hypot(...row(a).map((v, i) => v - (row(b)[i] as number)));
    for (let a = 0; a < 200; a++) {
      for (let b = a + 1; b < 200; b++) {
        // One feature pair turns by 2 pi f dc: for dc of a step, 0.0133, the fastest alone moves by 2 sin(pi 8 dc) = 0.65.
        expect(distance(a, b)).toBeGreaterThan(0.6);
      }
    }
    const last = distance(0, 1);
    // Chords are shorter than arcs: 2 pi dc |f|, with |f| the norm of all 16 frequencies.
    const norm = Math.hypot(...Array.from({ length: 16 }, (_, i) => 64 ** (i / 15) / 8));
    const step = (levels[1] as number) - (levels[0] as number);
    expect(last).toBeLessThan(2 * Math.PI * step * norm);
  });
});
