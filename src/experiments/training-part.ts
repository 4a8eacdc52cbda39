import type { Dataset } from '../data/dataset.ts';
import { fitDataset } from './fit-dataset.ts';
import type { OpenModel } from './open-model.ts';
import { splitDataset } from './split-dataset.ts';

/**
 * Data that closed forms beside a model are made of: the training part of `data` where it is given, else what the model was made
 * from, else the held-out samples (a mixture has no others).
 * @param model  opened with the same `data`, which makes it the training data of a network, but not of a closed form of other data
 * @throws DatasetError as `splitDataset`, or for data of another shape than the model's
 */
export async function trainingPart(
  { denoiser, train, heldout }: OpenModel,
  data: string | undefined,
): Promise<Dataset> {
  const closedForm = /^(gaussian|empirical|molrg):/.test(denoiser.name);
  if (data === undefined || !closedForm) return train ?? heldout;
  return fitDataset((await splitDataset(data)).train, denoiser.sampleShape);
}
