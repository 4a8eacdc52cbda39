import { subset } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/open.ts';
import type { OpenOptions } from '../data/open.ts';
import { parsePart, shuffledOrder } from '../data/part.ts';
import type { Part } from '../data/part.ts';
import { kindOf } from '../data/files.ts';
import { DatasetError } from '../errors/errors.ts';
import { fitDataset } from './fit-dataset.ts';
import { isMixtureData, splitMixtureData } from './mixture-data.ts';

/**
 * The two parts of a data set: by definition for the shipped one, a tenth of the samples picked once and for all otherwise.
 * A part (`DATA:N`) trains by itself; what is held out from its whole is held out from it, less what the part took.
 * A mixture (`molrg:n=48,K=2,d=6:N`) is drawn anew for both.
 * A single sample is both.
 * @param options  what a path alone does not say, such as the size of the images
 * @throws DatasetError as `openDataset`
 */
export async function splitDataset(
  name: string,
  options: OpenOptions = {},
): Promise<{ train: Dataset; heldout: Dataset }> {
  if (isMixtureData(name)) return splitMixtureData(name);
  if (['fashion', 'fashion-train', 'fashion-heldout', 'fashion60k'].includes(name)) {
    const train = await openDataset(name === 'fashion60k' ? 'fashion60k' : 'fashion-train');
    return { train, heldout: await openDataset('fashion-heldout') };
  }
  if (['faces', 'faces-train', 'faces-heldout'].includes(name)) {
    return { train: await openDataset('faces-train'), heldout: await openDataset('faces-heldout') };
  }
  const part = (await kindOf(name)) === 'nothing' ? parsePart(name) : undefined;
  if (part !== undefined) return { train: await openDataset(name, options), heldout: await outside(part, options) };
  const all = await openDataset(name, options);
  if (all.count === 1) return { train: all, heldout: all };
  const order = shuffledOrder(all.count);
  const cut = trainCount(all.count);
  return {
    train: subset(all, { indices: order.slice(0, cut).sort() }, `${all.name}-train`),
    heldout: subset(all, { indices: order.slice(cut).sort() }, `${all.name}-heldout`),
  };
}

/**
 * The two parts of a data set as samples of the shape that a model takes. A folder of images of many sizes is read at that size.
 * @throws DatasetError as `splitDataset` and `fitDataset`
 */
export async function splitToFit(
  name: string,
  sampleShape: readonly number[],
): Promise<{ train: Dataset; heldout: Dataset }> {
  const { train, heldout } = await splitDataset(name, resizeTo(sampleShape));
  return { train: fitDataset(train, sampleShape), heldout: fitDataset(heldout, sampleShape) };
}

function resizeTo(sampleShape: readonly number[]): OpenOptions {
  const [channels, height, width] = sampleShape;
  if (height === undefined || width === undefined || (channels !== 1 && channels !== 3)) return {};
  return { resize: { height, width }, channels };
}

/** Samples held out from a part: those of its whole that it did not take, or, where it took them all, whatever it left. */
async function outside({ whole, start, end }: Part, options: OpenOptions): Promise<Dataset> {
  if (whole === 'fashion-train' || whole === 'fashion60k') return openDataset('fashion-heldout');
  if (whole === 'faces-train') return openDataset('faces-heldout');
  const all = await openDataset(whole, options);
  const left = Array.from(shuffledOrder(all.count), (index, place) => ({ index, place })).filter(
    ({ place }) => place < start || place >= end,
  );
  const heldout = left.filter(({ place }) => place >= trainCount(all.count));
  const chosen = heldout.length > 0 ? heldout : left;
  if (chosen.length === 0) {
    throw new DatasetError(`${whole}:${start}-${end}`, 'expected a part that leaves samples to hold out, got all of them. Name the data set itself.'); // prettier-ignore
  }
  return subset(all, { indices: chosen.map(({ index }) => index).sort((a, b) => a - b) }, `${all.name}-outside`);
}

function trainCount(count: number): number {
  return count - Math.max(1, Math.floor(count / 10));
}
