import { subset } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/open.ts';
import type { OpenOptions } from '../data/open.ts';
import { permutation, randomKey } from '../tensor/random.ts';

/**
 * The two parts of a data set: by definition for the shipped one, a tenth of the samples picked once and for all otherwise.
 * A single sample is both.
 * @param options  what a path alone does not say, such as the size of the images
 * @throws DatasetError as `openDataset`
 */
export async function splitDataset(
  name: string,
  options: OpenOptions = {},
): Promise<{ train: Dataset; heldout: Dataset }> {
  if (['fashion', 'fashion-train', 'fashion-heldout', 'fashion60k'].includes(name)) {
    const train = await openDataset(name === 'fashion60k' ? 'fashion60k' : 'fashion-train');
    return { train, heldout: await openDataset('fashion-heldout') };
  }
  const all = await openDataset(name, options);
  if (all.count === 1) return { train: all, heldout: all };
  const order = permutation(randomKey(0, 'heldout-part'), all.count);
  const cut = all.count - Math.max(1, Math.floor(all.count / 10));
  return {
    train: subset(all, { indices: order.slice(0, cut).sort() }, `${all.name}-train`),
    heldout: subset(all, { indices: order.slice(cut).sort() }, `${all.name}-heldout`),
  };
}
