import type { InspectResult } from '../experiments/inspect-result.ts';
import { mostCopies, percent, widestGap } from '../report/copy-words.ts';
import type { MostCopies } from '../report/copy-words.ts';
import { keyNumbers } from '../report/key-numbers.ts';
import { formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** Two models in two columns: verdicts, rates, PSNR and rank at the noise levels that both have. */
export function besideTable(first: InspectResult, second: InspectResult, layout: Layout): string {
  const models = [first, second];
  const row = (name: string, cell: (model: InspectResult) => string): string[] => [name, ...models.map(cell)];
  const rate = (name: string, cell: (most: MostCopies) => string): string[] =>
    row(name, ({ copying }) => {
      const most = copying && mostCopies(copying, copying.tolerance);
      return most === undefined ? '-' : cell(most);
    });
  const rows = [
    row('verdict', ({ copying }) => copying?.verdict ?? '-'),
    rate('copies', ({ samples: { value, low, high } }) => `${percent(value)} (${percent(low)} to ${percent(high)})`),
    rate('by rule', ({ samples: { rule, descriptor } }) => `${rule} on ${descriptor}`),
    rate('of held-out', ({ heldout: { value, high } }) => `${percent(value)} (to ${percent(high)})`),
    row('trained on', ({ copying }) => String(copying?.train.count ?? '-')),
    ...gapRows(models, row),
    ...second.sigmas.map((sigma) =>
      row(`rank, sigma ${Number(sigma.toPrecision(2))}`, (model) => rankAt(model, sigma)),
    ),
  ];
  const header = ['', first.model, second.model].map((name, i) => ({ header: name, fit: i > 0 }));
  return formatTable(header, rows, layout);
}

/** PSNR at the noise level where one of the models knows its training images best; none for closed forms alone. */
function gapRows(
  models: readonly InspectResult[],
  row: (name: string, cell: (model: InspectResult) => string) => string[],
): string[][] {
  const sigma = widestGap(...models.map(({ copying }) => copying));
  if (sigma === undefined) return [];
  const psnr = (part: 'train' | 'heldout') => (model: InspectResult) => {
    const level = model.copying?.denoising?.find((gap) => gap.sigma === sigma);
    return level === undefined ? '-' : `${level[part].value.toFixed(1)} dB`;
  };
  return [row(`PSNR, training images`, psnr('train')), row(`PSNR, held-out images`, psnr('heldout'))];
}

/** Rank at held-out samples by the papers' rule. */
function rankAt(model: InspectResult, sigma: number): string {
  const rank = keyNumbers(model).find((key) => key.sigma === sigma)?.ranks.heldout['sqrt-energy-0.99'];
  return rank === undefined ? '-' : String(Math.round(rank));
}
