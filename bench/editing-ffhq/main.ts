/** Local editing of FFHQ faces at 32 x 32: masked singular directions beside the baselines, rated by networks that tell smile, age and gender. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { writeNpy } from '../../src/data/npy.ts';
import { SpecError } from '../../src/errors/errors.ts';
import { runEditingBenchmark } from '../../src/experiments/editing-benchmark.ts';
import type { BenchmarkRegion, MethodScore } from '../../src/experiments/editing-benchmark.ts';
import { findNetwork, readNetwork } from '../../src/experiments/network-model.ts';
import { line } from '../measure.ts';
import { eyes, FFHQ_VARIABLE, findFaces, openFaces, readImages } from './data.ts';
import { FACE_API_VARIABLE, openFaceNetworks } from './face-api.ts';
import { least, openJudge } from './judge.ts';
import type { Credibility } from './judge.ts';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    images: { type: 'string', default: '15' },
    targets: { type: 'string', default: '3' },
    directions: { type: 'string', default: '2' },
    'null-rank': { type: 'string', default: '20' },
    sigma: { type: 'string', default: '2' },
    steps: { type: 'string', default: '12' },
    strengths: { type: 'string', default: '2,4,8' },
    seed: { type: 'string', default: '0' },
    pack: { type: 'string' },
  },
});

/** FFHQ's frame at 32 x 32: eyes in row 15, mouth in row 24. Age and gender can change with any part of a face. */
const regions: readonly BenchmarkRegion[] = [
  { name: 'mouth', box: { x: 9, y: 20, width: 14, height: 9 }, attributes: ['smile', 'age', 'male'] },
  { name: 'eyes', box: eyes, attributes: ['glasses', 'age', 'male'] },
  { name: 'face', box: { x: 5, y: 7, width: 22, height: 24 }, attributes: ['age', 'male'] },
];

/** One clear line instead of a result. */
function skip(reason: string): never {
  console.log(`skipped: ${reason}`);
  process.exit();
}

function showJudge(rows: readonly Credibility[]): void {
  const number = (value: number | undefined): string => value?.toFixed(3) ?? '';
  console.log(line(['attribute', 'judge', 'AUC', 'correlation', 'R^2', 'counts']));
  for (const { attribute, judge, auc, correlation, r2, counts } of rows) {
    console.log(line([attribute, judge, number(auc), number(correlation), number(r2), counts ? 'yes' : 'no']));
  }
}

function showScore(s: MethodScore): void {
  const [local, transfer] = [s.localSuccess, s.transferSuccess].map((share) => `${(100 * share).toFixed(1)} %`) as [string, string]; // prettier-ignore
  const quality = [s.outside.toExponential(2), s.ratio.toFixed(1), s.ssim.toFixed(3)];
  console.log(line([s.method, String(s.strength), local, transfer, ...quality, s.learnSeconds.toFixed(2), s.applySeconds.toFixed(3)])); // prettier-ignore
  const counts = Object.entries(s.changed).map(([name, count]) => `${name} ${count}`);
  console.log(`  of ${s.directions} directions, changed ${counts.join(', ') || 'nothing'}`);
}

const folder = await findFaces();
if (folder === undefined) skip(`no FFHQ pack in ../shared/data/ffhq5k. Name its folder in ${FFHQ_VARIABLE}.`);
if (options.pack !== undefined) {
  await writeFile(options.pack, writeNpy(await readImages(folder)));
  console.log(`wrote ${options.pack}`);
  process.exit();
}
const networks = await openFaceNetworks();
if (networks === undefined) skip(`no @vladmandic/face-api. Install it elsewhere and name that folder in ${FACE_API_VARIABLE}; bench/editing-ffhq/README.md says how.`); // prettier-ignore
const faces = await openFaces(folder);
const { judge, credibility } = await openJudge(faces, networks);
console.log(`judges on ${faces.heldout.count} unedited held-out faces; counts from an AUC of ${least.auc}, or a correlation of ${least.correlation} for age`); // prettier-ignore
showJudge(credibility);
if (options.model === undefined) skip('no model. Give the folder of one trained on the pack with --model.');
const location = await findNetwork(options.model);
if (location === undefined) {
  throw new SpecError('bench', `expected a trained network, got '${options.model}'. Give its folder with --model.`);
}
const { denoiser } = await readNetwork(options.model, location);
await using model = denoiser;
const settings = {
  images: Number(options.images),
  targets: Number(options.targets),
  directions: Number(options.directions),
  nullRank: Number(options['null-rank']),
  sigma: Number(options.sigma),
  steps: Number(options.steps),
  strengths: options.strengths.split(',').map(Number),
  seed: Number(options.seed),
};
console.log(`\n${model.name}: ${JSON.stringify(settings)}`);
console.log(line(['method', 'strength', 'local', 'transfer', 'outside MSE', 'ratio', 'SSIM', 'learn, s', 'apply, s']));
for (const method of ['loco', 'random', 'unmasked', 'pca', 'noise'] as const) {
  const [score] = await runEditingBenchmark({
    denoiser: model,
    ...faces,
    judge,
    regions,
    methods: [method],
    ...settings,
    onProgress: (done, total) => process.stderr.write(`\r${method}: ${done} of ${total} `),
  });
  process.stderr.write('\r');
  showScore(score as MethodScore);
}
