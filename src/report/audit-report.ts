import type { AuditArrays, AuditRate, AuditResult, AuditSweep } from '../experiments/audit-result.ts';
import type { CurveFigure } from '../experiments/plain-figure.ts';
import { slice } from '../tensor/tensor.ts';
import { mostCopies } from './copy-words.ts';
import { cosineFigure } from './figures/cosines.ts';
import type { Figure } from './figures/figure.ts';
import { pairsFigure } from './figures/pairs.ts';
import { plainSvg } from './figures/plain.ts';
import { figureSection, notesSection, remarksSection, reportPage, tableSection } from './page.ts';
import type { KeyNumber } from './page.ts';
import { escapeText, loadCanvas, showMeasured, showNumber } from './svg.ts';
import type { Canvas } from './svg.ts';

/** Pairs shown in the report; the others are in the NPZ file. */
const SHOWN = 48;
/** PSNR beyond which nobody sees a difference. */
const MOST_DECIBEL = 60;

/** The report of `eigenlens audit` as one HTML file. */
export async function renderAuditReport(result: AuditResult, arrays: AuditArrays): Promise<string> {
  const canvas = await loadCanvas();
  const { subject, train, verdict, notes } = result;
  const figures = [
    closestFigure(result, arrays),
    ...sweepFigures(canvas, result),
    ...result.histograms.map((counted) => cosineFigure(canvas, counted, cosines)),
    ...denoisingFigures(canvas, result),
    ...closenessFigures(canvas, result),
  ];
  return reportPage({
    title: `${subject.name}: ${verdict}`,
    kind: `${subject.samples} samples${leftOut(subject)} against ${train.count} training images. ${result.reason}`,
    facts: factsOf(result),
    keys: keysOf(result),
    sections: [
      ...figures.map(figureSection),
      ratesSection(result),
      ...remarksSection(notes),
      notesSection({ terms, sources, files: result.files, command: result.command }),
    ],
  });
}

