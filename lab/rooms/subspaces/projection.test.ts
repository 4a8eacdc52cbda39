import { describe, expect, it } from 'vitest';

import { projector } from './projection.ts';

describe('projector()', () => {
  it('sees the third axis upright from the front, and its end from above', () => {
    const front = projector({ turn: 0, tilt: 0 }, 1)(0, 0, 1);
    expect([front.x, front.y, front.depth]).toEqual([0, -1, 0]);
    const above = projector({ turn: 0, tilt: 90 }, 1)(0, 0, 1);
    expect(Math.hypot(above.x, above.y)).toBeLessThan(1e-15);
    expect(above.depth).toBeCloseTo(-1, 12);
  });

  it('turns without changing lengths, and shows near things larger', () => {
    for (const turn of [-130, 20, 77]) {
      const { x, y, depth, factor } = projector({ turn, tilt: 33 }, 2)(0.3, -1.1, 0.8);
      expect(Math.hypot(x / factor, y / factor, depth)).toBeCloseTo(Math.hypot(0.3, -1.1, 0.8), 12);
      expect(factor > 1).toBe(depth < 0);
    }
  });
});
