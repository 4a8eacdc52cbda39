import { empiricalDenoiser } from '../../denoisers/empirical.ts';
import { localDenoiser } from '../../denoisers/local.ts';
import { endAtZero, karrasGrid } from '../../diffusion/noise-grid.ts';
import { throwIfAborted } from '../../errors/errors.ts';
import { sample } from '../../samplers/sample.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, row, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import type { ImagesFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'Kamb and Ganguli, arXiv 2412.20292';
const DERIVED = `${PAPER}, derived`;

/** The toys of the local score machines: majority rule, ideal machine, equivariance, memorization. */
export const localDenoiserToys: Reproduction = {
  name: 'local-denoiser',
  title: 'Local denoisers mix patches, the ideal denoiser memorizes',
  source: PAPER,
  async run(size, context): Promise<ReproductionResult> {
    const [side, count] = size === 'full' ? [12, 16] : [8, 4];
    const majority = await majorityRule(side, count, context);
    const ideal = await idealMachine(context.seed);
    const moved = await equivariance(context.seed);
    const memory = await memorization(size === 'full' ? 64 : 16, context);
    const claims: ClaimResult[] = [
      between('pixels black or white, 3 x 3 ELS samples of {black, white}', majority.pure, 1, 1, PAPER, '100 %'),
      between('pixels of the colour of most of their 3 x 3 neighbours', majority.agreeing, 1, 1, PAPER, '100 %'),
      between('samples that mix both colours', majority.mixed, 0.5, 1, PAPER, 'most: they are new'),
      between(
        'LS with a patch that covers the image against the ideal denoiser, largest difference',
        ideal,
        0,
        1e-10,
        DERIVED,
      ),
      between(
        'ELS, circular: moved output against output of moved input, largest difference',
        moved.ELS,
        0,
        1e-6,
        PAPER,
      ),
      between('LS on the same input, which may move otherwise', moved.LS, 1e-3, 1e3, PAPER, 'not equivariant'),
      near('samples of the ideal denoiser that equal a training point', memory, 1, 0, PAPER),
    ];
    return {
      claims,
      figures: { mosaics: mosaicFigure(majority.x, side) },
      values: {
        side,
        samples: count,
        majority: { pure: majority.pure, agreeing: majority.agreeing, mixed: majority.mixed },
        ideal,
        equivariance: moved,
        memory,
      },
      notes: [
        'Samples follow the VE probability flow on an EDM grid of 100 levels from 80 to 1e-9 by Heun, with a fixed 3 x 3 patch; the paper shrinks the patch over time.',
        'The rule holds in the limit of no noise: on a grid that ends at 0.002, 0.3 % of the pixels had not yet followed it.',
      ],
    };
  },
};

interface Majority {
  readonly x: FloatTensor;
  readonly pure: number;
  readonly agreeing: number;
  readonly mixed: number;
}

/** Samples of the ELS machine of one black and one white image. */
async function majorityRule(
  side: number,
  count: number,
  { seed, signal, onProgress }: TopicContext,
): Promise<Majority> {
  const area = side * side;
  const images = tensor('float64', [2, 1, side, side], new Float64Array(2 * area).fill(-1, 0, area).fill(1, area));
  await using machine = localDenoiser({ name: 'black and white', images, machine: 'ELS', patch: 3 });
  const { x } = await sample(machine, {
    seeds: Array.from({ length: count }, (_, i) => seed + i),
    // The theorem is of the limit of no noise: a pixel whose colour turns at 0.002 is not yet that colour at 0.002.
    grid: endAtZero(karrasGrid({ steps: 100, sigmaMin: 1e-9 })),
    ...(signal && { signal }),
    onStep: ({ i, steps }) => onProgress?.(i + 1, steps),
  });
  let [pure, agreeing, mixed] = [0, 0, 0];
  for (let b = 0; b < count; b++) {
    const image = x.data.subarray(b * area, (b + 1) * area);
    const colours = Array.from(image, Math.sign);
    pure += image.filter((v) => Math.abs(Math.abs(v) - 1) < 1e-6).length;
    agreeing += colours.filter((c, at) => c === majorityAt(colours, at, side)).length;
    mixed += new Set(colours).size > 1 ? 1 : 0;
  }
  return { x, pure: pure / (count * area), agreeing: agreeing / (count * area), mixed: mixed / count };
}

