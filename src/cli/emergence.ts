import { basisKinds } from '../analysis/alignment.ts';
import type { DeepEmergence } from '../experiments/emergence.ts';
import { resolveEmergenceSpec } from '../experiments/emergence-spec.ts';
import type { EmergenceSpec } from '../experiments/emergence-spec.ts';
import type { PlainFigure } from '../experiments/plain-figure.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { choice, number, numbers, switchOption, text } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** `eigenlens emergence`: which directions come out at which noise level, in a denoiser or in the linear denoisers of data. */
export const emergence: Command = defineCommand({
  name: 'emergence',
  summary: "which directions emerge at which noise: a denoiser's leading basis, or linear denoisers of --data",
  arguments: [{ name: 'model', description: 'as of inspect; without it, --data is learned by linear denoisers' }],
  options: {
    data: text('<data>', "principal components of this data set (default: the model's own)"),
    components: number('<n>', 'leading directions (default 6)'),
    sigmas: numbers('<list>', 'noise levels, such as 0.1,1,10'),
    levels: number('<n>', 'number of noise levels from 80 to 0.05 (default 14)'),
    basis: choice(basisKinds, 'which basis of the Jacobian (default symmetrised)'),
    steps: number('<n>', 'noise levels of the sampler (default 18)'),
    samples: number('<n>', 'training samples of the linear denoisers (default all)'),
    draws: number('<n>', 'noise draws a training sample of the linear denoisers (default 1)'),
    ...modelOptions,
    trust: switchOption('read an ONNX network as stated, without the check on real images'),
  },
  examples: [
    'emergence fashion --out runs/emergence-fashion',
    'emergence gaussian:fashion --json',
    'emergence --data fashion --components 8',
    'emergence molrg:n=48,K=2,d=6 --basis left --sigmas 10,1,0.1',
  ],
  resolve: ({ args: [model], options, seed }) => {
    const { data, components, sigmas, levels, basis, steps, samples, draws, device, trust } = options;
    const said = { data, components, sigmas, levels, basis, steps, samples, draws, device, trust };
    return resolveEmergenceSpec({ model, seed, ...said, reading: readingOf(options) });
  },
  run: (spec, context) => (spec.model === undefined ? runLinear(spec, context) : runDeep(spec, spec.model, context)),
});

