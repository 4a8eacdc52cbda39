import { beforeAll, describe, expect, test } from 'vitest';
import { CancelledError, DatasetError, ShapeError, SpecError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { inMemory } from '../data/dataset.ts';
import { empiricalDenoiser } from '../denoisers/empirical.ts';
import { gaussianDenoiser, wienerGain } from '../denoisers/gaussian.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { runInspect } from './inspect.ts';
import type { InspectRun, InspectSubject } from './inspect.ts';
import type { InspectProgress } from './inspect-points.ts';
import { resolveInspectSpec } from './inspect-spec.ts';
import { openDenoiser } from './models.ts';

const said = { command: 'eigenlens inspect test', version: '0.0.0' };
const n = 12;
const variances = Float64Array.from({ length: n }, (_, i) => 8 / (1 + i) ** 2);
const points = normal(randomKey(1, 'points'), [40, 3, 2, 2]);
const data = inMemory('points', points, { low: -4, high: 4 });
const denoiser = gaussianDenoiser({
  name: 'gaussian',
  sampleShape: [3, 2, 2],
  mean: new Float64Array(n),
  eigen: { values: variances, vectors: orthonormalRows(normal(randomKey(1, 'basis'), [n, n])).q },
});
const small = { sigmas: [0.05, 1, 20], images: 2, triplets: 3, samples: 5, steps: 6 };

describe('runInspect() on a Gaussian', () => {
  let run: InspectRun;
  const progress: InspectProgress[] = [];
  beforeAll(async () => {
    const spec = resolveInspectSpec(small);
    run = await runInspect(spec, {
      denoiser,
      heldout: data,
      train: data,
      variances,
      ...said,
      onProgress: (p) => progress.push(p),
    });
  });

  test('runInspect() gives every array the shape that the result type states', () => {
    const [L, I, K, M, T] = [3, 2, 3, 5, 9];
    const shapes = Object.fromEntries(
      Object.entries(run.arrays).map(([name, a]) => [name, (a as { shape: number[] }).shape]),
    );
    expect(shapes).toEqual({
      sigmas: [L],
      heldout: [I, 3, 2, 2],
      noisy: [L, I, 3, 2, 2],
      denoised: [L, I, 3, 2, 2],
      spectra_heldout: [L, I, n],
      spectra_trajectory: [L, 1, n],
      left_heldout: [L, I, K, n],
      right_heldout: [L, I, K, n],
      left_trajectory: [L, 1, K, n],
      right_trajectory: [L, 1, K, n],
      trajectory_sigmas: [T],
      trajectory_x: [T, 3, 2, 2],
      trajectory_denoised: [T, 3, 2, 2],
      samples: [M, 3, 2, 2],
      nearest: [M, 3, 2, 2],
      nearest_distance: [M],
      closest: [48, 3, 2, 2],
      closest_training: [48, 3, 2, 2],
    });
  });

  test('runInspect() finds l / (l + sigma^2) at every level, site and image', () => {
    const { sigmas, spectra_heldout: held, spectra_trajectory: along } = run.arrays;
    sigmas.data.forEach((sigma, level) => {
      for (let i = 0; i < n; i++) {
        const exact = wienerGain(variances[i] as number, sigma);
        expect(held.data[level * 2 * n + i]).toBeCloseTo(exact, 12);
        expect(held.data[level * 2 * n + n + i]).toBeCloseTo(exact, 12);
        expect(along.data[level * n + i]).toBeCloseTo(exact, 12);
      }
    });
  });

  test('runInspect() gives a row for every point, both rules, levels descending', () => {
    const { result } = run;
    expect(result.sigmas).toEqual([20, 1, 0.05]);
    expect(result.rankCurve).toHaveLength(3 * 3 * 2);
    for (const rows of [result.triplets, result.linearity, result.symmetryDefect]) {
      expect(rows.map((r) => [r.sigma, r.site, r.image])).toEqual(
        [20, 1, 0.05].flatMap((s) => [
          [s, 'heldout', 0],
          [s, 'heldout', 1],
          [s, 'trajectory', 0],
        ]),
      );
    }
    for (const row of result.triplets) {
      expect(row.status).toBe('converged');
      expect(Math.max(...row.residuals)).toBeLessThan(1e-12);
    }
    expect(result.model).toBe('gaussian');
    expect(result.command).toBe(said.command);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  test('runInspect() draws the same curve as the reference where the model is that Gaussian', () => {
    for (const { sigma, rule, ratio } of run.result.reference?.rankCurve ?? []) {
      for (const row of run.result.rankCurve) {
        if (row.sigma === sigma && row.rule === rule) expect(row.ratio).toBe(ratio);
      }
    }
    expect(run.result.reference?.rankCurve).toHaveLength(6);
  });

  test('runInspect() is certain of ranks that float64 rounding cannot move', () => {
    for (const { rank, bounds } of run.result.rankCurve) expect(bounds).toEqual([rank, rank]);
  });

  test('runInspect() measures steps of equal VP length, so longer ones at more noise', () => {
    const lengths = run.result.linearity.map((row) => [row.sigma, row.steps[0]?.length]);
    expect(lengths[0]).toEqual([20, expect.closeTo(0.1 * Math.sqrt(401), 12)]);
    for (const { steps } of run.result.linearity) for (const s of steps) expect(s.remainder).toBeLessThan(1e-11);
  });

  test('runInspect() counts its progress up to the end of each phase', () => {
    const last = new Map(progress.map((p) => [p.label, p]));
    expect([...last.keys()]).toEqual(['held-out', 'sampling', 'comparing pixels', 'Jacobians']);
    for (const { done, total } of last.values()) expect(done).toBe(total);
  });

  test('runInspect() of the same spec gives the same numbers', async () => {
    const again = await runInspect(resolveInspectSpec(small), { denoiser, heldout: data, ...said });
    expect(again.arrays.spectra_heldout.data).toEqual(run.arrays.spectra_heldout.data);
    expect(again.arrays.samples.data).toEqual(run.arrays.samples.data);
    expect(again.result.triplets).toEqual(run.result.triplets);
  });
});

describe('runInspect() on the optimal denoiser of a few points', () => {
  test('runInspect() draws training samples only, and their Jacobian has vanished at low noise', async () => {
    const { result, arrays } = await runInspect(resolveInspectSpec({ ...small, sigmas: [0.002, 20], steps: 18 }), {
      denoiser: empiricalDenoiser({ name: 'empirical', points }),
      heldout: data,
      train: data,
      ...said,
    });
    for (const d of arrays.nearest_distance?.data ?? [NaN]) expect(d).toBeLessThan(1e-6); // data are handed out as float32
    const low = result.rankCurve.filter((r) => r.sigma === 0.002 && r.site === 'trajectory');
    expect(low.map((r) => r.rank)).toEqual([0, 0]);
    expect(result.triplets.every((t) => t.status === 'converged')).toBe(true);
  });
});

describe('runInspect() on the mixture of low-rank Gaussians', () => {
  test('runInspect() reads the plateaus 0.125 and 0.25 at both sites', async () => {
    const sigmas = [0.002, 0.01, 0.1, 3, 10, 80];
    const { result } = await runInspect(resolveInspectSpec({ sigmas, images: 5, samples: 4 }), {
      ...(await openDenoiser('molrg:n=48,K=2,d=6')),
      ...said,
    });
    for (const { sigma, ratio, rule } of result.rankCurve) {
      if (sigma <= 0.1) expect(ratio).toBe(0.125);
      else if (rule === 'energy-0.99' || sigma > 3) expect(ratio).toBe(0.25);
    }
  });
});

describe('runInspect() and what it refuses', () => {
  const subject: InspectSubject = { denoiser, heldout: data, ...said };

  test('runInspect() passes on what fails beside it: a training set that cannot be read', async () => {
    const train = {
      ...data,
      batches: () => {
        throw new DatasetError('train', 'was cut short.');
      },
    };
    await expect(runInspect(resolveInspectSpec(small), { ...subject, train })).rejects.toThrow(DatasetError);
  });

  test('runInspect() refuses data of another shape and more images than there are', async () => {
    const vectors = inMemory('vectors', normal(randomKey(2), [4, 5]), { low: -1, high: 1 });
    await expect(runInspect(resolveInspectSpec(small), { ...subject, heldout: vectors })).rejects.toThrow(ShapeError);
    const many = resolveInspectSpec({ ...small, images: 41 });
    await expect(runInspect(many, subject)).rejects.toThrow(SpecError);
  });

  test('runInspect() refuses samples too large for whole Jacobians before it computes anything', async () => {
    const shape = [3, 128, 128];
    const large = inMemory('large', normal(randomKey(3), [2, ...shape]), { low: -1, high: 1 });
    const untouched = { ...denoiser, sampleShape: shape, denoise: () => expect.unreachable('nothing is computed') };
    const run = runInspect(resolveInspectSpec(small), { ...subject, denoiser: untouched, heldout: large });
    await expect(run).rejects.toThrow(/up to 13000 dimensions; .* has 49152/);
  });

  test.each(['held-out', 'sampling', 'Jacobians'])(
    'runInspect() stops when it is aborted in phase %s',
    async (phase) => {
      const controller = new AbortController();
      const work = runInspect(resolveInspectSpec(small), {
        ...subject,
        signal: controller.signal,
        onProgress: ({ label }) => {
          if (label === phase) controller.abort();
        },
      });
      await expect(work).rejects.toThrow(CancelledError);
    },
  );
});
