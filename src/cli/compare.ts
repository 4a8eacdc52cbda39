import { resolveCompareSpec } from '../experiments/compare-spec.ts';
import type { CompareSpec } from '../experiments/compare-spec.ts';
import type { CompareRate, CompareResult, CompareRun } from '../experiments/compare.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions } from './model-options.ts';
import { number, numbers, text, words } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';
import { packageVersion } from './version.ts';

/** Pairs on the contact sheet, and pairs in a row of it. */
const SHEET = { pairs: 64, columns: 16 };

/** `eigenlens compare`: do two models draw the same from the same noise? */
export const compare: Command = defineCommand({
  name: 'compare',
  summary: 'do two models draw the same samples from the same noise? reproducibility with intervals, pairs, denoisers',
  arguments: [
    { name: 'model', description: 'a model as for inspect (default fashion)' },
    { name: 'other', description: 'another one of the same shape', required: true },
  ],
  options: {
    data: text('<data>', "noise the held-out part of this data set (default: the first model's own)"),
    samples: number('<n>', 'samples to draw from each (default 256)'),
    steps: number('<n>', 'noise levels of the sampler (default 18)'),
    descriptors: words('<list>', 'centred, pca, gradients or ONNX files (default centred, and gradients of images)'),
    similarity: number('<x>', 'cosine that counts as the same (default: calibrated on pairs of different noise)'),
    falsePositives: number('<x>', 'rate of such pairs that may count as the same (default 0.01)'),
    sigmas: numbers('<list>', 'noise levels at which the denoisers are compared (default 0.02 to 20)'),
    images: number('<n>', 'held-out images that are noised (default 32)'),
    device: modelOptions.device,
  },
  examples: ['compare fashion fashion-memorized --out runs/compare', 'compare a/ b/ --samples 1000 --json'],
  resolve: ({ args, options, seed }) => resolveCompareSpec({ a: args[0], b: args[1], ...options, seed }),
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: CompareSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout, commandLine } = context;
  const { openDenoiser } = await import('../experiments/models.ts');
  const { runCompare } = await import('../experiments/compare.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const device = await resolveDevice(spec.device ?? 'auto');
  const { data } = spec;
  const first = await openDenoiser(spec.a, { data, device, signal });
  await using a = first.denoiser;
  const second = await openDenoiser(spec.b, { data, device, signal });
  await using b = second.denoiser;
  const models = [
    { ...first, denoiser: a },
    { ...second, denoiser: b },
  ] as const;
  const run = await runCompare(spec, models, {
    command: commandLine,
    version: packageVersion(),
    signal,
    onProgress: (label, done, total) => progress.report({ label, done, total }),
  });
  const result = folder === undefined ? run.result : await writeRun(run, folder);
  return { value: result, text: describe(result, layout) };
}

async function writeRun(run: CompareRun, folder: RunFolder): Promise<CompareResult> {
  const { orderedPairs } = await import('../experiments/compare.ts');
  const { isImageShape } = await import('../report/png.ts');
  const { pairSheetPng } = await import('../report/pair-sheet.ts');
  const { renderCompareReport } = await import('../report/compare-report.ts');
  const { result, samples } = run;
  const [a, b] = orderedPairs(run);
  await folder.writeArrays('arrays.npz', { samples_a: samples[0], samples_b: samples[1] });
  if (isImageShape(result.sampleShape)) {
    await folder.write('pairs.png', pairSheetPng(a, b, result.valueRange, SHEET));
  }
  const files = [...folder.files, 'report.html', 'result.json', 'run.json', 'spec.json'].sort();
  const complete = { ...result, files };
  await folder.write('report.html', await renderCompareReport(complete, [a, b]));
  return complete;
}

function describe(result: CompareResult, layout: Layout): string {
  const { models, spec, data, images, notes } = result;
  const facts: [string, string][] = [
    ['models', models.join(' and ')],
    ['samples', `${spec.samples} of each, from the same noise, seed ${spec.seed}`],
    ['data', `${images} held-out images of ${data}`],
  ];
  return [
    formatFacts(facts, layout),
    '',
    rateTable(result, layout),
    '',
    denoiserTable(result, layout),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note}`)] : []),
  ].join('\n');
}

function rateTable({ reproducibility, null: nulls }: CompareResult, layout: Layout): string {
  const columns = [
    { header: 'descriptor', fit: true },
    { header: 'threshold', align: 'right' },
    { header: 'RP', align: 'right' },
    { header: '95 % interval', align: 'right' },
    { header: 'other noise', align: 'right' },
    { header: 'median cosine', align: 'right' },
  ] as const;
  const rows = reproducibility.map((rate, i) => {
    const other = nulls[i] as CompareRate;
    return [
      rate.descriptor,
      `${rate.threshold.toFixed(3)}${rate.source.kind === 'stated' ? '' : '*'}`,
      rate.value.toFixed(3),
      `${rate.low.toFixed(3)} to ${rate.high.toFixed(3)}`,
      other.value.toFixed(3),
      `${rate.median.toFixed(3)} (${other.median.toFixed(3)})`,
    ];
  });
  const footnote = '* calibrated on pairs from different noise, other than those shown';
  return `${formatTable(columns, rows, layout)}\n${footnote}`;
}

function denoiserTable({ denoisers }: CompareResult, layout: Layout): string {
  const columns = [
    { header: 'sigma', align: 'right' },
    { header: 'RMSE of the two denoisers', align: 'right' },
    { header: '95 % interval', align: 'right' },
  ] as const;
  const rows = denoisers.flatMap(({ sigma, rmse }) =>
    Object.values(rmse).map(({ value, low, high }) => [
      String(sigma),
      value.toFixed(4),
      `${low.toFixed(4)} to ${high.toFixed(4)}`,
    ]),
  );
  return formatTable(columns, rows, layout);
}
