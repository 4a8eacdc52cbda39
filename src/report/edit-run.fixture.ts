import type { Mask } from '../editing/mask.ts';
import { changeInside } from '../editing/measures/change.ts';
import type { EditArrays, EditChange, EditDirection, EditResult } from '../experiments/edit-result.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { reshape, row, slice, sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What synthetic edits are made of. */
export interface EditSource {
  /** [1 + M, ...sampleShape] in [-1, 1]: the image and the others. */
  readonly images: Tensor<'float32'>;
  /** [D, ...sampleShape], as many a part: samples that an edit at the highest strength pulls its part towards. */
  readonly goals: Tensor<'float32'>;
  /** One a part; none for global directions. */
  readonly masks?: readonly Mask[];
  readonly judged?: boolean;
}

const STRENGTHS = [-4, -2, -1, 0, 1, 2, 4];
const PEAK = 4;
/** How much of the way to the goal the strongest edit goes, inside and outside its part. */
const [INSIDE, OUTSIDE] = [0.8, 0.05];
const ATTRIBUTES = ['smile', 'mouthOpen', 'glasses', 'hair', 'hairLength', 'skin', 'beard', 'clothing'];

/** A complete result of `edit` whose edits are straight lines between images: what figures and the page are tried on. */
export function editRun(source: EditSource): { result: EditResult; arrays: EditArrays } {
  const arrays = arraysOf(source);
  return { result: resultOf(source, arrays), arrays };
}

function arraysOf({ images, goals, masks = [] }: EditSource): EditArrays {
  const [count = 0, ...shape] = images.shape;
  const [size, D] = [sizeOf(shape), goals.shape[0] ?? 0];
  const base = images.data.map((v) => 0.98 * v);
  const steps = each(D, (d) => {
    const mask = masks[partOf(d, D, masks)]?.inside;
    const share = (i: number): number => (mask === undefined || mask[i % mask.length] === 1 ? INSIDE : OUTSIDE);
    return each(size, (i) => (share(i) * ((goals.data[d * size + i] as number) - (base[i] as number))) / PEAK);
  });
  const edited = (image: number, d: number, strength: number): number[] =>
    each(size, (i) => (base[image * size + i] as number) + strength * (steps[d]?.[i] as number));
  const [one, other] = [edited(0, 0, PEAK), edited(0, D - 1, -PEAK)];
  const both = one.map((v, i) => v + (other[i] as number) - (base[i] as number));
  const noise = normal(randomKey(1, 'edit-fixture'), images.shape).data;
  const ends = each(D, (d) => each(count - 1, (m) => [-PEAK, PEAK].map((s) => edited(m + 1, d, s))));
  return {
    images,
    reconstructions: tensor('float32', images.shape, base),
    noisy: float32(
      images.shape,
      each(noise.length, (i) => (images.data[i] as number) + 2 * (noise[i] as number)),
    ),
    directions: tensor('float64', [D, size], Float64Array.from(steps.flatMap((step) => scaled(step, 1 / norm(step))))),
    strengths: tensor('float64', [STRENGTHS.length], Float64Array.from(STRENGTHS)),
    edits: float32([D, STRENGTHS.length, ...shape], each(D, (d) => STRENGTHS.map((s) => edited(0, d, s))).flat(2)),
    ...(count > 1 && { transfers: float32([D, count - 1, 2, ...shape], ends.flat(3)) }),
    ...(masks.length > 0 && {
      masks: tensor('uint8', [masks.length, ...shape.slice(1)], Uint8Array.from(masks.flatMap((m) => [...m.inside]))),
    }),
    composition: float32([3, ...shape], [one, other, both].flat()),
  };
}

