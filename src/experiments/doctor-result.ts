import type { DerivativeCheck } from '../analysis/derivative-check.ts';
import type { SelfCheck } from '../analysis/self-check.ts';
import type { Alternative } from '../diffusion/alternatives.ts';
import type { DeviceReport } from '../engine/backend/device.ts';
import type { DeviceName } from '../engine/backend/session.ts';

/** What runs on this machine. */
export interface MachineReport {
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly devices: readonly DeviceReport[];
}

/** One input or output of a graph and what it is for. */
export interface PortReport {
  readonly role: 'sample' | 'time' | 'class' | 'text' | 'fixed' | 'output';
  readonly name: string;
  readonly elementType: string;
  /** Sizes; a name where the graph leaves one open. */
  readonly shape: readonly (number | string)[];
}

/** How a network is read and what real images say to that. */
export interface ReadingReport {
  /** As stated; undefined where nothing is. */
  readonly stated: Alternative | undefined;
  /** Who states it. */
  readonly by: string | undefined;
  /** The best of those tried. */
  readonly best: Alternative;
  /** Flags that say it. */
  readonly flags: string;
  readonly check: SelfCheck;
  /** Name of the data set and number of its images that were used. */
  readonly data: string;
  readonly images: number;
  /** What was done to the images to make them samples of this model, where anything was. */
  readonly note: string | undefined;
}

/** Cost of one product. */
export interface CostReport {
  readonly operation: 'D(x)' | 'J v' | 'J^T u' | 'J V' | 'J^T U';
  /** Samples or vectors at once. */
  readonly count: number;
  /** Tracing, lowering and loading the graph, once. */
  readonly compileMs: number;
  /** Median of up to three runs. */
  readonly runMs: number;
  /** Highest memory of this process until then, its backends among it. */
  readonly peakBytes: number;
}

/** What the doctor found out about a model. */
export interface ModelReport {
  readonly name: string;
  readonly path: string;
  readonly fileBytes: number;
  readonly producer: string;
  readonly opset: number;
  readonly weights: number;
  readonly operators: readonly { readonly operator: string; readonly count: number }[];
  readonly ports: readonly PortReport[];
  readonly sampleShape: readonly number[];
  readonly latent: boolean;
  readonly device: DeviceName;
  /** Undefined without data. */
  readonly reading: ReadingReport | undefined;
  readonly derivatives: DerivativeCheck & {
    /** |D(x) of a batch - D(x) one by one| / |D(x)|. */
    readonly batchDefect: number;
  };
  /** Largest relative error against the exporter's own outputs in `<model>.reference.npz`; undefined where there is no such file. */
  readonly referenceDefect: number | undefined;
  readonly costs: readonly CostReport[];
  /** Highest memory of this process during the checks. */
  readonly peakBytes: number;
  /** What an `inspect` with its defaults computes, and about how long its Jacobians and their spectra would take. */
  readonly inspect: { readonly jacobians: number; readonly rows: number; readonly estimatedMs: number };
  readonly notes: readonly string[];
}

/** What `eigenlens doctor` prints with `--json`. */
export type DoctorResult =
  | { readonly machine: MachineReport; readonly model?: undefined }
  | {
      readonly model: ModelReport;
      readonly machine?: undefined;
      /** Path of the side-car, where one was written. */
      readonly written?: string | undefined;
    };
