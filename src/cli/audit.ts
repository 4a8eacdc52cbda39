import type { AuditData, AuditRate, AuditResult } from '../experiments/audit-result.ts';
import { resolveAuditSpec } from '../experiments/audit-spec.ts';
import type { AuditSpec } from '../experiments/audit-spec.ts';
import type { AuditRun } from '../experiments/audit.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { number, switchOption, text, words } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';
import { packageVersion } from './version.ts';

/** Pairs on the contact sheet, and pairs in a row of it. */
const SHEET_PAIRS = 64;
const SHEET_COLUMNS = 16;

/** `eigenlens audit`: does a model copy its training set? */
export const audit: Command = defineCommand({
  name: 'audit',
  summary: 'does a model, or a set of generated images, copy its training images? exit 1 where it does',
  arguments: [
    { name: 'model or images', description: 'a model as for inspect (default fashion), or generated images' },
  ],
  options: {
    train: text('<data>', 'training images (default: what the model says it was trained on)'),
    holdout: text('<data>', 'images of the same kind that were not trained on, for the null rates'),
    samples: number('<n>', 'samples to draw, or most images to take (default 256)'),
    steps: number('<n>', 'noise levels of the sampler (default 18)'),
    descriptors: words(
      '<list>',
      'pixels, centred, pca, gradients or ONNX files (default pixels, and gradients of images from 8 x 8)',
    ),
    similarity: number('<x>', 'cosine that counts as a copy (default 0.6 for ONNX descriptors, else calibrated)'),
    ratio: number('<x>', 'nearest over second nearest distance that counts as a copy (default 1/3)'),
    falsePositives: number('<x>', 'rate of false positives of calibrated thresholds (default 0.01)'),
    tolerance: number('<x>', 'largest memorized fraction that is tolerated (default 0.05)'),
    duplicates: number('<x>', 'pixel distance of near-duplicates in the training set (default 0.02)'),
    strict: switchOption('fail at the first image that cannot be used instead of counting it'),
    ...modelOptions,
  },
  examples: [
    'audit fashion-memorized --out runs/audit',
    'audit unet.onnx --train photos/ --holdout more-photos/ --json',
    'audit generated/ --train photos/ --descriptors pixels,sscd.onnx --samples 5000',
  ],
  resolve: ({ args, options, seed }) => {
    const { train, holdout, samples, steps, descriptors, similarity, ratio } = options;
    const { falsePositives, tolerance, duplicates, strict, device } = options;
    const said = { train, holdout, samples, steps, descriptors, similarity, ratio, falsePositives, tolerance };
    return resolveAuditSpec({
      subject: args[0],
      ...said,
      duplicates,
      strict,
      device,
      seed,
      reading: readingOf(options),
    });
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: AuditSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout, commandLine } = context;
  const { openAuditSubject } = await import('../experiments/audit-subject.ts');
  const { runAudit } = await import('../experiments/audit.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const subject = await openAuditSubject(spec, { device: await resolveDevice(spec.device ?? 'auto'), signal });
  await using denoiser = subject.denoiser;
  const run = await runAudit(
    spec,
    { ...subject, denoiser },
    {
      command: commandLine,
      version: packageVersion(),
      signal,
      onProgress: (label, done, total) => progress.report({ label, done, total }),
    },
  );
  const result = folder === undefined ? run.result : await writeRun(run, folder);
  return { value: result, text: describe(result, layout), exitCode: result.verdict === 'copies' ? 1 : 0 };
}

async function writeRun({ result, arrays }: AuditRun, folder: RunFolder): Promise<AuditResult> {
  const { isImageShape } = await import('../report/png.ts');
  const { pairSheetPng } = await import('../report/pair-sheet.ts');
  const { renderAuditReport } = await import('../report/audit-report.ts');
  const { samples, nearest, scores } = arrays;
  await folder.writeArrays('arrays.npz', { samples, nearest, ...scores });
  if (isImageShape(result.sampleShape)) {
    const sheet = { pairs: SHEET_PAIRS, columns: SHEET_COLUMNS };
    await folder.write('pairs.png', pairSheetPng(samples, nearest, result.valueRange, sheet));
  }
  const files = [...folder.files, 'report.html', 'result.json', 'run.json', 'spec.json'].sort();
  const complete = { ...result, files };
  await folder.write('report.html', await renderAuditReport(complete, arrays));
  return complete;
}

function describe(result: AuditResult, layout: Layout): string {
  const { subject, train, holdout, verdict, reason, duplicates, notes } = result;
  const facts: [string, string][] = [
    ['verdict', `${verdict}. ${reason}`],
    ['samples', `${subject.samples} of ${subject.name}${leftOut(subject)}`],
    ['training', `${train.count} images of ${train.name}${leftOut(train)}`],
    ['held out', holdout ? `${holdout.count} images of ${holdout.name}${leftOut(holdout)}` : 'none known'],
    ['duplicates', `${duplicates.exact} exact, ${duplicates.near} near (within ${duplicates.threshold}) among the training images`], // prettier-ignore
  ];
  const closest = result.pairs[0];
  if (closest !== undefined) {
    const ratio = closest.ratio === undefined ? '' : `, ratio ${closest.ratio.toFixed(3)}`;
    facts.push(['closest', `sample ${closest.sample} and training image ${closest.nearest}: distance ${closest.distance.toFixed(4)}${ratio}`]); // prettier-ignore
  }
  facts.push(...denoiserFacts(result));
  return [
    formatFacts(facts, layout),
    '',
    rateTable(result, layout),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note}`)] : []),
  ].join('\n');
}

function leftOut({ leftOut: files }: Pick<AuditData, 'leftOut'>): string {
  return files.length > 0 ? `, ${files.length} left out` : '';
}

/** What the model itself says, at the noise level where it says most. */
function denoiserFacts({ denoising, closeness }: AuditResult): [string, string][] {
  const facts: [string, string][] = [];
  if (denoising !== undefined) {
    const { sigma, gap } = denoising.reduce((a, b) => (b.gap.value > a.gap.value ? b : a));
    facts.push(['denoising', `PSNR of training images over that of held-out ones: ${gap.value.toFixed(2)} dB (${gap.low.toFixed(2)} to ${gap.high.toFixed(2)}) at sigma ${sigma}`]); // prettier-ignore
  }
  const low = closeness?.reduce((a, b) => (b.sigma < a.sigma ? b : a));
  if (low !== undefined) {
    const distances = Object.entries(low.rmse).map(([name, { value }]) => `${value.toFixed(4)} from the ${name} denoiser`); // prettier-ignore
    facts.push(['distance', `${distances.join(', ')} at sigma ${low.sigma}`]);
  }
  return facts;
}

function rateTable({ memorized, null: nulls }: AuditResult, layout: Layout): string {
  const columns = [
    { header: 'rule' },
    { header: 'descriptor', fit: true },
    { header: 'threshold', align: 'right' },
    { header: 'copies', align: 'right' },
    { header: '95 % interval', align: 'right' },
    { header: 'held-out images', align: 'right' },
  ] as const;
  const rows = memorized.map((rate, i) => {
    const other = nulls[i] as AuditRate;
    return [
      rate.rule,
      rate.descriptor,
      `${rate.threshold.toPrecision(3)}${rate.source.kind === 'stated' ? '' : '*'}`,
      percent(rate.value),
      `${percent(rate.low)} to ${percent(rate.high)}`,
      `${percent(other.value)} (to ${percent(other.high)})`,
    ];
  });
  return `${formatTable(columns, rows, layout)}\n* calibrated on half of the held-out images; the rates of the other half are shown`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
