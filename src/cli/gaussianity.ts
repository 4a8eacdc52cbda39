import type { Gaussianity } from '../experiments/gaussianity.ts';
import { resolveGaussianitySpec } from '../experiments/gaussianity-spec.ts';
import type { GaussianitySpec } from '../experiments/gaussianity-spec.ts';
import { modelMeanings } from '../experiments/gaussianity-models.ts';
import type { ModelName } from '../experiments/gaussianity-models.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { number, numbers, switchOption, text } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** `eigenlens gaussianity`: how much of a denoiser a Gaussian, linear, memorizing or local one explains, over noise. */
export const gaussianity: Command = defineCommand({
  name: 'gaussianity',
  summary: 'how Gaussian a denoiser is at every noise: against Wiener, linear, empirical and local denoisers',
  arguments: [{ name: 'model', description: 'as of inspect (default fashion)' }],
  options: {
    data: text('<data>', "make and compare the models on this data set (default: the model's own)"),
    models: text('<names>', `some of ${Object.keys(modelMeanings).join(',')} (default all; ELS takes longest)`),
    sigmas: numbers('<list>', 'noise levels, such as 0.1,1,10'),
    levels: number('<n>', 'number of noise levels from 80 to 0.002, as of EDM (default 10)'),
    samples: number('<n>', 'held-out samples at each level (default 16)'),
    pairs: number('<n>', 'pairs of the linearity score (default 32)'),
    draws: number(
      '<n>',
      'noisy samples a level that the linear model is distilled from (default 3200; few follow chance)',
    ),
    ridge: number('<x>', 'its ridge, as part of the mean input variance (default 1e-4)'),
    rank: number('<n>', 'principal components of the low-rank Gaussian (default 32)'),
    patch: number('<n>', 'side of the patches of LS and ELS (default 7)'),
    lsImages: number('<n>', 'training images of LS (default 1000)'),
    elsImages: number('<n>', 'training images of ELS (default 10)'),
    ...modelOptions,
    trust: switchOption('read an ONNX network as stated, without the check on real images'),
  },
  examples: [
    'gaussianity fashion --out runs/gaussianity-fashion',
    'gaussianity empirical:fashion --models gaussian,empirical --json',
    'gaussianity unet.onnx --data photos/ --sigmas 0.1,1,10 --draws 8000',
  ],
  resolve: ({ args: [model], options, seed }) => {
    const { data, models, sigmas, levels, samples, pairs, draws, ridge, rank, patch, device, trust } = options;
    const { lsImages, elsImages } = options;
    const said = {
      data,
      sigmas,
      levels,
      samples,
      pairs,
      draws,
      ridge,
      rank,
      patch,
      lsImages,
      elsImages,
      device,
      trust,
    };
    const names = models?.split(',').map((name) => name.trim());
    return resolveGaussianitySpec({ model, seed, ...said, models: names, reading: readingOf(options) });
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: GaussianitySpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const { openDenoiser } = await import('../experiments/models.ts');
  const { measureGaussianity } = await import('../experiments/gaussianity.ts');
  const { trainingPart } = await import('../experiments/training-part.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const device = await resolveDevice(spec.device ?? 'auto');
  const { data, reading, trust } = spec;
  const model = await openDenoiser(spec.model, { data, reading, trust, device, signal });
  await using denoiser = model.denoiser;
  const run = await measureGaussianity({
    ...spec,
    denoiser,
    train: await trainingPart(model, data),
    heldout: model.heldout,
    signal,
    onProgress: (done, total, label) => progress.report({ label, done, total, unit: 'levels' }),
  });
  if (folder !== undefined) {
    const { plainFigureFiles } = await import('../report/plain-files.ts');
    await folder.writeArrays('arrays.npz', run.arrays);
    for (const [name, svg] of await plainFigureFiles(run.figures)) await folder.write(name, svg);
  }
  return { value: run.result, text: gaussianityTable(run.result, layout) };
}

function gaussianityTable(result: Gaussianity['result'], layout: Layout): string {
  const { settings, train, heldout } = result;
  const facts = formatFacts(
    [
      ['model', result.model],
      [
        'data',
        `models of ${train.name}, compared on ${settings.samples} samples of ${heldout.name}; seed ${settings.seed}`,
      ],
      ...settings.models.map((name) => [name, meaning(name, settings)] as const),
    ],
    layout,
  );
  const table = (title: string, value: (model: ModelName, sigma: number) => string): string => {
    const columns = ['sigma', ...settings.models].map((header) => ({ header, align: 'right' as const }));
    const rows = result.sigmas.map((sigma) => [short(sigma), ...settings.models.map((name) => value(name, sigma))]);
    return `${title}\n${formatTable(columns, rows, layout)}`;
  };
  const at = (model: ModelName, sigma: number): Gaussianity['result']['closeness'][number] | undefined =>
    result.closeness.find((c) => c.model === model && c.sigma === sigma);
  const levels = result.levels.map(({ sigma, linearity, error }) => [short(sigma), linearity.toFixed(4), short(error)]);
  return [
    facts,
    table('rmse: mean |D - D_model| / sqrt(d)', (m, s) => (at(m, s)?.rmse ?? NaN).toFixed(4)),
    table('explained variance of the denoiser', (m, s) => share(at(m, s)?.denoiserVariance)),
    table('explained variance of the score', (m, s) => share(at(m, s)?.scoreVariance)),
    `the denoiser itself\n${formatTable(
      ['sigma', 'linearity score', 'rmse to clean'].map((header) => ({ header, align: 'right' as const })),
      levels,
      layout,
    )}`,
  ].join('\n\n');
}

function meaning(name: ModelName, settings: Gaussianity['result']['settings']): string {
  const { rank, draws, ridge, patch, lsImages, elsImages } = settings;
  const details: Partial<Record<ModelName, string>> = {
    'low-rank': ` (${rank})`,
    linear: ` (${draws} pairs a level, ridge ${ridge})`,
    LS: ` (${patch} x ${patch}, up to ${lsImages} images)`,
    ELS: ` (${patch} x ${patch}, up to ${elsImages} images)`,
  };
  return modelMeanings[name] + (details[name] ?? '');
}

/** As in the authors' table: `<0` where the model is worse than saying nothing. */
function share(value: number | undefined): string {
  if (value === undefined) return '-';
  return value < 0 ? '<0' : value.toFixed(4);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
