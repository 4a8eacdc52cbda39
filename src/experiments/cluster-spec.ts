import { z } from 'zod';

import { clusterMethods } from '../analysis/clustering/subspace-clustering.ts';
import type { ClusterMethod } from '../analysis/clustering/subspace-clustering.ts';
import { SpecError } from '../errors/errors.ts';

/** Everything that decides the numbers of one `cluster`. */
export interface ClusterSpec {
  readonly job: 'cluster';
  /** Data set as `openDataset` names it. */
  readonly data: string;
  readonly method: ClusterMethod;
  /** K; undefined takes the number of classes of the data. */
  readonly clusters?: number | undefined;
  /** Dimension of the subspaces. */
  readonly rank: number;
  /** Samples that express one (SSC-OMP), neighbours of one (TSC). */
  readonly sparsity: number;
  /** Starts of k-means or of K-subspaces. */
  readonly restarts: number;
  /** Samples drawn from the data by the seed, where not all. */
  readonly samples?: number | undefined;
  /** Leading principal components to project on first, about the origin. */
  readonly project?: number | undefined;
  /** Whether the mean is subtracted before the samples are scaled. */
  readonly center?: true | undefined;
  readonly seed: number;
}

/** What a user may say; the rest is filled in. */
export type ClusterInput = {
  readonly [K in keyof Omit<ClusterSpec, 'job' | 'center'>]?: ClusterSpec[K] | undefined;
} & { readonly center?: boolean | undefined };

const whole = (least: number, most: number): z.ZodType<number> =>
  z.custom<number>((v) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most, {
    error: ({ input }) => `expected an integer from ${least} to ${most}, got ${String(input)}`,
  });

const schema: z.ZodType<ClusterSpec> = z.strictObject({
  job: z.literal('cluster'),
  data: z.string().min(1),
  method: z.enum(clusterMethods),
  clusters: whole(1, 10_000).optional(),
  rank: whole(1, 10_000),
  sparsity: whole(1, 1000),
  restarts: whole(1, 10_000),
  samples: whole(1, 10_000_000).optional(),
  project: whole(1, 10_000).optional(),
  center: z.literal(true).optional(),
  seed: whole(0, Number.MAX_SAFE_INTEGER - 10_000),
});

/** Fills in defaults and checks every field. @throws SpecError in one line, naming each field that is wrong */
export function resolveClusterSpec(input: ClusterInput): ClusterSpec {
  const method = input.method ?? 'ssc-omp';
  const candidate = {
    job: 'cluster',
    data: input.data ?? 'fashion-heldout',
    method,
    ...(input.clusters !== undefined && { clusters: input.clusters }),
    rank: input.rank ?? 5,
    sparsity: input.sparsity ?? 5,
    // A start of K-subspaces costs as much as all of k-means.
    restarts: input.restarts ?? (method === 'k-subspaces' ? 5 : 20),
    ...(input.samples !== undefined && { samples: input.samples }),
    ...(input.project !== undefined && { project: input.project }),
    ...(input.center === true && { center: true }),
    seed: input.seed ?? 0,
  };
  const checked = schema.safeParse(candidate);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new SpecError('cluster', `${text}. See eigenlens cluster --help.`, { details: { issues } });
}
