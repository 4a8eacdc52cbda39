import { describe, expect, it } from 'vitest';
import { edmPreconditioning } from '../../diffusion/edm.ts';
import { pixelMap } from './pixel-map.ts';

describe('pixelMap()', () => {
  it('pixelMap() restates D = low + scale (D_model(x_model) - model low) exactly for a nonlinear network', () => {
    const model = { low: 0, high: 255 };
    const map = pixelMap(model);
    const network = (x: number): number => Math.tanh(x / 100) + 3;
    for (const sigma of [0.01, 0.5, 7]) {
      const { cSkip, cOut, cIn } = edmPreconditioning(sigma / map.scale, 60);
      const own = { cSkip, cOut, cIn, time: 0 };
      const mapped = map.coefficients(own);
      for (const x of [-1.7, -1, 0, 0.3, 1]) {
        const inModel = (x + 1) * 127.5;
        const direct = (cSkip * inModel + cOut * network(cIn * inModel)) / 127.5 - 1;
        const { inShift, outShift } = mapped;
        const restated = mapped.cSkip * x + mapped.cOut * network(mapped.cIn * x + inShift) + outShift;
        // A dozen roundings of values up to 255 / 127.5.
        expect(Math.abs(restated - direct)).toBeLessThan(24 * 2 ** -52);
      }
    }
  });

  it('pixelMap() of equal ranges changes nothing, and an empty range is refused', () => {
    const own = { cSkip: 0.2, cOut: -3, cIn: 0.7, time: 5 };
    expect(pixelMap({ low: 0, high: 1 }, { low: 0, high: 1 }).coefficients(own)).toEqual({
      ...own,
      inShift: 0,
      outShift: 0,
    });
    expect(() => pixelMap({ low: 1, high: 1 })).toThrow(/expected low < high, got 1 to 1/);
  });
});
