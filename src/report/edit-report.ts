import type { EditChange, EditDirection, EditResult } from '../experiments/edit-result.ts';
import { median } from '../experiments/median.ts';
import { changesFigure } from './figures/edit-changes.ts';
import { compositionFigure } from './figures/edit-composition.ts';
import { directionsFigure } from './figures/edit-directions.ts';
import { partColor } from './figures/edit-palette.ts';
import { partsFigure } from './figures/edit-parts.ts';
import { slopesFigure } from './figures/edit-slopes.ts';
import { stripsFigure } from './figures/edit-strips.ts';
import { EditTiles } from './figures/edit-tiles.ts';
import type { EditShown } from './figures/edit-tiles.ts';
import { transferFigure } from './figures/edit-transfer.ts';
import { decibels, sampleName, shiftText, shortened, signed } from './figures/edit-words.ts';
import { figureSection, notesSection, remarksSection, reportPage, tableSection } from './page.ts';
import type { KeyNumber } from './page.ts';
import { escapeText, loadCanvas, showMeasured, showNumber } from './svg.ts';

/** Per cent of the strongest shade of a table. */
const SHADE = 55;

/** Characters of a part's name in the table. */
const NAME = 24;

/** Of the two tables: the first has many columns, in the second shades stand behind numbers. */
const style = `#numbers table{font-size:13px}#numbers :is(th,td){padding:5px 6px}
:is(#numbers,#attributes) :is(td,tr:last-child th):first-child{text-align:left;padding-left:0}
#numbers :is(td,tr:last-child th):nth-child(2){text-align:left}
#numbers td small{display:block;font-size:12px;color:var(--quiet)}
#attributes table{width:auto}#attributes td{padding:3px 8px}#attributes th{padding-right:15px}
#attributes span{display:inline-block;min-width:46px;padding:2px 7px;border-radius:4px}`;

/**
 * The report of `eigenlens edit` as one HTML file; each picture is in it once.
 * @returns the whole document
 */
export async function renderEditReport(run: EditShown): Promise<string> {
  const canvas = await loadCanvas();
  const { result } = run;
  const tiles = new EditTiles(run);
  const figures = [
    partsFigure(run, tiles),
    stripsFigure(run, tiles),
    directionsFigure(run, tiles),
    slopesFigure(canvas, result),
    changesFigure(canvas, result),
    ...transferFigure(run, tiles),
    ...compositionFigure(run, tiles),
  ].map(figureSection);
  return reportPage({
    title: `${result.images[0]?.name ?? 'A sample'}, edited`,
    kind: kindOf(result),
    facts: factsOf(run),
    keys: keysOf(result),
    sections: [
      `<style>${style}</style>`,
      tiles.definitions(),
      ...figures,
      directionsTable(result),
      ...judgeTable(result),
      ...remarksSection(result.notes),
      notesSection({ terms: termsOf(result), sources, files: result.files, command: result.command }),
    ],
  });
}

function kindOf(result: EditResult): string {
  const masked = maskedParts(result);
  const methods = [...new Set(result.directions.map(({ method }) => method))].map((method) =>
    masked === 0 && method === 'loco' ? 'by the Jacobian of the posterior mean' : METHODS[method],
  );
  return `${result.directions.length} edit directions in ${whereOf(result)}, found ${methods.join(' and ')}`;
}

function whereOf(result: EditResult): string {
  const masked = maskedParts(result);
  if (masked === 0) return `the whole ${sampleName(result)}`;
  return masked === 1 ? 'one part of the image' : `${masked} parts of the image`;
}

function maskedParts({ parts }: EditResult): number {
  return parts.filter(({ share }) => share < 1).length;
}

