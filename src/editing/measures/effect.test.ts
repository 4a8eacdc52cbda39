import { describe, expect, test } from 'vitest';
import { gaussianDenoiser } from '../../denoisers/gaussian.ts';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, reshape, row, slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { composability, effectLinearity, measuredSlope, transferAgreement } from './effect.ts';

const strengths = [-2, -0.5, 0, 1, 3];
const base = vector(0.3, -0.7, 0.2, 0.9);

function vector(...data: number[]): Tensor<'float64'> {
  return tensor('float64', [data.length], Float64Array.from(data));
}

/** base + change(strength) for every strength, [S, 4]. */
function edits(change: (strength: number) => number[]): Tensor<'float64'> {
  const rows = strengths.map((s) => base.data.map((b, i) => b + (change(s)[i] as number)));
  return tensor('float64', [strengths.length, 4], Float64Array.from(rows.flatMap((r) => [...r])));
}

describe('effectLinearity()', () => {
  test('effectLinearity() of an effect with a square term at right angles is its closed form', () => {
    // Change lam a + lam^2 b with |a| = 5, |b| = 2, a b = 0: tangent of the angle is lam |b| / |a|.
    const found = effectLinearity(strengths, edits((s) => [3 * s, 4 * s, 2 * s * s, 0]), base, vector(3, 4, 0, 0)); // prettier-ignore
    expect(found.map(({ strength }) => strength)).toEqual(strengths);
    found.forEach(({ strength, cosine, normRatio }) => {
      const secant = Math.hypot(1, 0.4 * strength);
      expect(cosine).toBeCloseTo(1 / secant, 12);
      expect(normRatio).toBeCloseTo(secant, 12);
    });
  });

  test('effectLinearity() tells a step against the prediction, no effect, and a change at strength 0', () => {
    const against = effectLinearity(
      strengths,
      edits((s) => [-2 * s, 0, 0, 0]),
      base,
      vector(1, 0, 0, 0),
    );
    expect(against[3]?.cosine).toBeCloseTo(-1, 14);
    expect(against[3]?.normRatio).toBeCloseTo(2, 14);
    const none = effectLinearity(strengths, edits(() => [0, 0, 0, 0]), base, vector(1, 0, 0, 0)); // prettier-ignore
    expect(none[2]).toEqual({ strength: 0, cosine: 1, normRatio: 1 });
    expect(none[3]).toEqual({ strength: 1, cosine: 0, normRatio: 0 });
    const moved = effectLinearity(strengths, edits(() => [0, 0.1, 0, 0]), base, vector(1, 0, 0, 0)); // prettier-ignore
    expect(moved[2]).toEqual({ strength: 0, cosine: 0, normRatio: Infinity });
  });

  test('effectLinearity() takes float32 images [S, C, H, W]', () => {
    const images = reshape(castFloat(edits((s) => [s, 2 * s, 0, 0]), 'float32'), [5, 1, 2, 2]); // prettier-ignore
    const kept = castFloat(base, 'float32');
    const found = effectLinearity(strengths, images, reshape(kept, [1, 2, 2]), vector(1, 2, 0, 0));
    for (const { cosine, normRatio } of found) {
      expect(cosine).toBeCloseTo(1, 6);
      expect(normRatio).toBeCloseTo(1, 6);
    }
  });

  test('effectLinearity() refuses sizes that differ', () => {
    const images = edits(() => [0, 0, 0, 0]);
    expect(() => effectLinearity([1, 2], images, base, base)).toThrow(ShapeError);
    expect(() => effectLinearity(strengths, images, base, vector(1, 0, 0))).toThrow(ShapeError);
    expect(() => effectLinearity(strengths, images, vector(1, 0, 0), vector(1, 0, 0))).toThrow(ShapeError);
  });
});

