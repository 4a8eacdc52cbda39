import type { InspectCopying, InspectResult } from '../experiments/inspect-result.ts';
import type { Curve, CurveFigure } from '../experiments/plain-figure.ts';
import { percent } from './copy-words.ts';
import type { CheckedModel } from './copying-lead.ts';
import { meanBySigma, SITE_NAMES } from './figures/figure.ts';
import type { Figure } from './figures/figure.ts';
import { plainSvg } from './figures/plain.ts';
import { sameLatentsFigure } from './figures/same-latents.ts';
import { tableSection } from './page.ts';
import { escapeText, showMeasured } from './svg.ts';
import type { Canvas } from './svg.ts';

/** Figures that compare training with held-out images, and two models with each other where there are two. */
export function copyingFigures(canvas: Canvas, models: readonly CheckedModel[]): Figure[] {
  const [first, second] = models;
  const results = models.map(({ result }) => result);
  return [
    ...(first && second ? [sameLatentsFigure([first, second]), rankFigure(canvas, results)] : []),
    ...gapFigure(canvas, results),
  ];
}

/** Rank ratio over noise of both models, by the papers' rule. */
function rankFigure(canvas: Canvas, models: readonly InspectResult[]): Figure {
  const curve = ({ model, rankCurve }: InspectResult, site: 'heldout' | 'trajectory'): Curve => {
    const rows = rankCurve.filter((row) => row.site === site && row.rule === 'sqrt-energy-0.99');
    const points = meanBySigma(rows, (row) => row.ratio);
    return {
      name: `${nameOf(model)}, ${SITE_NAMES[site]}`,
      x: points.map(({ sigma }) => sigma),
      y: points.map(({ value }) => value),
      style: site === 'heldout' ? 'line' : 'dashed',
    };
  };
  return plainFigure(canvas, 'rank-beside', {
    kind: 'curves',
    title: 'How many directions each of them uses',
    xLabel: 'noise level \u03c3',
    yLabel: 'rank / dimension',
    xScale: 'log',
    curves: models.flatMap((model) => [curve(model, 'heldout'), curve(model, 'trajectory')]),
  }, 'The share of directions in which each denoiser still moves, by \u221aenergy 0.99; the second model is measured at fewer noise levels.'); // prettier-ignore
}

/** PSNR out against PSNR in; none for closed forms. */
function gapFigure(canvas: Canvas, models: readonly InspectResult[]): Figure[] {
  const measured = models.filter(({ copying }) => copying?.denoising !== undefined);
  if (measured.length === 0) return [];
  const curve = ({ model, copying }: InspectResult, part: 'train' | 'heldout'): Curve => {
    const levels = copying?.denoising ?? [];
    return {
      name: `${nameOf(model)}, ${part === 'train' ? 'training images' : 'held-out images'}`,
      x: levels.map(({ noisy }) => noisy),
      y: levels.map((level) => level[part].value),
      style: part === 'train' ? 'dashed' : 'line',
    };
  };
  return [
    plainFigure(canvas, 'denoising', {
      kind: 'curves',
      title: 'Training images beside held-out ones',
      xLabel: 'PSNR of the noisy image, dB',
      yLabel: 'PSNR of the denoised image, dB',
      curves: measured.flatMap((model) => [curve(model, 'train'), curve(model, 'heldout')]),
    }, 'A model that generalizes removes noise from both alike, so that its two lines lie on each other; one that memorizes does better on the images that it was trained on.'),
  ]; // prettier-ignore
}

function plainFigure(canvas: Canvas, name: string, figure: CurveFigure, reading: string): Figure {
  return { name, title: figure.title, reading, svg: (width) => plainSvg(canvas, figure, width) };
}

/** Curves of one model share what stands before a comma. */
function nameOf(model: string): string {
  return model.replaceAll(',', ' ');
}

/** Copies by every rule beside what the same rule says of held-out images; empty where nothing was compared. */
export function copyingTable(models: readonly InspectResult[]): string[] {
  const checked = models.flatMap(({ model, copying }) => (copying ? [{ model, copying }] : []));
  if (checked.length === 0) return [];
  const head = ['model', 'rule', 'descriptor', 'threshold', 'copies', '95 % interval', 'held-out', '95 % interval'];
  return [
    tableSection({
      id: 'copies',
      title: 'Copies by every rule',
      reading: `Shares of the samples, with exact 95 % intervals, beside those of held-out images. ${checked.map(({ model, copying }) => `${model}: ${copying.reason}`).join(' ')}`,
      head: [`<tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr>`],
      rows: checked.flatMap(({ model, copying }) => rateRows(model, copying)),
    }),
  ];
}

function rateRows(model: string, { memorized, null: nulls }: InspectCopying): { cells: string[] }[] {
  return memorized.map(({ rule, descriptor, threshold, source, ...rate }, i) => {
    const interval = ({ low, high }: { low: number; high: number }): string => `${percent(low)} to ${percent(high)}`;
    const other = nulls[i] ?? rate;
    return {
      cells: [
        escapeText(model),
        rule,
        escapeText(descriptor),
        `${showMeasured(threshold, 3)}${source.kind === 'stated' ? '' : '*'}`,
        percent(rate.value),
        interval(rate),
        percent(other.value),
        interval(other),
      ],
    };
  });
}