function factsOf({ result, arrays }: EditShown): [string, string][] {
  const { model, sampleShape, sigma, vpTime, spec, startedAt, wallMs, reading, versions } = result;
  const strengths = [...arrays.strengths.data];
  const boost = spec.boost === undefined ? '' : `, stochastic below \u03c3 ${showNumber(spec.boost)}`;
  return [
    ['Model', `${model.name} (${model.hash.slice(0, 12)})`],
    ['Sample', sampleShape.join(' \u00d7 ')],
    ['Mask', spec.transfer === undefined ? shortened(spec.mask, 40) : 'of saved directions'],
    ['Null space', nullSpaceText(result)],
    ['Noise level', `\u03c3 ${showNumber(sigma)} (VP time ${showNumber(vpTime, 2)})`],
    ['Sampling', `Heun, ${spec.steps} levels each way${boost}`],
    ['Strengths', `${strengths.length} from ${signed(strengths[0] ?? 0)} to ${signed(strengths.at(-1) ?? 0)}`],
    ['Seed', String(result.seed)],
    ...(reading ? [['Read as', reading.label] satisfies [string, string]] : []),
    ['Date', `${startedAt.slice(0, 16).replace('T', ' ')} UTC`],
    ['Time taken', `${showNumber(wallMs / 1000)} s`],
    ['Versions', Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')],
  ]; // prettier-ignore
}

/** What was projected out of the directions, and what is left of it in them. */
function nullSpaceText(result: EditResult): string {
  const { spec, directions, orthogonality } = result;
  const projected = maskedParts(result) > 0 && directions.some(({ method }) => method === 'loco' || method === 'supervised'); // prettier-ignore
  return projected && spec.nullRank > 0 ? `rank ${spec.nullRank}, up to ${showMeasured(orthogonality)} left` : 'none';
}

function keysOf(result: EditResult): KeyNumber[] {
  const { images, directions, seconds } = result;
  const ratio = median(directions.flatMap((d) => d.ratio ?? []));
  const slope = median(directions.map((d) => d.slope / d.gain));
  const straight = directions.toSorted((a, b) => a.linearity - b.linearity)[0];
  const worst = Math.min(...images.slice(1).flatMap(({ roundTripPsnr }) => roundTripPsnr ?? []));
  return [
    {
      name: 'Directions found',
      value: String(directions.length),
      note: `in ${whereOf(result)}, ${showNumber(seconds.find)} s; one is applied in ${showNumber(seconds.apply)} s`,
    },
    {
      name: 'Round trip',
      value: decibels(images[0]?.roundTripPsnr),
      note: `PSNR of the ${sampleName(result)} to the noise level and back${images.length > 1 ? `; others from ${decibels(Number.isFinite(worst) ? worst : null)}` : ''}`,
    },
    ratio === undefined
      ? { name: 'Measured over predicted', value: shown(slope, 3), note: 'slope of the effect, median of the directions' }
      : { name: 'Inside over outside', value: `${shown(ratio)}\u00d7`, note: 'mean squared change at the strongest edits, median of the directions' },
    {
      name: 'Least linearity',
      value: shown(straight?.linearity, 3),
      note: `cosine with the linear model over the strengths${straight ? `, direction ${straight.number}` : ''}; 1 is straight`,
    },
  ]; // prettier-ignore
}

/** Everything that is known of each direction, a line each. */
function directionsTable(result: EditResult): string {
  const { directions, parts } = result;
  const perceptual = directions.some(({ changes }) => changes.some((c) => c.perceptual !== undefined));
  const judged = directions.some(({ attributes }) => attributes !== undefined);
  const methods = new Set(directions.map(({ method }) => method)).size > 1;
  const images = 2 + (perceptual ? 1 : 0);
  const names = ['#', 'part', ...(methods ? ['method'] : []), 's', 'residual', 'kept', 'gain', 'leak', 'slope', 'R\u00b2', 'cosine', 'in / out', 'SSIM', ...(perceptual ? ['perceptual'] : []), 'transfer', ...(judged ? ['changes most'] : [])]; // prettier-ignore
  const blank = (columns: number): string => (columns === 0 ? '' : `<th colspan="${columns}"></th>`);
  const group = (columns: number, name: string): string => `<th colspan="${columns}" class="group">${name}</th>`;
  return tableSection({
    id: 'numbers',
    title: 'The numbers',
    reading: `Singular value with its residual, and the length that the null-space projection left; the change that the Jacobian predicts inside and outside; what the posterior mean and the ${sampleName(result)} then did.`,
    head: [
      `<tr>${blank(methods ? 3 : 2)}${group(3, 'found')}${group(2, 'predicted')}${group(3, 'posterior mean')}${group(images, sampleName(result))}${blank(judged ? 2 : 1)}</tr>`,
      `<tr>${names.map((name) => `<th>${name}</th>`).join('')}</tr>`,
    ],
    rows: directions.map((d) => ({
      cells: [
        `<b style="color:${partColor(d.part)}">${d.number}</b>`,
        escapeText(shortened(parts[d.part]?.name ?? '', NAME)),
        ...(methods ? [d.method] : []),
        shown(d.value, 3),
        shown(d.residual),
        showMeasured(d.kept, 3),
        showMeasured(d.gain, 3),
        showMeasured(d.leak),
        showMeasured(d.slope, 3),
        showMeasured(d.rSquared, 3),
        showMeasured(d.linearity, 3),
        shown(d.ratio),
        shown(atEnds(d, (c) => c.ssim)),
        ...(perceptual ? [shown(atEnds(d, (c) => c.perceptual))] : []),
        shown(d.transfer),
        ...(judged ? [mostChanged(d)] : []),
      ],
    })),
  });
}

function mostChanged({ attributes }: EditDirection): string {
  const [most] = attributes ?? [];
  return most === undefined ? '\u2013' : `${escapeText(most.name)}<small>${shiftText(most)}</small>`;
}

/** How well each attribute is judged, and what each direction does to it; none where nothing was judged. */
function judgeTable({ judge, directions }: EditResult): string[] {
  if (judge === undefined) return [];
  const shift = ({ attributes }: EditDirection, name: string): number | undefined => {
    const row = attributes?.find((attribute) => attribute.name === name);
    return row && row.plus - row.minus;
  };
  const all = Object.keys(judge).flatMap((name) => directions.map((d) => Math.abs(shift(d, name) ?? 0)));
  const peak = Math.max(...all, 1e-9);
  const cell = (value: number | undefined): string => {
    if (value === undefined) return '\u2013';
    const color = value > 0 ? 'var(--trajectory)' : 'var(--heldout)';
    const share = Math.round((SHADE * Math.abs(value)) / peak);
    return `<span style="background:color-mix(in srgb,${color} ${share}%,transparent)">${signed(value, 1)}</span>`;
  };
  return [
    tableSection({
      id: 'attributes',
      title: 'What each direction changes',
      reading:
        'From the lowest strength to the highest, in standard deviations of the data, as a judge of the attributes sees it; R\u00b2 says how well it sees each in held-out images.',
      head: [
        `<tr><th></th><th></th><th colspan="${directions.length}" class="group">direction</th></tr>`,
        `<tr><th>attribute</th><th>R\u00b2</th>${directions.map((d) => `<th>${d.number}</th>`).join('')}</tr>`,
      ],
      rows: Object.entries(judge).map(([name, r]) => ({
        cells: [escapeText(name), showMeasured(r, 2), ...directions.map((d) => cell(shift(d, name)))],
      })),
    }),
  ];
}

/** Mean of both ends of the strengths; undefined where it was not measured. */
function atEnds(
  { changes }: EditDirection,
  value: (change: EditChange) => number | null | undefined,
): number | undefined {
  const ends = [changes[0], changes.at(-1)].filter((c) => c !== undefined && c.strength !== 0) as EditChange[];
  const known = ends.flatMap((c) => value(c) ?? []);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0) / known.length;
}