/** Sign of the sum over the 3 x 3 neighbourhood around the border. */
function majorityAt(colours: readonly number[], at: number, side: number): number {
  const [y, x] = [Math.floor(at / side), at % side];
  let sum = 0;
  for (const i of [-1, 0, 1]) {
    for (const j of [-1, 0, 1]) {
      sum += colours[((y + i + side) % side) * side + ((x + j + side) % side)] as number;
    }
  }
  return Math.sign(sum);
}

/** Largest difference of outputs between LS with a full patch and the empirical denoiser. */
async function idealMachine(seed: number): Promise<number> {
  const images = normal(randomKey(seed, 'local-images'), [12, 1, 5, 5]);
  const x = normal(randomKey(seed, 'local-x'), [4, 1, 5, 5]);
  await using local = localDenoiser({ name: 'LS', images, machine: 'LS', patch: 5 });
  await using ideal = empiricalDenoiser({ name: 'ideal', points: images });
  let worst = 0;
  for (const sigma of [0.05, 0.3, 1, 10]) {
    worst = Math.max(worst, largestGap(await local.denoise(x, sigma), await ideal.denoise(x, sigma)));
  }
  return worst;
}

/** How far each machine is from moving with its input. */
async function equivariance(seed: number): Promise<{ ELS: number; LS: number }> {
  const images = normal(randomKey(seed, 'moved-images'), [8, 1, 6, 6]);
  const x = normal(randomKey(seed, 'moved-x'), [2, 1, 6, 6]);
  const gap = async (machine: 'LS' | 'ELS'): Promise<number> => {
    await using denoiser = localDenoiser({ name: machine, images, machine, patch: 3 });
    const out = await denoiser.denoise(x, 0.6);
    return largestGap(shift(out, 2, 1), await denoiser.denoise(shift(x, 2, 1), 0.6));
  };
  return { ELS: await gap('ELS'), LS: await gap('LS') };
}

/** Share of samples of the ideal denoiser of a few points that end on one of them. */
async function memorization(count: number, { seed, signal }: TopicContext): Promise<number> {
  throwIfAborted('local-denoiser', signal);
  const points = normal(randomKey(seed, 'memory'), [20, 12]);
  await using ideal = empiricalDenoiser({ name: 'ideal', points });
  const { x } = await sample(ideal, {
    seeds: Array.from({ length: count }, (_, i) => seed + i),
    grid: endAtZero(karrasGrid({ steps: 18 })),
    ...(signal && { signal }),
  });
  const nearest = Array.from({ length: count }, (_, b) =>
    Math.min(...Array.from({ length: 20 }, (__, i) => largestGap(row(x as Tensor<'float64'>, b), row(points, i)))),
  );
  return nearest.filter((d) => d < 1e-9).length / count;
}

function largestGap(a: FloatTensor, b: FloatTensor): number {
  return castFloat(a, 'float64').data.reduce((most, v, i) => Math.max(most, Math.abs(v - (b.data[i] as number))), 0);
}

/** Square images moved around the border. */
function shift(x: FloatTensor, down: number, right: number): Tensor<'float64'> {
  const side = x.shape[3] as number;
  const data = Float64Array.from(x.data, (_, at) => {
    const [plane, y, z] = [Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side];
    return x.data[(plane * side + ((y - down + side) % side)) * side + ((z - right + side) % side)] as number;
  });
  return tensor('float64', x.shape, data);
}

function mosaicFigure(x: FloatTensor, side: number): ImagesFigure {
  const images = Array.from({ length: Math.min(8, x.shape[0] as number) }, (_, b) =>
    x.data.subarray(b * side * side, (b + 1) * side * side),
  );
  return {
    kind: 'images',
    title: 'Samples of the ELS machine of one black and one white image',
    shape: [1, side, side],
    range: [-1, 1],
    rows: [{ caption: '3 x 3 patches', images }],
  };
}
