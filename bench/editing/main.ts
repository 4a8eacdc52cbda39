/** Five masked edit directions and edits along one: ours beside the same algorithm in eager PyTorch, in turns. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { computeJacobian } from '../../src/analysis/jacobian.ts';
import { writeSafetensors } from '../../src/data/safetensors.ts';
import { noiseFeatures } from '../../src/denoisers/network/features.ts';
import { edmPreconditioning } from '../../src/diffusion/edm.ts';
import { editPath, moved, toImages, toNoise } from '../../src/editing/edit-image.ts';
import { findDirections } from '../../src/editing/find-directions.ts';
import { boxMask, expandMask } from '../../src/editing/mask.ts';
import { withoutNullBlock } from '../../src/editing/null-space.ts';
import { SpecError } from '../../src/errors/errors.ts';
import { defaultSigma } from '../../src/experiments/edit-spec.ts';
import { openDenoiser } from '../../src/experiments/models.ts';
import { findNetwork, readModelFiles } from '../../src/experiments/network-model.ts';
import { principalAngles } from '../../src/linalg/angles.ts';
import { orthonormalRows } from '../../src/linalg/qr.ts';
import { leadingSvd } from '../../src/linalg/svd.ts';
import type { LeadingSvd } from '../../src/linalg/svd.ts';
import { slice, sizeOf, tensor } from '../../src/tensor/tensor.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { line, median } from '../measure.ts';

/** One run of one side. */
interface Run {
  readonly ms: number;
  readonly cpuMs: number;
  /** Directions [5, n] or an image, flat. */
  readonly result: ArrayLike<number>;
}

/** What the peer answers, one field or another by the operation; arrays as base64 of float32. */
interface Answer {
  readonly torch: string;
  readonly ms: number;
  readonly cpuMs: number;
  readonly result: string;
  readonly results: readonly string[];
  readonly iterations: readonly number[];
  readonly forms: readonly string[];
  readonly table: Readonly<Record<string, number>>;
}

/** One row: what either side does, and how far its result is off. */
interface Task {
  readonly name: string;
  readonly ours: () => Promise<Run>;
  readonly request: Readonly<Record<string, unknown>>;
  readonly error: (result: ArrayLike<number>) => number;
}

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'faces' },
    sigma: { type: 'string' },
    accuracy: { type: 'string', default: '0.01' },
    quick: { type: 'boolean', default: false },
  },
});
const rounds = options.quick ? 2 : 5;
const accuracy = Number(options.accuracy);
const [rank, steps, strength] = [5, 18, 3];
/** Sweeps of ours and iterations of the peer after which the accuracy counts as out of reach. */
const [mostSweeps, mostIterations] = [30, 200];

const location = await findNetwork(options.model);
if (location === undefined) {
  throw new SpecError('bench', `expected a trained network, got '${options.model}'. Give its folder with --model.`);
}
const { sideCar, weights } = await readModelFiles(location);
const { architecture, sigmaData } = sideCar;
if (architecture.kind !== 'unet' || !architecture.attention) {
  throw new SpecError('bench', 'expected a U-Net with attention, the one network of the peer. Give another --model.');
}
const { denoiser, heldout } = await openDenoiser(options.model);
const { sampleShape, channels, groups, features } = architecture;
const [, height, width] = sampleShape;
const n = sizeOf(sampleShape);
const sigma = options.sigma === undefined ? defaultSigma(sampleShape) : Number(options.sigma);
const path = editPath({ sigma, steps });
// A wide box in the lower half, where drawn faces have their mouths.
const box = { x: (9 / 32) * width, y: (18 / 32) * height, width: (14 / 32) * width, height: (8 / 32) * height };
const mask = boxMask({ height, width }, box);
const inside = expandMask(mask, sampleShape);
const clean = tensor('float32', [2, ...sampleShape], (await heldout.read(Int32Array.of(0, 1))).data);
const noisy = (await toNoise(denoiser, clean, path)) as Tensor<'float32'>;
const [point, other, image] = [slice(noisy, 0, 1), slice(noisy, 1, 2), slice(clean, 1, 2)];