function shown(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined) return '\u2013';
  return value === Infinity ? '\u221e' : showMeasured(value, digits);
}

const METHODS: Readonly<Record<EditDirection['method'], string>> = {
  loco: 'by LOCO Edit: the masked Jacobian of the posterior mean, with null-space projection',
  unmasked: 'by the Jacobian of the posterior mean, unmasked',
  noise: 'by the Jacobian of the noise prediction',
  pca: 'by principal components of the data',
  random: 'at random',
  supervised: 'towards a condition',
};

function termsOf({ composition, judge, directions }: EditResult): (readonly [string, string])[] {
  const perceptual = directions.some(({ changes }) => changes.some((c) => c.perceptual !== undefined));
  return [
    ...terms,
    ...(perceptual ? [perceptualTerm] : []),
    ...(composition ? [compositionTerm] : []),
    ...(judge ? [judgeTerm] : []),
  ];
}

const perceptualTerm = ['Perceptual', 'Distance by the graph that was given, of the whole image, mean of both ends of the strengths.'] as const; // prettier-ignore
const compositionTerm = ['Composition', 'Remainder is |both \u2212 sum| / |sum| of the changes: 0 where effects add up.'] as const; // prettier-ignore
const judgeTerm = ['Attributes', 'Change of the judged attribute at the lowest and at the highest strength, in standard deviations of the data. R\u00b2 is the judge\u2019s own on held-out images: what it cannot see there it cannot see here.'] as const; // prettier-ignore

const terms: readonly (readonly [string, string])[] = [
  ['Posterior mean and Jacobian', 'D(x; \u03c3) is the best guess of the clean image from x = x\u2080 + \u03c3 n (variance-exploding coordinates, VE); J = \u2202D/\u2202x at the noisy image. Directions are unit vectors v of noisy images, the same in VE and VP coordinates.'],
  ['s, residual', 'Singular value of the Jacobian with its rows outside the part set to 0 (VE), and the larger of |J v \u2212 s u| and |J\u1d40 u \u2212 s v|.'],
  ['Kept, null space', 'Length that was left of v when the leading right singular vectors Vb of the outside, as many as the rank of the null space, were projected out: 1 is untouched. What is left is the largest |Vb\u1d40v|.'],
  ['Strength', 'Length of the step along v in VP coordinates, where a noisy image has about the variance of a clean one; in VE it is \u221a(1 + \u03c3\u00b2) times as long. Negative ones turn the edit around.'],
  ['Gain, leak', '|J v| inside and outside the part: change of the posterior mean a unit of step (VE) that the linear model predicts.'],
  ['Slope, R\u00b2', 'Measured slope of the posterior mean along the predicted change over all strengths, a unit of step (VE), and R\u00b2 of that line through 0.'],
  ['Cosine', 'Between D(x + \u03bb v) and its linear model D(x) + \u03bb J v, the least over the strengths.'],
  ['In / out', 'Mean squared change a pixel inside the part over that outside, at the largest strengths, both signs: far above 1 for a local edit.'],
  ['SSIM', 'Structural similarity of the edited with the unedited image, mean of both ends of the strengths; 1 where nothing changed.'],
  ['Transfer', 'Median over the other images of the cosine between their change and that of this image, at the largest strengths.'],
  ['PSNR', '10 log\u2081\u2080(w\u00b2 / mean squared error), w the width of the value range.'],
]; // prettier-ignore

const sources: readonly string[] = [
  'arXiv:2409.02374 \u2013 Chen et al., exploring low-dimensional subspaces in diffusion models for controllable image editing (LOCO Edit): directions, null-space projection, transfer, composition.',
];
