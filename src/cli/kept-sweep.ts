import { SpecError } from '../errors/errors.ts';
import type { RunSweep } from '../experiments/sweep/here.ts';
import { packageVersion } from './version.ts';

/** Runs sweeps on all cores and keeps the results beside those of the reproduction, so that a run that was stopped goes on. */
export function keptSweep(path: string): RunSweep {
  return async (input, { signal, onProgress }) => {
    const { openSweepFolder } = await import('../store/sweep-folder.ts');
    const { readJobResult } = await import('../store/sweep-results.ts');
    const { createWorkerPool } = await import('../execution/worker-pool.ts');
    const { resolveSweep } = await import('../experiments/sweep/sweep-spec.ts');
    const { runSweep } = await import('../experiments/sweep/run-sweep.ts');
    const spec = await resolveSweep(input, packageVersion());
    await using store = await openSweepFolder(path, spec);
    await using pool = createWorkerPool({ cores: 1 });
    const { failures } = await runSweep(spec, {
      store,
      runJobs: pool.run,
      workers: pool.size,
      signal,
      onProgress: ({ done, total, running }) => {
        const partly = running.reduce((sum, job) => sum + (job.total > 0 ? job.done / job.total : 0), 0);
        onProgress?.(Math.round(10 * (done + partly)) / 10, total);
      },
    });
    const [failed] = failures;
    if (failed !== undefined) {
      throw new SpecError(spec.name, `${failures.length} of ${spec.jobs.length} jobs failed: ${failed.message}`);
    }
    return Promise.all(spec.jobs.map(({ key }) => readJobResult(path, key)));
  };
}