async function timed(run: () => Promise<{ readonly data: ArrayLike<number> }>): Promise<Run> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const { data } = await run();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000, result: data };
}

const directions = (maxSweeps?: number): Promise<Run> =>
  timed(async () => (await findDirections(denoiser, point, sigma, { mask, rank, nullRank: rank, maxSweeps })).vectors);

/** The directions of the whole Jacobian's singular value decomposition, with s_6 / s_5 of either block. */
async function exactDirections(): Promise<{ vectors: Tensor<'float64'>; gaps: readonly [number, number] }> {
  const { data } = await computeJacobian(denoiser.linearize(point, sigma));
  const leading = (flag: number): LeadingSvd => {
    const rows = Array.from(inside.keys()).filter((i) => inside[i] === flag);
    const part = tensor('float64', [rows.length, n], new Float64Array(rows.length * n));
    rows.forEach((from, to) => part.data.set(data.subarray(from * n, (from + 1) * n), to * n));
    return leadingSvd(part, rank);
  };
  const [own, rest] = [leading(1), leading(0)];
  const gap = ({ values }: LeadingSvd): number => (values[rank] as number) / (values[rank - 1] as number);
  return { vectors: withoutNullBlock(own.v, rest.v).vectors, gaps: [gap(own), gap(rest)] };
}

/** Everything that both sides compute with. */
function sharedArrays(move: Float32Array): Map<string, Tensor> {
  const factors = Array.from(path.grid, (level) => edmPreconditioning(level, sigmaData));
  const table = factors.flatMap(({ cSkip, cOut, cIn }) => [cSkip, cOut, cIn]);
  const cNoise = Float64Array.from(factors, (f) => f.cNoise);
  return new Map<string, Tensor>([
    ...Object.entries(weights).map(([name, w]) => [`w/${name}`, w] as [string, Tensor]),
    ['point', point],
    ['other', other],
    ['image', image],
    ['move', tensor('float32', [1, ...sampleShape], move)],
    ['inside', tensor('float32', [n], Float32Array.from(inside))],
    ['levels', tensor('float64', [steps], path.grid)],
    ['factors', tensor('float64', [steps, 3], Float64Array.from(table))],
    ['features', noiseFeatures(cNoise, features)],
  ]);
}

