import type { EquivalenceResult } from '../experiments/equivalence.ts';
import { resolveEquivalenceSpec } from '../experiments/equivalence-spec.ts';
import type { EquivalenceSpec } from '../experiments/equivalence-spec.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { choice, defined, number, switchOption, text } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** `eigenlens equivalence`: a low-rank denoiser trained, the same points clustered, and both compared. */
export const equivalence: Command = defineCommand({
  name: 'equivalence',
  summary: 'train a low-rank denoiser, cluster the same points by subspaces (PCA for one), and compare what both found',
  arguments: [{ name: 'mixture', description: 'molrg:n=48,K=2,d=3 (default): points are drawn; or give --data' }],
  options: {
    data: text('<data>', 'data set or path instead of a mixture; centred and scaled'),
    points: number('<n>', 'points in all (default 60)'),
    pointNoise: number('<x>', "standard deviation of noise on each coordinate of a mixture's points (default 0)"),
    clusters: number('<n>', 'subspaces of a data set (default 1)'),
    rank: number('<n>', 'their rank (default 4)'),
    weights: choice(['soft-max', 'hard-max'], 'how the network chooses: from the noisy or the clean sample'),
    sigma: number('<x>', 'the one noise level of training (default 0.1)'),
    logNormal: switchOption('noise levels ln sigma ~ N(-1.2, 1.2^2) instead of one'),
    noise: choice(['drawn', 'integrated'], 'noise drawn each step, or integrated as far as possible (default)'),
    steps: number('<n>', 'training steps (default 2000)'),
    rate: number('<x>', 'first step; below 1 it never overshoots on one subspace (default 2)'),
    decay: number('<n>', 'steps after which it is halved (default 200)'),
    batchSize: number('<n>', 'points a step (default 1000, or all where they are fewer)'),
    restarts: number('<n>', 'random starts (default 6)'),
  },
  examples: [
    'equivalence molrg:n=48,K=1,d=4 --points 10',
    'equivalence molrg:n=48,K=2,d=3 --weights hard-max --out runs/equivalence',
    'equivalence --data fashion --points 500 --rank 5 --json',
  ],
  resolve: ({ args: [mixture], options, seed }) => {
    const { logNormal, data, sigma, ...rest } = options;
    const levels = logNormal ? { logMean: -1.2, logStd: 1.2 } : sigma;
    return resolveEquivalenceSpec(defined({ ...rest, data: data ?? mixture, sigma: levels, seed }));
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: EquivalenceSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const { runEquivalence } = await import('../experiments/equivalence.ts');
  const { result, arrays, figures } = await runEquivalence(spec, {
    signal,
    onProgress: (done, total) => progress.report({ label: 'training', done, total, unit: 'steps' }),
  });
  if (folder !== undefined) {
    const { plainFigureFiles } = await import('../report/plain-files.ts');
    await folder.writeArrays('arrays.npz', { ...arrays });
    for (const [name, svg] of await plainFigureFiles(figures)) await folder.write(name, svg);
  }
  return { value: result, text: describe(result, layout) };
}

function describe(result: EquivalenceResult, layout: Layout): string {
  const { data, points, dimension, ranks, network, clustering, distances, distance, agreement } = result;
  const facts: [string, string][] = [
    ['data', `${data}, ${points} points in ${dimension} dimensions`],
    ['subspaces', `${ranks.length} of rank ${[...new Set(ranks)].join(', ')}`],
    ['distance', `${short(distance)} at most${distances.length > 1 ? ` (${distances.map(short).join(', ')})` : ''}`],
    ['same cluster', `${(100 * agreement).toFixed(1)} % of the points`],
    ['training', `${network.status}, last gradient ${short(network.residual)} of the first`],
  ];
  const columns = [
    { header: '' },
    { header: 'diffusion loss', align: 'right' },
    { header: 'energy held', align: 'right' },
    { header: 'status' },
    { header: 'error from the truth' },
  ] as const;
  const rows = [
    { name: 'network', found: network },
    { name: clustering.method, found: clustering },
  ].map(({ name, found: { loss, energy, status, error } }) => [
    name,
    loss.toPrecision(6),
    energy.toPrecision(6),
    status,
    error?.map(short).join(', ') ?? '-',
  ]);
  return `${formatFacts(facts, layout)}\n\n${formatTable(columns, rows, layout)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
