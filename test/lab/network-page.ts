import { network } from '../../lab/compute/network/network.ts';
import type { OpenedModel, Point } from '../../lab/compute/network/operations.ts';

/** A point of a shipped model, as numbers that cross into a page. */
export interface PagePoint {
  readonly model: string;
  readonly x: readonly number[];
  readonly sigma: number;
}

/** What the tests call in the page. */
export interface NetworkCalls {
  open(model: string): Promise<OpenedModel>;
  denoise(
    point: PagePoint,
  ): Promise<{ values: number[]; elapsedMs: number; runtime: string | undefined; ticks: number }>;
  triplets(
    point: PagePoint & { rank: number },
  ): Promise<{ values: number[]; right: number[]; status: string; elapsedMs: number; ticks: number }>;
  /** @returns the error's message */
  cancelled(point: PagePoint & { rank: number }): Promise<string>;
}

/** How often the page's own clock ticked while something ran. */
async function watched<T>(run: () => Promise<T>): Promise<{ value: T; elapsedMs: number; ticks: number }> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const began = performance.now();
  const value = await run();
  clearInterval(timer);
  return { value, elapsedMs: performance.now() - began, ticks };
}

const pointOf = ({ model, x, sigma }: PagePoint): Point<string> => ({ model, x: Float32Array.from(x), sigma });

const calls: NetworkCalls = {
  open: (model) => network.call('prepare', { model, calls: 'denoise' }),
  denoise: async (point) => {
    const { value, ...times } = await watched(() => network.call('denoise', pointOf(point)));
    return { values: [...value.denoised], runtime: value.runtime, ...times };
  },
  triplets: async ({ rank, ...point }) => {
    const { value, ...times } = await watched(() =>
      network.call('leadingTriplets', { ...pointOf(point), rank, seed: 0 }),
    );
    return { values: [...value.values], right: [...value.right], status: value.status, ...times };
  },
  cancelled: async ({ rank, ...point }) => {
    const controller = new AbortController();
    const call = network.call('leadingTriplets', { ...pointOf(point), rank, seed: 0 }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    return call.then(String, (error: Error) => error.message);
  },
};
Object.assign(globalThis, { lab: calls });