function resultOf({ images, goals, masks = [], judged = false }: EditSource, arrays: EditArrays): EditResult {
  const [count = 0, ...sampleShape] = images.shape;
  const D = goals.shape[0] ?? 0;
  const names = masks.length === 0 ? ['whole image'] : masks.map((_, p) => `part ${p + 1}`);
  const directions = each(D, (d): EditDirection => {
    const part = partOf(d, D, masks);
    const row = directionRow(arrays, d, part, masks[part]);
    return judged ? { ...row, attributes: shiftsOf(d) } : row;
  });
  return {
    spec: {
      model: 'faces',
      image: '3',
      mask: masks.length === 0 ? 'none' : 'auto',
      parts: names.length,
      directions: D / names.length,
      method: 'loco',
      nullRank: 5,
      steps: 24,
      others: count - 1,
      judge: judged,
      format: 'npz',
      seed: 0,
    },
    model: { name: 'faces', hash: '9f86d081884c7d659a2feaa0c55ad015' },
    sampleShape,
    valueRange: [-1, 1],
    sigma: 2,
    vpTime: 0.35,
    images: each(count, (i) => ({ name: `faces-heldout ${i}`, roundTripPsnr: 38.25 - i })),
    parts: names.map((name, p) => {
      const inside = masks[p]?.inside;
      return { name, share: inside === undefined ? 1 : inside.reduce((a, b) => a + b, 0) / inside.length };
    }),
    directions,
    composition: {
      terms: [{ direction: 1, strength: PEAK }, { direction: D, strength: -PEAK }],
      remainder: 0.125,
      cosine: 0.9875,
    },
    orthogonality: 2e-16,
    ...(judged && { judge: Object.fromEntries(ATTRIBUTES.map((name, a) => [name, 0.97 - 0.05 * a])) }),
    seconds: { find: 41.5, apply: 2.25 },
    notes: ['Singular vectors in part 1 may turn among close values.'],
    seed: 0,
    versions: { eigenlens: '0.0.0', node: '24.0.0' },
    startedAt: '2026-01-02T03:04:05.000Z',
    wallMs: 83_000,
    command: 'eigenlens edit faces 3 --seed 0',
    files: ['result.json', 'arrays.npz', 'edits.png', 'transfer.png'],
  }; // prettier-ignore
}

function directionRow({ edits, reconstructions }: EditArrays, d: number, part: number, mask?: Mask): EditDirection {
  const [, S = 0, ...shape] = edits.shape;
  const before = row(reconstructions as Tensor<'float32'>, 0);
  const rows = reshape(edits as Tensor<'float32'>, [(edits.shape[0] as number) * S, ...shape]);
  const changes = STRENGTHS.map((strength, s): EditChange => {
    const after = row(slice(rows, d * S + s, d * S + s + 1), 0);
    if (mask !== undefined) {
      const { inside, outside } = changeInside(before, after, mask);
      return { strength, inside: inside.mse, outside: outside.mse, ssim: inside.ssim, ssimOutside: outside.ssim };
    }
    const mse = after.data.reduce((sum, v, i) => sum + (v - (before.data[i] as number)) ** 2, 0) / after.data.length;
    return { strength, inside: mse, outside: null, ssim: null, ssimOutside: null };
  });
  const { inside = 0, outside = null } = changes.at(-1) ?? {};
  const gain = 0.9 / (d + 1);
  return {
    number: d + 1,
    part,
    method: 'loco',
    value: gain * 1.02,
    residual: 1e-4 * gain,
    kept: 0.96,
    gain,
    leak: 0.07 * gain,
    slope: gain * (1 - 0.02 * d),
    rSquared: 0.995 - 0.004 * d,
    linearity: 0.998 - 0.006 * d,
    changes,
    ratio: outside === null ? null : inside / outside,
    transfer: 0.9 - 0.05 * d,
  };
}

/** Shifts that differ from direction to direction, the largest first. */
function shiftsOf(d: number): { name: string; minus: number; plus: number }[] {
  const shift = (a: number): number => 1.3 * Math.cos(2.1 * a + d) * Math.exp(-a / 4);
  return ATTRIBUTES.map((name, a) => ({ name, minus: -shift(a), plus: 0.8 * shift(a) })).sort(
    (a, b) => Math.abs(b.plus) - Math.abs(a.plus),
  );
}

function partOf(d: number, count: number, masks: readonly Mask[]): number {
  return Math.floor((d * Math.max(1, masks.length)) / count);
}

function each<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
}

function scaled(values: readonly number[], factor: number): number[] {
  return values.map((v) => factor * v);
}

function float32(shape: readonly number[], values: readonly number[]): Tensor<'float32'> {
  return tensor('float32', shape, Float32Array.from(values));
}
