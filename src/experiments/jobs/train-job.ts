import { checkTrainingSpec } from '../../training/spec.ts';
import { resolveTrainSpec } from '../train-spec.ts';
import type { TrainSpec } from '../train-spec.ts';
import type { SweepJob } from './job.ts';

/** One training as a job of a sweep: the model's two files, and its losses as rows. */
export const trainJob: SweepJob<TrainSpec> = {
  name: 'train',
  // A sweep has a job for every core already.
  resolve: (input) => {
    const spec = resolveTrainSpec({ shards: 1, ...input });
    checkTrainingSpec(spec);
    return spec;
  },
  run: async (spec, { signal, onProgress }) => {
    const { modelFiles, writeWeights } = await import('../../denoisers/network/model-file.ts');
    const { openTrainingData, runTrain } = await import('../train.ts');
    const { sideCar, weights, losses } = await runTrain(spec, {
      data: await openTrainingData(spec),
      signal,
      onProgress: ({ step, steps, loss }) => onProgress?.(step, steps, `loss ${loss.toFixed(4)}`),
    });
    return {
      rows: losses.map(({ step, loss, train, heldout }) => ({
        step,
        loss,
        ...(train !== undefined && { train }),
        ...(heldout !== undefined && { heldout }),
      })),
      files: {
        [modelFiles.sideCar]: `${JSON.stringify(sideCar, null, 2)}\n`,
        [modelFiles.weights]: writeWeights(weights),
      },
    };
  },
};
