import type { AuditVerdict } from '../experiments/audit-result.ts';
import type { InspectArrays, InspectCopying, InspectResult } from '../experiments/inspect-result.ts';
import { slice } from '../tensor/tensor.ts';
import { mostCopies, percent, VERDICTS, widestGap } from './copy-words.ts';
import { pairsFigure } from './figures/pairs.ts';
import { escapeText, showMeasured } from './svg.ts';

/** A model with its pictures. */
export interface CheckedModel {
  readonly result: InspectResult;
  readonly arrays: InspectArrays;
}

/** Width of the page's column, of one of two columns in it, and of a telephone's, in CSS pixels. */
const WIDTHS = { one: 760, two: 366, narrow: 350 } as const;
/** Pairs on a sheet: a full row of the page, or two of a column. */
const PAIRS = 12;
/** The same where a telephone shows two models under each other: one row, so that the second verdict is near the first. */
const NARROW_PAIRS = 5;

const classes: Readonly<Record<AuditVerdict, string>> = {
  copies: 'copies',
  'does not copy': 'clear',
  'not enough evidence': 'open',
};

/** "Does it copy?" for one model or two beside each other: verdict, rates, PSNR and the closest pairs; empty where nothing was compared. */
export function copyingLead(models: readonly CheckedModel[]): string {
  const checked = models.filter(({ result }) => result.copying !== undefined);
  if (checked.length === 0) return '';
  const sigma = widestGap(...checked.map(({ result }) => result.copying));
  const blocks = checked.map((model) => modelBlock(model, checked.length > 1 ? WIDTHS.two : WIDTHS.one, sigma));
  return `<section id="copying" class="lead">
<h2>Does it copy?</h2>
<div class="models${checked.length > 1 ? ' two' : ''}">
${blocks.join('\n')}
</div>
<p class="reading">The samples closest to their training images, each above that image; under a pair, its distance over that to the second nearest (below 0.33: a copy). Rates are those of the rule that finds most, of those that count where any does, with 95 % intervals.${sigma === undefined ? '' : ` Decibels are the PSNR of images denoised at \u03c3 ${sigma}.`}</p>
</section>`;
}

function modelBlock({ result, arrays }: CheckedModel, width: number, sigma: number | undefined): string {
  const copying = result.copying as InspectCopying;
  const model = width === WIDTHS.two ? `<b>${escapeText(result.model)}</b>, ` : '';
  return `<div class="model ${classes[copying.verdict]}">
<p class="name">${model}trained on ${copying.train.count} images</p>
<p class="verdict">${VERDICTS[copying.verdict]}</p>
<p class="rate">${[...rateLines(copying), ...gapLine(copying, sigma)].join('<br>')}</p>
${sheet(copying, arrays, result.valueRange, width)}
</div>`;
}

function rateLines(copying: InspectCopying): string[] {
  const most = mostCopies(copying, copying.tolerance);
  if (most === undefined) return [escapeText(copying.reason)];
  const { samples, heldout } = most;
  return [
    `<b>${percent(samples.value)}</b> of ${copying.samples} samples are copies (${percent(samples.low)} to ${percent(samples.high)})`,
    `<b>${percent(heldout.value)}</b> of held-out images (${escapeText(`${samples.rule} on ${samples.descriptor}`)})`,
  ].map((line) => line.replaceAll(' %', '\u00a0%'));
}

function gapLine({ denoising }: InspectCopying, sigma: number | undefined): string[] {
  const level = denoising?.find((gap) => gap.sigma === sigma);
  if (level === undefined) return [];
  const decibel = ({ value }: { readonly value: number }): string => `${showMeasured(value, 3)} dB`;
  return [`<b>${decibel(level.train)}</b> on training, <b>${decibel(level.heldout)}</b> on held-out images`];
}

function sheet(
  { pairs }: InspectCopying,
  { closest, closest_training: training }: InspectArrays,
  range: readonly [number, number],
  width: number,
): string {
  if (closest === undefined || training === undefined) return '';
  const draw = (most: number, column: number): string => {
    const count = Math.min(most, closest.shape[0] as number);
    const { svg } = pairsFigure({
      name: 'closest',
      title: 'Samples over the training images closest to them',
      reading: '',
      above: slice(closest, 0, count),
      below: slice(training, 0, count),
      captions: pairs.slice(0, count).map(({ ratio, distance }) => showMeasured(ratio ?? distance)),
      range,
    });
    return svg(column);
  };
  return `<figure>
<div class="wide">${draw(PAIRS, width)}</div>
<div class="narrow">${draw(width === WIDTHS.two ? NARROW_PAIRS : PAIRS, WIDTHS.narrow)}</div>
</figure>`;
}
