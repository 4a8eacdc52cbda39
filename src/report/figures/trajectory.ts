import type { InspectArrays, InspectResult } from '../../experiments/inspect-result.ts';
import { showNumber } from '../svg.ts';
import type { Figure } from './figure.ts';
import { label, noisyRange, sampleAt, sampleTile, tileSvg } from './tiles.ts';

const LABEL_WIDTH = 34;
const GAP = 4;
const HEAD = 18;
const LEAST_TILE = 44;
const LARGEST_TILE = 110;
const BAND_GAP = 14;

/** States of the sampling trajectory above the denoiser's answer at each, in the order of sampling, wrapped to the width. */
export function trajectoryFigure(result: InspectResult, arrays: InspectArrays): Figure {
  const sigmas = [...arrays.trajectory_sigmas.data];
  const svg = (width: number): string => {
    const room = width - LABEL_WIDTH;
    const bands = Math.ceil(sigmas.length / Math.floor(room / (LEAST_TILE + GAP)));
    const columns = Math.ceil(sigmas.length / bands);
    const size = Math.min(LARGEST_TILE, room / columns - GAP);
    const bandHeight = HEAD + 2 * (size + GAP) + BAND_GAP;
    const tiles = sigmas.map((sigma, t) => {
      const x = LABEL_WIDTH + (t % columns) * (size + GAP);
      const y = Math.floor(t / columns) * bandHeight + HEAD;
      return drawState(result, arrays, t, sigma, { x, y, size });
    });
    const names = Array.from({ length: bands }, (_, band) => {
      const y = band * bandHeight + HEAD + size / 2 + 4;
      return (
        label('\u03c3', 0, band * bandHeight + 11, 'start') +
        label('x', 0, y, 'start') +
        label('D(x)', 0, y + size + GAP, 'start')
      );
    });
    return tileSvg(width, bands * bandHeight - BAND_GAP, 'A sampling trajectory', names.join('') + tiles.join(''));
  };
  return {
    name: 'trajectory',
    title: 'A sampling trajectory',
    reading:
      'From left to right the noise falls: above, the state of the sampler (contrast follows the noise), below, what the denoiser expects at the end; ' +
      'the level at which the lower row settles is where the sample is decided.',
    svg,
  };
}

function drawState(
  { sampleShape, dimension, valueRange }: InspectResult,
  arrays: InspectArrays,
  t: number,
  sigma: number,
  { x, y, size }: { x: number; y: number; size: number },
): string {
  const state = sampleAt(arrays.trajectory_x, t, dimension);
  const denoised = sampleAt(arrays.trajectory_denoised, t, dimension);
  return (
    label(showNumber(sigma, 2), x + size / 2, y - 7) +
    sampleTile(state, sampleShape, noisyRange(valueRange, sigma), { x, y, size }) +
    sampleTile(denoised, sampleShape, valueRange, { x, y: y + size + GAP, size })
  );
}