async function runDeep(spec: EmergenceSpec, name: string, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const { openDenoiser } = await import('../experiments/models.ts');
  const { deepEmergence } = await import('../experiments/emergence.ts');
  const { trainingPart } = await import('../experiments/training-part.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const device = await resolveDevice(spec.device ?? 'auto');
  const { data, reading, trust } = spec;
  const model = await openDenoiser(name, { data, reading, trust, device, signal });
  await using denoiser = model.denoiser;
  const { components, basis, sigmas = [], steps, seed } = spec;
  const run = await deepEmergence({
    denoiser,
    dataset: await trainingPart(model, data),
    components, basis, sigmas, steps, seed, signal,
    onProgress: (done, total) => progress.report({ label: 'Jacobian bases', done, total }),
  }); // prettier-ignore
  if (folder !== undefined) {
    await folder.writeArrays('arrays.npz', run.arrays);
    await writeFigures(folder, run.figures);
  }
  return { value: run.result, text: deepTable(run.result, layout) };
}

async function runLinear(spec: EmergenceSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const { splitDataset } = await import('../experiments/split-dataset.ts');
  const { linearEmergence } = await import('../experiments/linear-emergence.ts');
  const { components, sigmas, samples, draws, seed } = spec;
  const { train } = await splitDataset(spec.data as string);
  const { figures, ...found } = await linearEmergence({
    dataset: train,
    components, seed, signal,
    ...(sigmas && { sigmas: [...sigmas] }),
    ...(samples !== undefined && { samples }),
    ...(draws !== undefined && { draws }),
    onProgress: (done, total) => progress.report({ label: 'linear denoisers', done, total }),
  }); // prettier-ignore
  if (folder !== undefined) await writeFigures(folder, figures);
  const value = {
    kind: 'linear',
    dataset: { name: train.name, hash: await train.hash() },
    seed,
    components,
    ...found,
    rows: found.rows.map((r) => ({
      ...r,
      criticalSigma: finite(r.criticalSigma),
      emergenceSigma: finite(r.emergenceSigma),
      meanRadialFrequency: finite(r.meanRadialFrequency),
    })),
    frequencyCorrelation: finite(found.frequencyCorrelation),
  };
  const columns = ['component', 'variance', 'critical sigma', 'found at sigma', 'cycles a pixel'];
  const rows = found.rows.map((r) => [
    String(r.component),
    short(r.eigenvalue),
    short(r.criticalSigma),
    short(r.emergenceSigma),
    finite(r.meanRadialFrequency) === null ? '-' : short(r.meanRadialFrequency),
  ]);
  const facts = formatFacts(
    [
      [
        'data',
        `${train.name}, ${found.samples} samples of ${found.dimension} values, ${found.draws} noise draws each; seed ${seed}`,
      ],
      ['low first', describeCorrelation(found.frequencyCorrelation)],
      ['noise levels', found.sigmas.map(short).join(', ')],
    ],
    layout,
  );
  const table = formatTable(
    columns.map((header) => ({ header, align: 'right' as const })),
    rows,
    layout,
  );
  return { value, text: `${facts}\n\n${table}\n\n${linearLegend}` };
}

const linearLegend = [
  'critical sigma: above this noise the spiked covariance model says that the direction is lost;',
  'found at sigma: half of it lies in the learned span; the reference is the principal',
  '  components of the whole data set.',
].join('\n');

function describeCorrelation(correlation: number): string {
  if (Number.isNaN(correlation)) return 'samples are no images';
  return `rank correlation of critical noise with radial frequency ${correlation.toFixed(2)} (-1: low frequencies come first)`;
}

/** JSON has no infinity and no not-a-number. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

async function writeFigures(folder: RunFolder, figures: Readonly<Record<string, PlainFigure>>): Promise<void> {
  const { plainFigureFiles } = await import('../report/plain-files.ts');
  for (const [name, svg] of await plainFigureFiles(figures)) await folder.write(name, svg);
}

function deepTable(result: DeepEmergence['result'], layout: Layout): string {
  const facts = formatFacts(
    [
      ['model', result.model],
      ['basis', `${result.basis}, ${result.components} leading directions; seed ${result.seed}`],
      ['last', result.references.last],
      ['data', result.references.data],
    ],
    layout,
  );
  const first = Math.min(3, result.components);
  const numbered = (name: string): { header: string; align: 'right' }[] =>
    Array.from({ length: first }, (_, i) => ({ header: `${name} ${i + 1}`, align: 'right' }));
  const columns = [
    { header: 'sigma', align: 'right' },
    { header: 'S1', align: 'right' },
    ...numbered('last'),
    { header: 'span', align: 'right' },
    ...numbered('data'),
    { header: 'span', align: 'right' },
    { header: 'status', fit: true },
  ] as const;
  const fixed = (values: readonly number[]): string[] => values.slice(0, first).map((v) => v.toFixed(3));
  const largest = (values: readonly number[]): string => (values[values.length - 1] ?? NaN).toFixed(3);
  const rows = result.steps.map(({ sigma, values, toLast, toData, status }) => [
    short(sigma),
    (values[0] ?? NaN).toFixed(3),
    ...fixed(toLast.sines),
    largest(toLast.principalSines),
    ...fixed(toData.sines),
    largest(toData.principalSines),
    status === 'converged' ? 'ok' : status,
  ]);
  return `${facts}\n\n${formatTable(columns, rows, layout)}\n\n${legend}`;
}

const legend = [
  'last, data: sine of the angle of direction i to direction i of the reference;',
  '  1 where they share nothing, 0 where they agree.',
  'span: largest sine between the two subspaces of all directions.',
  'Where values lie close together, directions turn within their span.',
].join('\n');

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
