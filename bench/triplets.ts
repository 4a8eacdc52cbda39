import { networkDenoiser } from '../src/denoisers/network/network-denoiser.ts';
import { edmSigmaData } from '../src/diffusion/edm.ts';
import { leadingTriplets } from '../src/linalg/triplets.ts';
import type { BenchArrays } from './arrays.ts';
import { sigma } from './arrays.ts';
import type { Peer } from './peer.ts';

const rank = 8;
/** Largest residual |J^T u - s v| of a triplet, relative to the largest value; the peer knows the same number. */
const tolerance = 1e-3;
/** Vectors that each of the two lanes takes at once: rank and oversampling make 12. */
const blockSizes = [6];

/** How one side found the triplets. */
export interface TripletRun {
  readonly ms: number;
  readonly residual: number;
  readonly sweeps: number;
  readonly values: readonly number[];
}

/** Leading 8 singular triplets of the Jacobian of a 3x32x32 denoiser, as `eigenlens spectrum` finds them. */
export async function ourTriplets({ denoiser, colors }: BenchArrays): Promise<TripletRun> {
  const { network, weights } = denoiser;
  const named = Object.fromEntries(network.parameters.map(({ name }, i) => [name, weights[i]]));
  const options = { name: 'bench', network, weights: named, sigmaData: edmSigmaData, blockSizes };
  await using model = networkDenoiser(options as Parameters<typeof networkDenoiser>[0]);
  const operator = model.linearize(colors, sigma);
  // Compiles both graphs.
  await leadingTriplets(operator, { rank, maxSweeps: 1 });
  const begun = performance.now();
  const { values, residualRight, sweeps } = await leadingTriplets(operator, { rank, tolerance });
  const ms = performance.now() - begun;
  return { ms, residual: Math.max(...residualRight) / (values[0] as number), sweeps, values: [...values] };
}

/** The same by block power iteration in the peer. */
export async function peerTriplets(peer: Peer): Promise<TripletRun> {
  await peer.run('triplets warm-up');
  const { ms, residual = NaN, sweeps = NaN, values = [] } = await peer.run('triplets');
  return { ms, residual, sweeps, values };
}
