import { SpecError } from '../errors/errors.ts';
import type { DataEstimate, DimensionResult } from '../experiments/dimension.ts';
import { resolveDimensionSpec } from '../experiments/dimension-spec.ts';
import type { DimensionSpec } from '../experiments/dimension-spec.ts';
import type { OpenModel } from '../experiments/open-model.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { number, numbers, switchOption, text } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** `eigenlens dimension`: intrinsic dimension of data, and of a denoiser at small noise. */
export const dimension: Command = defineCommand({
  name: 'dimension',
  summary: 'intrinsic dimension of data over scales and of a denoiser over noise, and how many samples it asks for',
  arguments: [],
  options: {
    data: text('<data>', 'data set or path (default: what the model was made from)'),
    model: text('<model>', 'a denoiser to measure too, as of inspect'),
    samples: number('<n>', 'most samples to seek neighbours among (default 10000)'),
    queries: number('<n>', 'most samples to seek neighbours of (default 2000)'),
    k: numbers('<list>', 'neighbours of the maximum likelihood estimate (default 5,10,20,50)'),
    pcaK: number('<n>', 'neighbours of local PCA (default 100)'),
    sigmas: numbers('<list>', 'noise levels of the denoiser (default six from 0.01 to 1)'),
    images: number('<n>', 'held-out samples that the denoiser is looked at with (default 8)'),
    probes: number('<n>', 'random signs for the trace of each Jacobian (default 8)'),
    triplets: number('<n>', 'leading singular values of each Jacobian (default 24)'),
    ...modelOptions,
    trust: switchOption('read an ONNX network as stated, without the check on real images'),
  },
  examples: [
    'dimension --data fashion --out runs/dimension-fashion',
    'dimension --model molrg:n=48,K=2,d=6 --json',
    'dimension --data photos/ --model unet.onnx --sigmas 0.02,0.05,0.1,0.2',
  ],
  resolve: ({ options, seed }) => {
    const { data, model, samples, queries, k, pcaK, sigmas, images, probes, triplets, device, trust } = options;
    const said = { data, model, samples, queries, k, pcaK, sigmas, images, probes, triplets, device, trust };
    return resolveDimensionSpec({ ...said, seed, reading: readingOf(options) });
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: DimensionSpec, context: CommandContext): Promise<CommandResult> {
  const { model, data, reading, trust, device } = spec;
  if (model === undefined) return measure(spec, context, undefined);
  const { openDenoiser } = await import('../experiments/models.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const where = { device: await resolveDevice(device ?? 'auto'), signal: context.signal };
  const opened = await openDenoiser(model, { data, reading, trust, ...where });
  await using denoiser = opened.denoiser;
  return await measure(spec, context, { ...opened, denoiser });
}

async function measure(
  spec: DimensionSpec,
  { signal, progress, folder, layout }: CommandContext,
  model: OpenModel | undefined,
): Promise<CommandResult> {
  const { openDataset } = await import('../data/open.ts');
  const { runDimension } = await import('../experiments/dimension.ts');
  const dataset = spec.data === undefined ? (model?.train ?? model?.heldout) : await openDataset(spec.data);
  if (dataset === undefined) throw new SpecError('dimension', 'expected data or a model, got neither.');
  const { result, figures } = await runDimension(spec, {
    dataset,
    model,
    signal,
    onProgress: (label, done, total) => progress.report({ label, done, total }),
  });
  if (folder !== undefined) {
    const { plainFigureFiles } = await import('../report/plain-files.ts');
    for (const [name, svg] of await plainFigureFiles(figures)) await folder.write(name, svg);
  }
  return { value: result, text: dimensionTable(result, layout) };
}

/** Estimates with intervals and scales, the denoiser's levels, and the predictions with their sources. */
export function dimensionTable(result: DimensionResult, layout: Layout): string {
  const { data, estimates, denoiser } = result;
  const copies = data.samples - data.distinct;
  const taken =
    data.samples < data.count ? `${data.samples} of ${data.count} samples at random` : `${data.samples} samples`;
  const facts = formatFacts(
    [
      ['data', `${data.name}: ${taken} of ${data.ambient} numbers, neighbours of ${data.queries}`],
      ...(copies > 0 ? [['copies', `${copies} left out: their distance is 0`] as const] : []),
      ['TwoNN', 'fitted to n samples less those of largest ratio'],
      ['local PCA', 'counts variances above that share of the largest'],
      ['intervals', 'about 95 %; neighbours are shared, which makes them somewhat narrow'],
    ],
    layout,
  );
  const columns = [
    { header: 'estimator' },
    { header: 'setting', fit: true },
    right('scale'),
    right('dimension'),
    right('interval'),
    { header: '' },
  ];
  const rows = estimates.map((e: DataEstimate) => [
    e.estimator,
    e.setting,
    short(e.scale),
    short(e.dimension),
    `${short(e.low)} to ${short(e.high)}`,
    e.caution ?? '',
  ]);
  const parts = [facts, formatTable(columns, rows, layout)];
  if (denoiser !== undefined) parts.push(denoiserTable(denoiser, layout));
  parts.push(predictionTable(result, layout));
  return parts.join('\n\n');
}

function predictionTable({ predictions, predictedFrom }: DimensionResult, layout: Layout): string {
  const rows = predictions.map((p, i) => [
    `${p.rule} [${i + 1}]`,
    `${p.perDimension} d`,
    String(p.samples),
    `${p.low} to ${p.high}`,
    p.status,
  ]);
  const columns = [{ header: 'rule' }, right('samples'), right('here'), right('interval'), { header: 'standing' }];
  const sources = predictions.map(({ source }, i) => `[${i + 1}] ${source}`).join('\n');
  return `samples to train on, from ${predictedFrom}\n${formatTable(columns, rows, layout)}\n${sources}`;
}

function right(header: string): { header: string; align: 'right' } {
  return { header, align: 'right' };
}

function denoiserTable(
  { name, images, levels, plateau }: NonNullable<DimensionResult['denoiser']>,
  layout: Layout,
): string {
  const heads = ['sigma', 'error / sigma^2', 'by Stein', 'trace', 'values > 1/2', 'status'];
  const withInterval = ({ mean, low, high }: { mean: number; low: number; high: number }): string =>
    `${short(mean)} (${short(low)} to ${short(high)})`;
  const rows = levels.map((l) => [
    short(l.sigma),
    withInterval(l.error),
    withInterval(l.sure),
    withInterval(l.trace),
    `${l.rankIsLowerBound ? '>= ' : ''}${short(l.rank.mean)}`,
    l.status,
  ]);
  const columns = heads.map((header) => ({ header, align: 'right' as const }));
  const kind = Math.abs(plateau.slope) > 0.2 ? 'no plateau: flattest' : 'plateau';
  const flat = `${kind} at sigma ${short(plateau.sigma)}: ${withInterval(plateau.dimension)}, slope ${short(plateau.slope)}`;
  return `denoiser ${name} at ${images} held-out samples\n${formatTable(columns, rows, layout)}\n${flat}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