/** PyTorch in a process of its own: one request, one answer. Undefined where no python3 has it. */
function startPeer(file: string): ((request?: Task['request']) => Promise<Answer>) | undefined {
  const python = ['python3', '/usr/bin/python3'].find((p) => spawnSync(p, ['-c', 'import torch, numpy']).status === 0);
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const settings = JSON.stringify({ levels: channels.length, groups, rank });
  const child = spawn(python, [script, file, settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (request) => {
    if (request !== undefined) child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('peer.py: ended early. Its own message stands above.');
    return JSON.parse(value) as Answer;
  };
}

function unpack(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

/** Largest sine of an angle between two spans of five directions. */
function sine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [u, v] = [a, b].map((x) => orthonormalRows(tensor('float64', [rank, n], Float64Array.from(x))).q);
  return Math.sin(principalAngles(u as Tensor<'float64'>, v as Tensor<'float64'>).at(-1) as number);
}

function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = Array.from(a, (v, i) => [v, b[i] as number] as const);
  return Math.hypot(...pairs.map(([v, w]) => v - w)) / Math.hypot(...pairs.map(([, w]) => w));
}

const folder = await mkdtemp(join(tmpdir(), 'eigenlens-editing-'));
try {
  const exact = await exactDirections();
  const toExact = (result: ArrayLike<number>): number => sine(result, exact.vectors.data);
  const direction = exact.vectors.data.slice(0, n);
  const along = (x: Tensor<'float32'>): Tensor<'float64'> => moved(x, direction, [strength], sigma);
  const move = along(tensor('float32', [1, ...sampleShape], new Float32Array(n)));
  const edit = (): Promise<Run> => timed(() => toImages(denoiser, along(other), path));
  const transfer = (): Promise<Run> =>
    timed(async () => toImages(denoiser, along((await toNoise(denoiser, image, path)) as Tensor<'float32'>), path));
  const [edited, transferred] = [(await edit()).result, (await transfer()).result];

  const file = join(folder, 'arrays.safetensors');
  await writeFile(file, writeSafetensors(sharedArrays(Float32Array.from(move.data))));
  const ask = startPeer(file);
  const { torch = 'none' } = (await ask?.()) ?? {};
  console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; PyTorch ${torch}`);
  console.log(`${denoiser.name}: ${sampleShape.join('x')}, sigma ${sigma}, mask of ${inside.filter(Boolean).length} values of ${n}`); // prettier-ignore
  console.log(`s_6 / s_5 inside and outside: ${exact.gaps.map((gap) => gap.toFixed(3)).join(', ')}`);
  // Warms up, as the runs above did ours.
  for (const operation of ['edit', 'transfer']) await ask?.({ operation });
  const chosen = await ask?.({ operation: 'choose' });
  if (chosen !== undefined) {
    const table = Object.entries(chosen.table).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
    console.log(`ms of 10 blocks of 5 in the peer: ${table.join(', ')}; quickest ${chosen.forms.join(', ')}`);
  }

  let sweeps = 1;
  while (sweeps < mostSweeps && toExact((await directions(sweeps)).result) > accuracy) sweeps++;
  const history = (await ask?.({ operation: 'history', iterations: mostIterations }))?.results ?? [];
  const reached = history.findIndex((text) => toExact(unpack(text)) <= accuracy) + 1;
  console.log(`sine of ${accuracy}: ours after ${sweeps} sweeps, peer after ${reached || `more than ${mostIterations}`} iterations`); // prettier-ignore

  const iterations = reached || mostIterations;
  const tasks: Task[] = [
    { name: 'directions, own stop', ours: () => directions(), request: { operation: 'quickest' }, error: toExact },
    {
      name: `directions, ${accuracy}`,
      ours: () => directions(sweeps),
      request: { operation: 'quickest', iterations },
      error: toExact,
    },
    { name: 'directions, as released', ours: () => directions(), request: { operation: 'released' }, error: toExact },
    { name: 'edit', ours: edit, request: { operation: 'edit' }, error: (x) => relativeDistance(x, edited) },
    {
      name: 'invert and edit',
      ours: transfer,
      request: { operation: 'transfer' },
      error: (x) => relativeDistance(x, transferred),
    },
  ];
  const rows = tasks.map((task) => ({ task, mine: [] as Run[], theirs: [] as Run[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { task, mine, theirs } of rows) {
      mine.push(await task.ours());
      await setTimeout(100); // threads of the other side spin for a moment after work
      const answer = await ask?.(task.request);
      if (answer !== undefined) theirs.push({ ...answer, result: unpack(answer.result) });
      await setTimeout(100);
    }
  }
  console.log(
    line(['', 'ours, ms', 'CPU ms', 'off by', ...(ask ? ['peer, ms', 'CPU ms', 'off by', 'peer / ours'] : [])]),
  );
  const cells = (runs: readonly Run[], { error }: Task): string[] => [
    median(runs.map(({ ms }) => ms)).toFixed(0),
    median(runs.map(({ cpuMs }) => cpuMs)).toFixed(0),
    error((runs[0] as Run).result).toExponential(1),
  ];
  for (const { task, mine, theirs } of rows) {
    const ratio = median(theirs.map(({ ms }, i) => ms / (mine[i]?.ms ?? NaN)));
    console.log(line([task.name, ...cells(mine, task), ...(ask ? [...cells(theirs, task), ratio.toFixed(2)] : [])]));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