function factsOf(result: AuditResult): [string, string][] {
  const { train, holdout, sampleShape, seed, startedAt, wallMs, versions } = result;
  return [
    ['Training images', `${train.count} of ${train.name} (${train.hash.slice(0, 12)})${leftOut(train)}`],
    [
      'Held-out images',
      holdout ? `${holdout.count} of ${holdout.name}${leftOut(holdout)}` : 'training images, each left out',
    ],
    ['Image', sampleShape.join(' \u00d7 ')],
    ['Seed', String(seed)],
    ['Date', `${startedAt.slice(0, 16).replace('T', ' ')} UTC`],
    ['Time taken', `${showNumber(wallMs / 1000)} s`],
    ['Versions', Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')], // prettier-ignore
  ];
}

/** Files that could not be used, where there were any. */
function leftOut({ leftOut: files }: AuditResult['subject'] | AuditResult['train']): string {
  return files.length > 0 ? `, ${files.length} left out` : '';
}

function keysOf({ spec, memorized, null: nulls, duplicates, generalization, pairs }: AuditResult): KeyNumber[] {
  const most = mostCopies({ memorized, null: nulls }, spec.tolerance);
  const closest = pairs[0];
  return [
    {
      name: 'Memorized fraction',
      value: most ? percent(most.samples.value) : '\u2013',
      note: most ? `${percent(most.samples.low)} to ${percent(most.samples.high)} by ${escapeText(naming(most.samples))}, ${most.counts ? 'the rule that counts and finds most' : 'the rule that finds most: none counts'}` : 'no rule applies', // prettier-ignore
    },
    {
      name: 'Of held-out images',
      value: most ? percent(most.heldout.value) : '\u2013',
      note: most ? `at most ${percent(most.heldout.high)}: what that rule says where nothing is copied` : '',
    },
    {
      name: 'Generalization GL',
      value: generalization ? showMeasured(generalization.value, 3) : '\u2013',
      note: generalization
        ? `${showMeasured(generalization.low, 3)} to ${showMeasured(generalization.high, 3)}; 1 minus the fraction by the ratio rule`
        : 'needs two training images',
    },
    {
      name: 'Closest pair',
      value: closest ? showMeasured(closest.distance) : '\u2013',
      note: `${closest?.ratio === undefined ? '' : `distance ratio ${showMeasured(closest.ratio)}; `}${duplicates.exact} exact and ${duplicates.near} near-duplicates in the training set`,
    },
  ];
}

function closestFigure({ pairs, valueRange }: AuditResult, { samples, nearest }: AuditArrays): Figure {
  const count = Math.min(SHOWN, pairs.length);
  return pairsFigure({
    name: 'pairs',
    title: 'Samples over their nearest training images',
    reading:
      'The most suspicious first. Under each pair the distance to the nearest training image over that to the second nearest: far below 1 means that the sample belongs to one training image; twins are copies.',
    above: slice(samples, 0, count),
    below: slice(nearest, 0, count),
    captions: pairs.slice(0, count).map(({ ratio, distance }) => showMeasured(ratio ?? distance)),
    range: valueRange,
  });
}

const ruleAxes = {
  similarity: 'cosine with the nearest training image',
  ratio: 'nearest over second nearest distance',
  distance: 'distance to the nearest training image',
} as const;

/** One figure a sweep that a rate of the table stands on. */
function sweepFigures(canvas: Canvas, { sweeps, memorized }: AuditResult): Figure[] {
  return sweeps.flatMap((sweep) => {
    const rates = memorized.filter(({ rule, descriptor }) => rule === sweep.rule && descriptor === sweep.descriptor);
    return rates.length === 0 ? [] : [sweepFigure(canvas, sweep, rates)];
  });
}

function sweepFigure(canvas: Canvas, sweep: AuditSweep, rates: readonly AuditRate[]): Figure {
  const { rule, descriptor, thresholds } = sweep;
  const title = `Fraction that counts as copied, by threshold: ${rule} on ${descriptor}`;
  const figure: CurveFigure = {
    kind: 'curves',
    title,
    xLabel: ruleAxes[rule],
    yLabel: 'fraction',
    curves: [
      { name: 'samples', x: thresholds, y: sweep.samples.map(({ value }) => value), style: 'line' },
      { name: 'held-out images', x: thresholds, y: sweep.null.map(({ value }) => value), style: 'line' },
      ...rates.map((rate) => ({
        name: `threshold ${rate.threshold.toPrecision(3)}${rate.source.kind === 'stated' ? '' : ' (calibrated)'}`,
        x: [rate.threshold, rate.threshold],
        y: [0, 1],
        style: 'dashed' as const,
      })),
    ],
  };
  return {
    name: `sweep-${rule}-${descriptor.replace(/[^A-Za-z0-9]+/g, '-')}`,
    title,
    reading:
      'Where the samples part from the held-out images, the model knows its training images better than chance lets it, whatever threshold one chooses.',
    svg: (width) => plainSvg(canvas, figure, width),
  };
}

function denoisingFigures(canvas: Canvas, { denoising }: AuditResult): Figure[] {
  if (denoising === undefined) return [];
  const x = denoising.map(({ noisy }) => noisy);
  // A denoiser that gives an image back to the last bit would press all others flat.
  const drawn = (decibel: number): number => Math.min(decibel, MOST_DECIBEL);
  const curve = (name: string, part: 'train' | 'heldout'): CurveFigure['curves'][number] => ({
    name,
    x,
    y: denoising.map((row) => drawn(row[part].value)),
    low: denoising.map((row) => drawn(row[part].low)),
    high: denoising.map((row) => drawn(row[part].high)),
    style: 'points',
  });
  const figure: CurveFigure = {
    kind: 'curves',
    title: 'Denoising of training and held-out images',
    xLabel: 'PSNR of the noisy image, dB',
    yLabel: 'PSNR of the denoised image, dB',
    curves: [curve('training images', 'train'), curve('held-out images', 'heldout')],
  };
  return [
    {
      name: 'denoising',
      title: figure.title,
      reading:
        'A model that generalizes removes noise from both alike; one that memorizes does better on images that it was trained on. Bars are 95 % intervals; more than 60 dB is drawn at 60.',
      svg: (width) => plainSvg(canvas, figure, width),
    },
  ];
}

function closenessFigures(canvas: Canvas, { closeness }: AuditResult): Figure[] {
  if (closeness === undefined) return [];
  const names = Object.keys(closeness[0]?.rmse ?? {});
  const figure: CurveFigure = {
    kind: 'curves',
    title: 'Distance to the Gaussian and the empirical denoiser',
    xLabel: 'noise level \u03c3',
    yLabel: 'RMSE, data units',
    xScale: 'log',
    curves: names.map((name) => ({
      name,
      x: closeness.map(({ sigma }) => sigma),
      y: closeness.map(({ rmse }) => rmse[name]?.value ?? NaN),
      low: closeness.map(({ rmse }) => rmse[name]?.low ?? NaN),
      high: closeness.map(({ rmse }) => rmse[name]?.high ?? NaN),
      style: 'points',
    })),
  };
  return [
    {
      name: 'closeness',
      title: figure.title,
      reading:
        'At noised held-out images. The empirical denoiser of the training set memorizes it: a model near that one does too. A model that generalizes is nearer to the Gaussian one, or far from both at low noise. Bars are 95 % intervals.',
      svg: (width) => plainSvg(canvas, figure, width),
    },
  ];
}

function ratesSection({ memorized, null: nulls }: AuditResult): string {
  return tableSection({
    id: 'rates',
    title: 'The numbers',
    reading:
      'Copies among the samples by each rule, with exact 95 % intervals, beside what the same rule says of held-out images. Calibrated thresholds come from the other half of the held-out images.',
    head: [
      '<tr><th>rule</th><th>descriptor</th><th>threshold</th><th>copies</th><th>95 % interval</th><th>held-out</th><th>95 % interval</th></tr>',
    ],
    rows: memorized.map((rate, i) => {
      const other = nulls[i] as AuditRate;
      return {
        cells: [
          rate.rule,
          escapeText(rate.descriptor),
          `${showMeasured(rate.threshold, 3)} ${rate.source.kind === 'stated' ? 'stated' : 'calibrated'}`,
          percent(rate.value),
          span(rate),
          percent(other.value),
          span(other),
        ],
      };
    }),
  });
}

function naming({ rule, descriptor }: AuditRate): string {
  return `${rule} on ${descriptor}`;
}

/** The ends of an interval, in per cent. */
function span({ low, high }: AuditRate): string {
  return `${(100 * low).toFixed(1)} to ${percent(high)}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)}\u00a0%`;
}

const cosines =
  'Of the descriptions of samples, and of held-out images, with those of their nearest training images. Copies stand at 1, to the right of what held-out images reach.';

const terms: readonly (readonly [string, string])[] = [
  ['Verdict', 'A rule counts where the upper end of its rate on held-out images lies within the tolerance. <i>Copies</i>: the lower end of one such rate lies above the tolerance. <i>Does not copy</i>: the upper ends of all lie within it. Else there is not enough evidence.'],
  ['Ratio', 'Distance to the nearest training image over that to the second nearest, Euclidean, of pixels; below 1/3 counts as a copy. Two duplicates in the training set hide a copy of theirs from this rule.'],
  ['Similarity', 'Cosine of the descriptions of a sample and of its nearest training image. 0.6 is the threshold of the papers for SSCD; for other descriptors it is calibrated.'],
  ['Distance', 'Euclidean distance of the descriptions, below a calibrated threshold.'],
  ['Calibrated threshold', 'The quantile of held-out images beyond which a stated part of them would count as copies (conformal: at most that part of fresh ones). The null rate is that of other held-out images.'],
  ['Intervals', 'Rates: Clopper and Pearson, exact, 95 %. PSNR: bootstrap over images, 95 %.'],
  ['Closed forms', 'RMSE is E |D \u2212 D\u2032| / \u221ad at the same noised images. Gaussian: the Wiener filter of mean and covariance of the training set. Empirical: the optimal denoiser of the training set, which copies.'],
  ['GL', '1 minus the memorized fraction by the ratio rule on pixels.'],
]; // prettier-ignore

const sources: readonly string[] = [
  'arXiv:2310.05264 \u2013 Zhang et al., the emergence of reproducibility and generalizability in diffusion models: RP and GL scores.',
  'arXiv:2310.02664 \u2013 Gu et al., on memorization in diffusion models: distance ratio 1/3.',
  'arXiv:2310.02557 \u2013 Kadkhodaie et al., generalization arises from geometry-adaptive harmonic representations: PSNR on train and test, cosines with the nearest training image.',
  'arXiv:2410.24060 \u2013 Li, Dai and Qu, understanding generalizability: distance to the Gaussian and the empirical denoiser.',
];
