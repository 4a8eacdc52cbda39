/** Whole training steps of one U-Net (batch drawing, forward, backward, Adam, weight average): ours beside eager PyTorch. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inMemory } from '../../src/data/dataset.ts';
import { writeSafetensors } from '../../src/data/safetensors.ts';
import { countParameters } from '../../src/denoisers/network/network.ts';
import { unet } from '../../src/denoisers/network/unet.ts';
import { initialWeights } from '../../src/denoisers/network/weights.ts';
import { normal, randomKey } from '../../src/tensor/random.ts';
import { castFloat } from '../../src/tensor/tensor.ts';
import type { TrainingSpec } from '../../src/training/spec.ts';
import { emaDecayAt, trainingDefaults } from '../../src/training/spec.ts';
import { train } from '../../src/training/train.ts';
import type { TrainingState } from '../../src/training/checkpoint.ts';
import { initialState } from '../../src/training/checkpoint.ts';
import { line, median } from '../measure.ts';

interface Run {
  readonly ms: number;
  readonly cpuMs: number;
  readonly loss: number;
}

const quick = process.argv.includes('--quick');
const [ROUNDS, STEPS] = quick ? [2, 4] : [5, 16];
const batchSize = 16;
const sigmaData = 0.5;
const network = unet({ sampleShape: [1, 32, 32], channels: [32, 64, 64], features: 32, groups: 8, attention: true });
const x = castFloat(normal(randomKey(1, 'bench-training'), [512, 1, 32, 32]), 'float32');
for (let i = 0; i < x.data.length; i++) x.data[i] = sigmaData * (x.data[i] as number);
const data = inMemory('synthetic', x, { low: -3, high: 3 });
const all = STEPS * (ROUNDS + 1);
const spec: TrainingSpec = { ...trainingDefaults, steps: all, batchSize, shards: 2, warmup: 0 };

/** Our steps one round after another: `train` stops itself between them, which the time leaves out, as it leaves out the compilation. */
async function* ours(): AsyncGenerator<Run> {
  const state: TrainingState = initialState(network, 0);
  let [began, cpu, loss] = [0, process.cpuUsage(), 0];
  let [pause, wake] = [Promise.resolve(), (): void => undefined];
  let ready: (run: Run) => void = () => undefined;
  let next = new Promise<Run>((resolve) => (ready = resolve));
  const run = train({
    network,
    data,
    sigmaData,
    spec,
    state,
    checkpointEvery: STEPS,
    onProgress: (progress) => void (loss += progress.loss),
    // The first round warms up: its time holds the compilation and is thrown away.
    onCheckpoint: async () => {
      const { user, system } = process.cpuUsage(cpu);
      pause = new Promise((resolve) => (wake = resolve));
      ready({ ms: performance.now() - began, cpuMs: (user + system) / 1000, loss: loss / STEPS });
      await pause;
      [began, cpu, loss] = [performance.now(), process.cpuUsage(), 0];
    },
  });
  for (let round = 0; round <= ROUNDS; round++) {
    const result = await next;
    next = new Promise<Run>((resolve) => (ready = resolve));
    yield result;
    wake();
  }
  await run;
}

const python = ['python3', '/usr/bin/python3'].find((p) => spawnSync(p, ['-c', 'import torch, numpy']).status === 0);
const folder = await mkdtemp(join(tmpdir(), 'eigenlens-training-'));
try {
  const path = join(folder, 'arrays.safetensors');
  const weights = Object.entries(initialWeights(network, 0)).map(([name, w]) => [`w/${name}`, w] as const);
  await writeFile(path, writeSafetensors(new Map([...weights, ['samples', x]])));
  const settings = JSON.stringify({
    batchSize,
    sigmaData,
    learningRate: spec.learningRate,
    features: network.featureCount,
    decay: emaDecayAt(spec, all),
  });
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const child = python === undefined ? undefined : spawn(python, [script, path, settings], { stdio: ['pipe', 'pipe', 'inherit'] }); // prettier-ignore
  const answers = child === undefined ? undefined : createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => (await answers?.next())?.value ?? 'none';
  console.log(
    `${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; peer ${await answer()}`,
  );
  console.log(`U-Net of ${countParameters(network)} weights, 1x32x32, batch ${batchSize}, ${STEPS} steps a round, ${ROUNDS} rounds`); // prettier-ignore
  const [mine, theirs]: [Run[], Run[]] = [[], []];
  for await (const run of ours()) {
    if (child !== undefined) {
      await setTimeout(100); // threads of the other side spin for a moment after work
      child.stdin.write(`${STEPS}\n`);
      theirs.push(JSON.parse(await answer()) as Run);
      await setTimeout(100);
    }
    mine.push(run);
  }
  child?.stdin.end();
  const perStep = (runs: readonly Run[], key: 'ms' | 'cpuMs'): string =>
    (median(runs.slice(1).map((run) => run[key])) / STEPS).toFixed(0);
  const losses = (runs: readonly Run[]): string => runs.map(({ loss }) => loss.toFixed(2)).join(' ');
  console.log(line(['', 'ms a step', 'CPU ms', 'peer / ours']));
  const ratio = median(theirs.slice(1).map((peer, i) => peer.ms / (mine[i + 1]?.ms ?? NaN)));
  console.log(line(['ours', perStep(mine, 'ms'), perStep(mine, 'cpuMs'), child === undefined ? '' : ratio.toFixed(2)]));
  if (child !== undefined) console.log(line(['PyTorch, eager', perStep(theirs, 'ms'), perStep(theirs, 'cpuMs'), '']));
  console.log(`losses by round, ours ${losses(mine)}; peer ${losses(theirs)}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
