import { ShapeError } from '../errors/errors.ts';
import { sameShape, showShape } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';

/** How near a model's denoiser is to a network's at one noise level: means over samples. */
export interface Closeness {
  /** E |D_net - D_model| / sqrt(d), data units. */
  readonly rmse: number;
  /** 1 - |s_net - s_model|^2 / |s_net|^2 of scores s = (D - x) / sigma^2. */
  readonly scoreVariance: number;
  /** The same of the denoisers themselves, which tells more at high noise, where x drowns every difference of scores. */
  readonly denoiserVariance: number;
}

/**
 * Compares the outputs of a model with those of a network at the same noisy samples.
 * @param x      [B, ...sampleShape] noisy samples
 * @param net    D_net(x), as many
 * @param model  D_model(x), as many
 * @returns means over the batch; an explained variance is 1 for equal outputs and has no lower bound
 * @throws ShapeError unless all three agree
 * @source arXiv 2410.24060, score-field approximation error (rmse); arXiv 2412.09726, released code (explained variances)
 */
export function compareOutputs(x: FloatTensor, net: FloatTensor, model: FloatTensor): Closeness {
  if (!sameShape(x.shape, net.shape) || !sameShape(x.shape, model.shape) || x.data.length === 0) {
    throw new ShapeError(
      'compareOutputs',
      `expected three batches of one shape, got ${[x, net, model].map((t) => showShape(t.shape)).join(', ')}.`,
    );
  }
  const B = x.shape[0] as number;
  const d = x.data.length / B;
  let [rmse, score, denoiser] = [0, 0, 0];
  for (let b = 0; b < B; b++) {
    let [missed, moved, own] = [0, 0, 0];
    for (let i = b * d; i < (b + 1) * d; i++) {
      const out = net.data[i] as number;
      missed += (out - (model.data[i] as number)) ** 2;
      moved += (out - (x.data[i] as number)) ** 2;
      own += out * out;
    }
    rmse += Math.sqrt(missed / d) / B;
    score += explained(missed, moved) / B;
    denoiser += explained(missed, own) / B;
  }
  return { rmse, scoreVariance: score, denoiserVariance: denoiser };
}

/** 1 - missed / total, and 1 where nothing is missed of nothing. */
function explained(missed: number, total: number): number {
  return missed === 0 ? 1 : 1 - missed / total;
}
