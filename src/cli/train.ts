import { join } from 'node:path';
import { SpecError } from '../errors/errors.ts';
import type { TrainResult } from '../experiments/train.ts';
import { architectures, resolveTrainSpec } from '../experiments/train-spec.ts';
import type { TrainSpec } from '../experiments/train-spec.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { choice, defined, number, numbers, switchOption, text } from './options.ts';
import { formatDuration } from './progress.ts';

/** `eigenlens train`: a denoiser from a data set. */
export const train: Command = defineCommand({
  name: 'train',
  summary:
    'train a denoiser on a data set; stops and resumes, writes safetensors and ONNX with side-cars (needs --out)',
  arguments: [],
  options: {
    data: text('<data>', 'data set or path (default fashion-train)'),
    size: number('<n>', 'train on this many samples, the first of a shuffled order: sizes nest'),
    imageSize: number('<n>', 'bring images to this height and width'),
    from: text('<model>', 'start from the weights of this model, of the same network, instead of random ones'),
    name: text('<name>', 'what the model is called (default model)'),
    arch: choice(architectures, 'network, or a closed form with learned weights (default unet)'),
    channels: numbers('<list>', 'U-Net: channels by level; MLP: width (default 16,32,64)'),
    depth: number('<n>', 'MLP: residual blocks (default 3)'),
    rank: number(
      '<n>',
      'low-rank: dimension of each subspace (default 8); linear: directions (default all, up to 1024)',
    ),
    components: number('<n>', 'low-rank: number of subspaces (default 2)'),
    noAttention: switchOption('U-Net: leave out the attention in the middle'),
    steps: number('<n>', 'optimizer steps (default 10000)'),
    batchSize: number('<n>', 'images a step (default 32)'),
    shards: number('<n>', 'workers that share a batch; decides the rounding (default 2)'),
    learningRate: number('<x>', 'peak learning rate of Adam (default 0.002)'),
    warmup: number('<n>', 'steps of the warm-up (default 200)'),
    emaHalfLife: number('<n>', 'half-life of the weight average in images (default 20000)'),
    noiseMean: number('<x>', 'mean of ln sigma in training (default -1.2; higher for images to be learned by heart)'),
    noiseDeviation: number('<x>', 'standard deviation of ln sigma (default 1.2)'),
    evaluateEvery: number('<n>', 'steps between losses on training and held-out images (default 0: never)'),
    stopGap: number('<x>', 'stop once the held-out loss exceeds the training loss by this part, such as 0.1'),
    patience: number('<n>', 'measurements in a row beyond the gap that stop it (default 3)'),
  },
  examples: [
    'train --data fashion-train --steps 8000 --out runs/my-fashion',
    'train --size 1000 --stop-gap 0.1 --out runs/early',
    'train --arch mlp --channels 128 --data points.npy --out runs/points',
    'train --arch linear --learning-rate 0.01 --steps 2000 --out runs/linear',
    'train --arch low-rank --components 2 --rank 6 --data points.npy --out runs/subspaces',
  ],
  resolve: ({ options, seed }) => {
    const { arch, noAttention, ...rest } = options;
    const attention = noAttention ? { attention: false } : {};
    return resolveTrainSpec(defined({ ...rest, ...attention, architecture: arch, seed }));
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: TrainSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder } = context;
  if (folder === undefined) throw new SpecError('train', 'needs a folder for the model. Add --out DIR.');
  const { checkpointFile } = await import('../store/checkpoint-file.ts');
  const { openTrainingData, runTrain } = await import('../experiments/train.ts');
  const checkpoints = checkpointFile(join(folder.path, 'checkpoint.safetensors'));
  const result = await runTrain(spec, {
    data: await openTrainingData(spec),
    checkpoints,
    signal,
    onProgress: ({ step, steps, loss, imagesPerSecond }) => {
      const detail = `${imagesPerSecond.toFixed(0)} images/s, loss ${loss.toFixed(4)}`;
      progress.report({ label: 'training', done: step, total: steps, detail });
    },
  });
  await writeModel(spec, result, folder);
  const text = describe(spec, result, folder);
  return { value: summary(spec, result, folder), text, afterCommit: () => checkpoints.remove() };
}

async function writeModel(spec: TrainSpec, result: TrainResult, folder: RunFolder): Promise<void> {
  const { modelFiles, onnxFiles, writeWeights } = await import('../denoisers/network/model-file.ts');
  const { exportedSideCar } = await import('../denoisers/network/onnx-export.ts');
  const { writeOnnxSideCar } = await import('../diffusion/side-car.ts');
  const { sideCar, weights, losses, onnx } = result;
  await folder.writeJson(modelFiles.sideCar, sideCar);
  await folder.write(modelFiles.weights, writeWeights(weights));
  await folder.write(onnxFiles.graph, (await onnx()).bytes);
  await folder.write(onnxFiles.sideCar, writeOnnxSideCar(exportedSideCar(spec.name, spec.data)));
  for (const row of losses) await folder.appendRow('losses.jsonl', row);
}

function summary(spec: TrainSpec, result: TrainResult, folder: RunFolder): object {
  const { parameters, losses, steps, resumedAt, wallMs } = result;
  const imagesPerSecond = ((steps - resumedAt) * spec.batchSize * 1000) / wallMs;
  const loss = losses.at(-1)?.loss ?? null;
  return { model: folder.path, parameters, loss, steps, resumedAt, wallMs, imagesPerSecond };
}

function describe(spec: TrainSpec, result: TrainResult, folder: RunFolder): string {
  const { parameters, losses, steps, wallMs, resumedAt } = result;
  const images = (steps - resumedAt) * spec.batchSize;
  const rate = ((images * 1000) / wallMs).toFixed(0);
  const loss = losses.at(-1)?.loss.toFixed(4) ?? 'unknown';
  return [
    `${spec.name}: ${parameters} weights, ${steps} steps${steps < spec.steps ? ', ended by the gap' : ''}, last loss ${loss}`,
    ...keptLine(result),
    `${images} images in ${formatDuration(wallMs / 1000)}, ${rate} images/s`,
    `look at it with: eigenlens inspect ${folder.path}`,
  ].join('\n');
}

/** That the model is older than the last step, where the gap kept its weights. */
function keptLine({ sideCar, steps, losses }: TrainResult): string[] {
  const kept = sideCar.training?.step;
  if (typeof kept !== 'number' || kept >= steps) return [];
  const loss = losses.find(({ step }) => step === kept)?.loss.toFixed(4) ?? 'unknown';
  return [`the weights are those of step ${kept}, loss ${loss}: later ones lay beyond the gap`];
}
