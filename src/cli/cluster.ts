import { clusterMethods } from '../analysis/clustering/subspace-clustering.ts';
import type { Dataset } from '../data/dataset.ts';
import { resolveClusterSpec } from '../experiments/cluster-spec.ts';
import type { ClusterSpec } from '../experiments/cluster-spec.ts';
import type { ClusterResult, ClusterRun } from '../experiments/cluster.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { choice, number, switchOption, text } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** Images in a row of the contact sheet. */
const COLUMNS = 16;

/** `eigenlens cluster`: subspace clustering of a data set. */
export const cluster: Command = defineCommand({
  name: 'cluster',
  summary: 'group samples by the low-dimensional subspaces they lie near; accuracy and NMI where the data has labels',
  arguments: [],
  options: {
    data: text('<data>', 'data set to cluster (default fashion-heldout)'),
    method: choice(clusterMethods, 'how (default ssc-omp)'),
    clusters: number('<k>', 'number of clusters (default: that of the classes)'),
    rank: number('<r>', 'dimension of the subspaces (default 5)'),
    sparsity: number('<k>', 'samples that express one (ssc-omp), neighbours of one (tsc); default 5'),
    restarts: number('<n>', 'starts of k-means (default 20) or of k-subspaces (default 5)'),
    samples: number('<n>', 'cluster this many samples, drawn by the seed (default all)'),
    project: number('<r>', 'project on this many principal components first'),
    center: switchOption('subtract the mean first'),
  },
  examples: [
    'cluster --data faces/ --out runs/faces',
    'cluster --data fashion-heldout --method tsc --sparsity 10',
    'cluster --data points.npy --clusters 3 --rank 2 --method k-subspaces --json',
  ],
  resolve: ({ options, seed }) => resolveClusterSpec({ ...options, seed }),
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: ClusterSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const { openDataset } = await import('../data/open.ts');
  const { runCluster } = await import('../experiments/cluster.ts');
  const data = await openDataset(spec.data);
  const run = await runCluster(spec, {
    data,
    signal,
    onProgress: (label, done, total) => progress.report({ label, done, total }),
  });
  if (folder !== undefined) await writeRun(run, data, folder);
  return { value: run.result, text: describe(run.result, layout) };
}

async function writeRun({ arrays, found, result }: ClusterRun, data: Dataset, folder: RunFolder): Promise<void> {
  const { imageGridPng, isImageShape } = await import('../report/png.ts');
  const { affinityPng, contactSheet } = await import('./cluster-pictures.ts');
  await folder.writeArrays('arrays.npz', arrays);
  if (found.affinity !== undefined) await folder.write('affinity.png', affinityPng(found.affinity, found.labels));
  if (!isImageShape(data.sampleShape)) return;
  const { low, high } = data.range;
  const x = await data.read(arrays.indices.data);
  const sheet = contactSheet(x, found.labels, result.clusters, COLUMNS, high);
  await folder.write('clusters.png', imageGridPng(sheet, [low, high], { columns: COLUMNS }));
}

function describe(result: ClusterResult, layout: Layout): string {
  const { spec, dataset, graph, accuracy, nmi } = result;
  const part = dataset.count < dataset.of ? `${dataset.count} of ${dataset.of}` : String(dataset.count);
  const how = spec.method === 'k-subspaces' ? `rank ${spec.rank}` : `sparsity ${spec.sparsity}`;
  const facts: [string, string][] = [
    ['data', `${dataset.name}, ${part} samples of shape ${dataset.sampleShape.join(' x ')}`],
    ['method', `${spec.method}, ${how}, ${spec.restarts} starts, seed ${spec.seed}; ${result.status}`],
    ['samples', result.preprocessing.join(', ')],
    ['cost', `${result.cost.toPrecision(4)} mean squared distance from subspaces of rank ${spec.rank}`],
  ];
  if (accuracy !== undefined)
    facts.push(['accuracy', `${(100 * accuracy).toFixed(2)} % (best matching of clusters and classes)`]);
  if (nmi !== undefined) facts.push(['NMI', `${nmi.toFixed(4)} (arithmetic mean of entropies)`]);
  if (graph !== undefined) {
    const last = graph.eigenvalues.at(-1)?.toPrecision(4) ?? '-';
    facts.push([
      'graph',
      `${graph.components} parts, ${graph.isolated} lone samples, eigenvalue ${result.clusters}: ${last}`,
    ]);
  }
  const notes = result.notes.map((note) => `note: ${note}`);
  return [
    formatFacts(facts, layout),
    '',
    clusterTable(result, layout),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ].join('\n');
}

function clusterTable({ rows }: ClusterResult, layout: Layout): string {
  const labelled = rows.some((row) => row.class !== undefined);
  const columns = [
    { header: 'cluster', align: 'right' },
    { header: 'samples', align: 'right' },
    { header: 'dimension', align: 'right' },
    { header: 'captured', align: 'right' },
    ...(labelled
      ? ([
          { header: 'class', fit: true },
          { header: 'of it', align: 'right' },
        ] as const)
      : []),
  ] as const;
  const cells = rows.map((row) => [
    String(row.cluster),
    String(row.size),
    String(row.rank),
    row.captured.toFixed(4),
    ...(labelled
      ? [row.class?.name ?? '-', row.class === undefined ? '-' : `${(100 * row.class.share).toFixed(1)} %`]
      : []),
  ]);
  return formatTable(columns, cells, layout);
}
