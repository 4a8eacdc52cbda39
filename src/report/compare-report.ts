import type { CompareRate, CompareResult } from '../experiments/compare.ts';
import type { CurveFigure } from '../experiments/plain-figure.ts';
import { takeRows } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { cosineFigure } from './figures/cosines.ts';
import type { Figure } from './figures/figure.ts';
import { pairsFigure } from './figures/pairs.ts';
import { plainSvg } from './figures/plain.ts';
import { figureSection, notesSection, remarksSection, reportPage, tableSection } from './page.ts';
import type { KeyNumber } from './page.ts';
import { escapeText, loadCanvas, showMeasured, showNumber } from './svg.ts';
import type { Canvas } from './svg.ts';

/** Pairs shown in the report. */
const SHOWN = 48;

/**
 * The report of `eigenlens compare` as one HTML file.
 * @param pairs  samples of both models in the order of `result.pairs`
 */
export async function renderCompareReport(
  result: CompareResult,
  pairs: readonly [Tensor<'float32'>, Tensor<'float32'>],
): Promise<string> {
  const canvas = await loadCanvas();
  const [a, b] = result.models;
  const figures = [
    samplePairs(result, pairs),
    ...result.histograms.map((counted) => cosineFigure(canvas, counted, cosines)),
    denoiserFigure(canvas, result),
  ];
  return reportPage({
    title: `${a} and ${b}`,
    kind: `Two models from the same noise: ${result.spec.samples} pairs of samples`,
    facts: factsOf(result),
    keys: keysOf(result),
    sections: [
      ...figures.map(figureSection),
      ratesSection(result),
      ...remarksSection(result.notes),
      notesSection({ terms, sources, files: result.files, command: result.command }),
    ],
  });
}

