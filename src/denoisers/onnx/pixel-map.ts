import type { NetworkCoefficients } from '../../diffusion/parameterization.ts';
import { usualRange } from '../../diffusion/side-car.ts';
import type { PixelRange } from '../../diffusion/side-car.ts';
import { DomainError } from '../../errors/errors.ts';

/** Coefficients of D = cSkip x + cOut F(cIn x + inShift, time) + outShift. */
export interface MappedCoefficients extends NetworkCoefficients {
  readonly inShift: number;
  readonly outShift: number;
}

/** From the units of the data to those of a network: x_model = (x - data.low) / scale + model.low, and noise levels divided by scale. */
export interface PixelMap {
  readonly scale: number;
  /** The network's coefficients at sigma / scale, restated for samples in data units. */
  coefficients(own: NetworkCoefficients): MappedCoefficients;
}

/** @throws DomainError for a range that is empty or not finite */
export function pixelMap(model: PixelRange = usualRange, data: PixelRange = usualRange): PixelMap {
  for (const { low, high } of [model, data]) {
    if (!(high > low && Number.isFinite(high - low))) {
      throw new DomainError('pixel range', `expected low < high, got ${low} to ${high}.`);
    }
  }
  const scale = (data.high - data.low) / (model.high - model.low);
  const offset = model.low - data.low / scale;
  return {
    scale,
    coefficients: ({ cSkip, cOut, cIn, time }) => ({
      cSkip,
      cOut: scale * cOut,
      cIn: cIn / scale,
      time,
      inShift: cIn * offset,
      outShift: scale * (cSkip * offset - offset),
    }),
  };
}
