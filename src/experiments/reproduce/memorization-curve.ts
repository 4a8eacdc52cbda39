import { maximumLikelihoodDimension } from '../../analysis/dimension/maximum-likelihood.ts';
import { nearestNeighbours } from '../../analysis/dimension/neighbours.ts';
import { predictSamples } from '../../analysis/dimension/sample-prediction.ts';
import { openDataset } from '../../data/open.ts';
import { sizeOf, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { fitDataset } from '../fit-dataset.ts';
import { curveCells, halfwaySize, readCurve } from '../generalization/curve.ts';
import type { CurveCell, CurvePoint, GeneralizationCurve } from '../generalization/curve.ts';
import { curveFigures } from '../generalization/figures.ts';
import type { PredictedSize } from '../generalization/figures.ts';
import { heldoutPeak } from '../generalization/heldout-peak.ts';
import { curveSweep, fullCurve, tinyCurve } from '../generalization/settings.ts';
import { rankCorrelation } from '../../theory/rank-correlation.ts';
import { runSweepHere } from '../sweep/here.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const ZHANG = 'Zhang et al., arXiv 2310.05264, Figure 2';
const KADKHODAIE = 'Kadkhodaie et al., arXiv 2310.02557, Figure 2';
const LI = 'Li, Dai and Qu, arXiv 2410.24060';
/** Held-out images that calibrate RP, and neighbours of the estimate of dimension. */
const HELDOUT = 1000;
const NEIGHBOURS = 20;
/** Classes of the images, each a subspace of its own where they are clustered. */
const CLASSES = 10;
/** The noise level at which distances and gaps are claimed, data units. */
const SIGMA = '0.3';

/** The central curve of the first source: networks trained on N images copy them when N is small and draw new ones when it is large. */
export const memorizationCurve: Reproduction = {
  name: 'memorization-curve',
  title: 'From memorizing to generalizing: GL and RP of trained networks over the number of training images',
  source: ZHANG,
  hours: 2,
  async run(size, context): Promise<ReproductionResult> {
    const { seed, signal, onProgress, runSweep = runSweepHere } = context;
    const settings = size === 'full' ? fullCurve : tinyCurve;
    const { input, places } = curveSweep(settings);
    const results = await runSweep(input, { signal, onProgress });
    const cells = curveCells(places, results);
    const shape = (cells[0] as CurveCell).samples.shape.slice(1);
    const heldout = await images('fashion-heldout', shape, HELDOUT);
    const curve = await readCurve(cells, heldout, { seed, signal });
    const chance = await chanceOf(settings.sizes, heldout, signal);
    const predicted = await predictions(await images('fashion-train', shape, HELDOUT), signal);
    const widest = settings.widths.at(-1)?.join('-');
    const sheet = cells.filter(({ width, part }) => width === widest && part === 0);
    const range = [-1, 1] as const;
    return {
      claims: [...claimsOf(curve, size), ...chanceClaims(curve, chance)],
      figures: curveFigures(curve, sheet, predicted, range),
      values: { settings: { ...settings }, curve, chance, predicted, halfway: halfwayOf(curve), trainingSeconds: seconds(curve) },
      notes: [
        `${settings.sizes.length * settings.widths.length * settings.parts.length} networks on Fashion-MNIST at ${shape.slice(1).join(' x ')}, ${String(settings.base['steps'])} steps of ${String(settings.base['batchSize'])} images each; the papers train U-Nets on colour photographs for days.`,
        'GL counts a sample as a copy where its nearest training image is less than a third as far as the second nearest (Gu et al. 2023); the paper asks SSCD, which cannot be shipped.',
        `RP counts two samples as the same above a cosine of ${curve.threshold.toFixed(3)}, which 1 % of pairs of held-out images exceed.`,
        'Marks of predicted numbers of samples rest on the maximum likelihood estimate d of intrinsic dimension: d + 1 for each subspace are what clustering needs (theorem), 50 d and 630 d are second-hand.',
      ],
    }; // prettier-ignore
  },
};

/** Share of held-out images above the cosine of the memorization peak, by size of the training set. */
type Chance = readonly { readonly size: number; readonly share: number }[];

async function chanceOf(
  sizes: readonly number[],
  heldout: Tensor<'float32'>,
  signal: AbortSignal | undefined,
): Promise<Chance> {
  const shares = [];
  for (const size of sizes) {
    const train = fitDataset(await openDataset(`fashion-train:${size}`), heldout.shape.slice(1));
    shares.push({ size, share: await heldoutPeak(heldout, train, signal) });
  }
  return shares;
}

/** Where nothing is recited, samples are no nearer to training images than fresh images are. */
function chanceClaims({ points, widths }: GeneralizationCurve, chance: Chance): ClaimResult[] {
  const [least, most] = [chance[0], chance.at(-1)] as [Chance[number], Chance[number]];
  const beyond = ({ size, share }: Chance[number]): number => {
    const point = points.find((p) => p.size === size && p.width === widths.at(-1));
    return (point?.memorizationPeak.value ?? NaN) - share;
  };
  const named = ({ size }: Chance[number]): string =>
    `N = ${size}: share of samples at cosine above 0.95, less that of held-out images`;
  return [
    between(named(least), beyond(least), 0.7, 1, KADKHODAIE, 'nearly 1'),
    between(named(most), beyond(most), -1, 0.05, KADKHODAIE, 'none beyond chance'),
  ]; // prettier-ignore
}

async function images(name: string, shape: readonly number[], count: number): Promise<Tensor<'float32'>> {
  const data = fitDataset(await openDataset(name), shape);
  return data.read(Int32Array.from({ length: Math.min(count, data.count) }, (_, i) => i));
}

/** Numbers of samples that the sources name, at the intrinsic dimension of these images. */
async function predictions(x: Tensor<'float32'>, signal: AbortSignal | undefined): Promise<PredictedSize[]> {
  const flat = tensor('float32', [x.shape[0] as number, sizeOf(x.shape.slice(1))], x.data);
  const dimension = maximumLikelihoodDimension(await nearestNeighbours(flat, NEIGHBOURS, { signal }));
  const d = dimension.dimension;
  const told = predictSamples(dimension).filter(({ perDimension }) => perDimension === 50 || perDimension === 630);
  return [
    { name: `${CLASSES} (d + 1), d = ${d.toFixed(1)}`, samples: CLASSES * (d + 1) },
    ...told.map(({ perDimension, samples }) => ({ name: `${perDimension} d`, samples })),
  ];
}

function halfwayOf(curve: GeneralizationCurve): Record<string, number | undefined> {
  return Object.fromEntries(
    curve.widths.map((width) => [
      width,
      halfwaySize(of(curve, width).map(({ size, generalization }) => ({ size, rate: generalization }))),
    ]),
  );
}

function seconds({ points }: GeneralizationCurve): number {
  return points.reduce((sum, point) => sum + point.seconds, 0);
}

function of({ points }: GeneralizationCurve, width: string): CurvePoint[] {
  return points.filter((point) => point.width === width);
}

function claimsOf(curve: GeneralizationCurve, size: 'tiny' | 'full'): ClaimResult[] {
  const claims = curve.widths.flatMap((width) => widthClaims(of(curve, width), width));
  return size === 'tiny' ? claims : [...claims, ...transitionClaims(curve)];
}

/** What holds of every width: its two ends, and what falls in between. */
function widthClaims(points: readonly CurvePoint[], width: string): ClaimResult[] {
  const [first, last] = [points[0], points.at(-1)] as [CurvePoint, CurvePoint];
  const named = (what: string, { size }: CurvePoint): string => `channels ${width}, N = ${size}: ${what}`;
  const falls = (what: string, values: readonly number[], source: string): ClaimResult =>
    between(
      `channels ${width}: rank correlation of N with ${what}`,
      rankCorrelation(points.map((p) => p.size), values),
      -1,
      points.length > 2 ? -0.8 : -1 + 1e-12,
      source,
      'falls',
    ); // prettier-ignore
  const parts = [first, last].map(({ acrossParts }) => acrossParts?.value ?? NaN) as [number, number];
  return [
    between(named('GL', first), first.generalization.value, 0, 0.2, ZHANG, 'near 0'),
    between(named('GL', last), last.generalization.value, 0.95, 1, ZHANG, 'near 1'),
    between(named('samples at cosine above 0.95 with a training image', first), first.memorizationPeak.value, 0.8, 1, KADKHODAIE, 'nearly all'),
    between(named('RP of models of disjoint samples', first), parts[0], 0, 0.3, KADKHODAIE, 'near 0'),
    between(named('the same', last), parts[1], Math.max(0.4, 2 * parts[0]), 1, KADKHODAIE, 'much larger'),
    falls(`the distance to the Gaussian denoiser at sigma ${SIGMA}`, points.map((p) => p.gaussian[SIGMA] as number), LI),
    falls(`the gap of PSNR at sigma ${SIGMA}`, points.map((p) => p.gap[SIGMA] as number), KADKHODAIE),
  ]; // prettier-ignore
}

/** What only a curve of many sizes shows. */
function transitionClaims(curve: GeneralizationCurve): ClaimResult[] {
  const { widths, acrossWidths } = curve;
  const rp = acrossWidths.map(({ rate }) => rate.value);
  const dip = Math.min(...rp.slice(1, -1));
  const [narrow, wide] = [widths[0], widths.at(-1)].map((width) => halfwayOf(curve)[width as string] ?? NaN) as [number, number]; // prettier-ignore
  const drops = widths.map((width) =>
    Math.max(...of(curve, width).slice(1).map((p, i) => (of(curve, width)[i] as CurvePoint).generalization.value - p.generalization.value)),
  ); // prettier-ignore
  return [
    between('largest step down of GL over N', Math.max(...drops), -1, 0.05, ZHANG, 'GL rises'),
    between('the wide network needs more samples to reach GL 1/2: factor', wide / narrow, 1, 16, ZHANG, 'above 1'),
    between('RP of two widths at the smallest N', rp[0] as number, 0.6, 1, ZHANG, 'high'),
    between('RP of two widths at its lowest in between, less the lower end', dip - Math.min(rp[0] as number, rp.at(-1) as number), -1, 0, ZHANG, 'below both ends'),
    between('RP of two widths at the largest N', rp.at(-1) as number, 0.6, 1, ZHANG, 'high'),
  ]; // prettier-ignore
}