function factsOf({ data, spec, sampleShape, seed, startedAt, wallMs, versions }: CompareResult): [string, string][] {
  return [
    ['Held-out images', `${spec.images} of ${data}`],
    ['Image', sampleShape.join(' \u00d7 ')],
    ['Sampler', `Heun, ${spec.steps} steps`],
    ['Seed', String(seed)],
    ['Date', `${startedAt.slice(0, 16).replace('T', ' ')} UTC`],
    ['Time taken', `${showNumber(wallMs / 1000)} s`],
    ['Versions', Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')], // prettier-ignore
  ];
}

function keysOf({ reproducibility, null: nulls, denoisers }: CompareResult): KeyNumber[] {
  const rates = reproducibility.slice(0, 2).map(({ descriptor, value, low, high, threshold }, i) => ({
    name: `Reproducibility RP, ${descriptor}`,
    value: showMeasured(value, 3),
    note: `${showMeasured(low, 3)} to ${showMeasured(high, 3)}; cosine above ${showMeasured(threshold, 3)}, ${showMeasured(nulls[i]?.value ?? 0, 2)} from other noise`,
  }));
  const median = reproducibility[0];
  const rmse = denoisers.flatMap((row) => Object.values(row.rmse).map(({ value }) => ({ sigma: row.sigma, value })));
  const apart = rmse.reduce((p, q) => (q.value > p.value ? q : p));
  return [
    ...rates,
    {
      name: 'Median cosine',
      value: median ? showMeasured(median.median, 3) : '\u2013',
      note: `of the two samples from one noise, ${median?.descriptor ?? ''}`,
    },
    {
      name: 'Denoisers apart by',
      value: showMeasured(apart.value),
      note: `root mean square at \u03c3 ${showNumber(apart.sigma, 2)}, where it is largest`,
    },
  ];
}

function samplePairs(
  { pairs, models, valueRange }: CompareResult,
  [a, b]: readonly [Tensor<'float32'>, Tensor<'float32'>],
): Figure {
  // From the least to the most alike, evenly: the sheet shows the whole range.
  const count = Math.min(SHOWN, pairs.length);
  const shown = Array.from({ length: count }, (_, i) => Math.round((i * (pairs.length - 1)) / Math.max(1, count - 1)));
  const pick = (x: Tensor<'float32'>): Tensor<'float32'> => takeRows(x, shown);
  return pairsFigure({
    name: 'pairs',
    title: 'Samples from the same noise',
    reading: `Above, a sample of ${models[0]}; below it, that of ${models[1]} from the same noise, with their cosine; from the least to the most alike.`,
    above: pick(a),
    below: pick(b),
    captions: shown.map((n) => showMeasured(pairs[n]?.cosine ?? 0)),
    range: valueRange,
  });
}

function denoiserFigure(canvas: Canvas, { denoisers, models }: CompareResult): Figure {
  const figure: CurveFigure = {
    kind: 'curves',
    title: 'Distance of the two denoisers over noise',
    xLabel: 'noise level \u03c3',
    yLabel: 'RMSE, data units',
    xScale: 'log',
    curves: Object.keys(denoisers[0]?.rmse ?? {}).map((name) => ({
      name: `${models[0]} and ${name}`,
      x: denoisers.map(({ sigma }) => sigma),
      y: denoisers.map(({ rmse }) => rmse[name]?.value ?? NaN),
      low: denoisers.map(({ rmse }) => rmse[name]?.low ?? NaN),
      high: denoisers.map(({ rmse }) => rmse[name]?.high ?? NaN),
      style: 'points',
    })),
  };
  return {
    name: 'denoisers',
    title: figure.title,
    reading: 'Root mean square difference of D(x; \u03c3) on the same noised held-out images; bars are 95 % intervals.',
    svg: (width) => plainSvg(canvas, figure, width),
  };
}

function ratesSection({ reproducibility, null: nulls }: CompareResult): string {
  return tableSection({
    id: 'rates',
    title: 'The numbers',
    reading:
      'RP: pairs from the same noise whose cosine lies above the threshold, with exact 95 % intervals, beside pairs from different noise. Calibrated thresholds come from other pairs of different noise than those shown.',
    head: [
      '<tr><th>descriptor</th><th>threshold</th><th>RP</th><th>95 % interval</th><th>median cosine</th><th>other noise</th><th>median cosine</th></tr>',
    ],
    rows: reproducibility.map((rate, i) => {
      const other = nulls[i] as CompareRate;
      return {
        cells: [
          escapeText(rate.descriptor),
          showMeasured(rate.threshold, 3),
          showMeasured(rate.value, 3),
          `${showMeasured(rate.low, 3)} to ${showMeasured(rate.high, 3)}`,
          showMeasured(rate.median, 3),
          showMeasured(other.value, 3),
          showMeasured(other.median, 3),
        ],
      };
    }),
  });
}

const cosines =
  'Two models that generalize from enough data draw nearly the same sample from the same noise (cosines near 1) while neither is near its training images; models that memorize draw their training images.';

const terms: readonly (readonly [string, string])[] = [
  ['RP', 'Reproducibility: the fraction of starting noises from which both models draw samples that count as the same. It is near 1 where both memorize the same few images, low in between, and near 1 again where both learned the distribution.'],
  ['Cosine', 'Of the two descriptions. <i>pixels-centred</i>: pixels less the mean of the training set; <i>gradients</i>: histograms of oriented gradients; <i>pca</i>: whitened leading components.'],
  ['Distance of the denoisers', 'E |D\u2081 \u2212 D\u2082| / \u221ad on the same noised images, data units.'],
]; // prettier-ignore

const sources: readonly string[] = [
  'arXiv:2310.05264 \u2013 Zhang et al., the emergence of reproducibility and generalizability in diffusion models: RP score.',
  'arXiv:2310.02557 \u2013 Kadkhodaie et al., generalization arises from geometry-adaptive harmonic representations: cosines of two models.',
  'arXiv:2410.24060 \u2013 Li, Dai and Qu, understanding generalizability: distance of denoisers over noise.',
];