describe('measuredSlope()', () => {
  test('measuredSlope() of a Gaussian denoiser along an eigenvector is the singular value l / (l + sigma^2)', async () => {
    const n = 12;
    const vectors = orthonormalRows(normal(randomKey(1, 'frame'), [4, n])).q;
    const values = Float64Array.of(4, 1, 0.5, 0.1);
    const mean = normal(randomKey(2, 'mean'), [n]).data;
    const denoiser = gaussianDenoiser({ name: 'g', sampleShape: [n], mean, eigen: { values, vectors } });
    const [sigma, x] = [0.8, normal(randomKey(3, 'x'), [1, n])];
    for (let k = 0; k < 4; k++) {
      const v = slice(vectors, k, k + 1);
      const points = strengths.flatMap((s) => [...x.data.map((p, i) => p + s * (v.data[i] as number))]);
      const images = await denoiser.denoise(tensor('float64', [5, n], Float64Array.from(points)), sigma);
      const start = row(castFloat(await denoiser.denoise(x, sigma), 'float64'), 0);
      const predicted = row(castFloat(await denoiser.linearize(x, sigma).apply(v), 'float64'), 0);
      const found = measuredSlope(strengths, images, start, predicted);
      const gain = (values[k] as number) / ((values[k] as number) + sigma * sigma);
      expect(found.slope).toBeCloseTo(gain, 12);
      expect(found.predicted).toBeCloseTo(gain, 12);
      expect(found.rSquared).toBeCloseTo(1, 12);
      found.projections.forEach((p, s) => expect(p).toBeCloseTo(gain * (strengths[s] as number), 12));
    }
  });

  test('measuredSlope() of a cubic effect is its least squares line through 0, blind to what lies across', () => {
    const cubic = (s: number): number => 2 * s - 0.1 * s ** 3;
    const images = edits((s) => [0.6 * cubic(s) - 0.8 * s, 0.8 * cubic(s) + 0.6 * s, 7 * s * s, 0]);
    const { slope, predicted, rSquared, projections } = measuredSlope(strengths, images, base, vector(1.2, 1.6, 0, 0));
    const moment = (p: number): number => strengths.reduce((sum, s) => sum + s ** p, 0);
    expect(predicted).toBeCloseTo(2, 14);
    const expected = 2 - (0.1 * moment(4)) / moment(2);
    expect(slope).toBeCloseTo(expected, 12);
    projections.forEach((p, i) => expect(p).toBeCloseTo(cubic(strengths[i] as number), 12));
    const total = strengths.reduce((sum, s) => sum + cubic(s) ** 2, 0);
    const missed = strengths.reduce((sum, s) => sum + (cubic(s) - expected * s) ** 2, 0);
    expect(rSquared).toBeCloseTo(1 - missed / total, 12);
    expect(rSquared).toBeLessThan(0.999);
  });

  test('measuredSlope() of an effect that goes nowhere is 0, and asks for a line that strengths can miss', () => {
    const still = edits(() => [0, 0, 0, 0]);
    expect(measuredSlope(strengths, still, base, vector(1, 0, 0, 0))).toMatchObject({ slope: 0, rSquared: 1 });
    expect(() => measuredSlope(strengths, still, base, vector(0, 0, 0, 0))).toThrow(DomainError);
    expect(() => measuredSlope([0, 1], slice(still, 0, 2), base, base)).toThrow(/two or more strengths/);
    expect(() => measuredSlope([1], still, base, base)).toThrow(ShapeError);
  });
});

describe('composability()', () => {
  test('composability() is 0 for effects that add up and the share of a cross term that does not', () => {
    const [a, b] = [vector(3, 0, 0, 0), vector(0, 4, 0, 0)];
    expect(composability(a, b, vector(3, 4, 0, 0))).toEqual({ remainder: 0, cosine: 1 });
    const crossed = composability(a, b, vector(3, 4, 0.5, 0));
    expect(crossed.remainder).toBeCloseTo(0.1, 14);
    expect(crossed.cosine).toBeCloseTo(1 / Math.hypot(1, 0.1), 14);
    // Only the first took effect.
    expect(composability(a, b, a).remainder).toBeCloseTo(0.8, 14);
    expect(composability(a, b, a).cosine).toBeCloseTo(0.6, 14);
  });

  test('composability() of effects that cancel is 0 where nothing is left and Infinity where something is', () => {
    const [a, b] = [vector(1, 2), vector(-1, -2)];
    expect(composability(a, b, vector(0, 0))).toEqual({ remainder: 0, cosine: 1 });
    expect(composability(a, b, vector(0, 1))).toEqual({ remainder: Infinity, cosine: 0 });
    expect(() => composability(a, b, vector(1))).toThrow(ShapeError);
  });
});

describe('transferAgreement()', () => {
  test('transferAgreement() gives the angle, and the length of the target over that of the source', () => {
    const source = vector(2, 0, 0, 0);
    const turned = transferAgreement(source, vector(0.5, 0.5 * Math.sqrt(3), 0, 0));
    expect(turned.cosine).toBeCloseTo(0.5, 14);
    expect(turned.normRatio).toBeCloseTo(0.5, 14);
    expect(transferAgreement(source, source)).toEqual({ cosine: 1, normRatio: 1 });
    expect(transferAgreement(source, vector(0, 0, 0, 0))).toEqual({ cosine: 0, normRatio: 0 });
    expect(() => transferAgreement(source, vector(1))).toThrow(ShapeError);
  });
});
