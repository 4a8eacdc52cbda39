import { DomainError } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { sizeOf, slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { PrincipalComponents } from '../principal-components.ts';
import { assertSamples } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';

/** What `principalDescriptor` needs. */
export interface PrincipalOptions {
  readonly sampleShape: readonly number[];
  /** Components of the training set, from `leadingComponents`. */
  readonly components: Pick<PrincipalComponents, 'mean' | 'variances' | 'components'>;
  /** Leading components that count; default all that are given. Those without variance are left out. */
  readonly count?: number | undefined;
  /**
   * Divides each coefficient by its standard deviation over the training set. Default true: the first few components hold most of the
   * variance, and without whitening two images are alike as soon as these few agree, which any two of one class do. Whitened, the cosine of
   * two unrelated Gaussian samples has mean 0 and deviation 1 / sqrt(count), whatever the spectrum.
   */
  readonly whiten?: boolean | undefined;
}

/** Variances below this part of the largest are rounding: of a set of N images, all from the N-th on. */
const noVariance = 1e-10;

/**
 * Coefficients along the leading principal components of the training set, its mean taken away, compared by cosine.
 * @throws DomainError for a count that is not within the components, or for components of samples of another size
 * @source centring and whitening as in Jegou and Chum 2012 (negative evidences and PCA whitening)
 */
export function principalDescriptor({ sampleShape, components, count, whiten = true }: PrincipalOptions): Descriptor {
  const { mean, variances } = components;
  const given = variances.length;
  if (mean.length !== sizeOf(sampleShape)) {
    throw new DomainError('pca', `expected components of ${sizeOf(sampleShape)} numbers, got ${mean.length}.`);
  }
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= given)) {
    throw new DomainError('pca', `expected a whole count from 1 to ${given} components, got ${count}.`);
  }
  const floor = noVariance * (variances[0] ?? 0);
  const kept = variances.slice(0, count ?? given).filter((variance) => variance > floor);
  const length = kept.length;
  const dimension = mean.length;
  const rows = slice(components.components, 0, length);
  const name = `pca-${length}${whiten ? '-whitened' : ''}`;
  return {
    name,
    length,
    similarity: 'cosine',
    describe(x) {
      const samples = assertSamples(name, x, sampleShape);
      const centred = new Float64Array(x.data.length);
      for (let i = 0; i < centred.length; i++) centred[i] = (x.data[i] as number) - (mean[i % dimension] as number);
      const coefficients = matmul(tensor('float64', [samples, dimension], centred), rows, { transposeB: true });
      return Promise.resolve(whiten ? whitened(coefficients, kept) : narrowed(coefficients));
    },
  };
}

function narrowed({ shape, data }: Tensor<'float64'>): Tensor<'float32'> {
  return tensor('float32', shape, Float32Array.from(data));
}

function whitened({ shape, data }: Tensor<'float64'>, variances: Float64Array): Tensor<'float32'> {
  const scales = variances.map((variance) => 1 / Math.sqrt(variance));
  return tensor(
    'float32',
    shape,
    Float32Array.from(data, (c, i) => c * (scales[i % scales.length] as number)),
  );
}
