import { cosineChain, ddpmChain, latentChain } from './betas.ts';
import type { DiscreteVpSpec } from './betas.ts';
import { parameterization } from './parameterization.ts';
import type { Parameterization, ParameterizationSpec, VpNetworkSpec } from './parameterization.ts';
import type { PixelRange } from './side-car.ts';

/** A way to read a network: how its output becomes D, and which pixels it expects. */
export interface Reading {
  readonly parameterization: ParameterizationSpec;
  readonly range: PixelRange;
}

/** A reading to try, named for people: `epsilon, scaled_linear, pixels -1..1`. */
export interface Alternative extends Reading {
  readonly label: string;
}

/** No list of alternatives is longer. */
export const MOST_ALTERNATIVES = 40;

const ranges: readonly PixelRange[] = [
  { low: -1, high: 1 },
  { low: 0, high: 1 },
  { low: 0, high: 255 },
];

/**
 * Other readings than the chosen one that people's models have, the likelier first: what a self-check tries.
 * `vp` and `iddpm` are not among them, as they are `epsilon` on the linear and the cosine chain.
 * @param hasTime  whether the graph has a time input; readings that need one, or would leave it idle, are left out
 * @returns at most 40, none that computes what the chosen or an earlier one does
 * @throws DomainError for a chosen parameterization that does not exist
 */
export function alternatives(chosen: Reading, hasTime: boolean): Alternative[] {
  const kinds = hasTime ? timedKinds(chosen.parameterization) : timelessKinds;
  const elsewhere = ranges.filter((range) => !sameRange(range, chosen.range));
  const candidates: Reading[] = [
    ...elsewhere.map((range) => ({ parameterization: chosen.parameterization, range })),
    ...kinds.map((spec) => ({ parameterization: spec, range: chosen.range })),
    ...(hasTime ? onOtherChains(chosen.parameterization) : []).map((spec) => ({
      parameterization: spec,
      range: chosen.range,
    })),
    ...elsewhere.slice(0, hasTime ? 1 : 2).flatMap((range) => kinds.map((spec) => ({ parameterization: spec, range }))),
  ].filter((candidate) => parameterization(candidate.parameterization).needsTime === hasTime);
  return distinct(chosen, candidates).slice(0, MOST_ALTERNATIVES);
}

const timelessKinds: readonly ParameterizationSpec[] = [{ kind: 'residual' }, { kind: 'blind' }];

/** Every kind with a time input; those of a VP chain keep the chosen chain and time. */
function timedKinds(chosen: ParameterizationSpec): ParameterizationSpec[] {
  const { schedule, time, timeScale } = vpPart(chosen);
  const onChain = (kind: VpNetworkSpec['kind']): ParameterizationSpec => ({
    kind,
    schedule,
    time,
    ...(timeScale !== undefined && { timeScale }),
  });
  return [
    onChain('epsilon'),
    onChain('v'),
    onChain('x0'),
    { kind: 'denoised' },
    { kind: 'edm' },
    { kind: 'flow', timeScale: 1000 },
    { kind: 'flow' },
    { kind: 'flow', dataAt: 1 },
    { kind: 've' },
    { kind: 'score' },
  ];
}

/** The chosen network with other times, then every VP network on the usual chains. */
function onOtherChains(chosen: ParameterizationSpec): ParameterizationSpec[] {
  const { kind, schedule, time } = vpPart(chosen);
  const times = (['step', 'unit', 'quarter-log-sigma', 'log-snr'] as const).map((other) => ({
    kind,
    schedule,
    time: other,
  }));
  const kinds = [kind, ...(['epsilon', 'v', 'x0'] as const).filter((other) => other !== kind)];
  const chains = [ddpmChain, latentChain, cosineChain];
  const onChains = kinds.flatMap((other) => chains.map((chain) => ({ kind: other, schedule: chain, time })));
  // Networks without a chain leave nothing to vary but the usual.
  return isVp(chosen) ? [...times, ...onChains] : onChains;
}

interface VpPart extends VpNetworkSpec {
  readonly schedule: DiscreteVpSpec;
  readonly time: NonNullable<VpNetworkSpec['time']>;
}

function vpPart(chosen: ParameterizationSpec): VpPart {
  if (!isVp(chosen)) return { kind: 'epsilon', schedule: ddpmChain, time: 'step' };
  const { kind, schedule = ddpmChain, time = 'step', timeScale } = chosen;
  return { kind, schedule, time, timeScale };
}

function isVp(spec: ParameterizationSpec): spec is VpNetworkSpec {
  return spec.kind === 'epsilon' || spec.kind === 'v' || spec.kind === 'x0';
}

function sameRange(a: PixelRange, b: PixelRange): boolean {
  return a.low === b.low && a.high === b.high;
}

/** Candidates in order, without those that compute the same as the chosen or an earlier one. */
function distinct(chosen: Reading, candidates: readonly Reading[]): Alternative[] {
  const seen = [{ range: chosen.range, at: fingerprint(parameterization(chosen.parameterization)) }];
  const kept: Alternative[] = [];
  for (const candidate of candidates) {
    const at = fingerprint(parameterization(candidate.parameterization));
    if (seen.some((other) => sameRange(other.range, candidate.range) && sameNumbers(other.at, at))) continue;
    seen.push({ range: candidate.range, at });
    kept.push({ label: labelOf(candidate), ...candidate });
  }
  return kept;
}

interface Fingerprint {
  readonly factors: readonly number[];
  readonly times: readonly number[];
}

/** Noise levels between which any two different readings differ. */
const PROBES = [0.05, 0.3, 1, 4, 20];

function fingerprint(reading: Parameterization): Fingerprint {
  const at = PROBES.map((sigma) => reading.coefficients(sigma));
  return { factors: at.flatMap(({ cSkip, cOut, cIn }) => [cSkip, cOut, cIn]), times: at.map(({ time }) => time) };
}

/** Times within 1% of their span are the same to a network: whole or broken steps, discrete or continuous chain. */
function sameNumbers(a: Fingerprint, b: Fingerprint): boolean {
  const span = Math.max(...a.times) - Math.min(...a.times);
  return (
    a.factors.every((value, i) => Math.abs(value - (b.factors[i] as number)) <= 1e-9 * Math.abs(value)) &&
    a.times.every((value, i) => Math.abs(value - (b.times[i] as number)) <= 0.01 * span)
  );
}

/** A reading named for people. */
export function labelOf({ parameterization: spec, range }: Reading): string {
  return [spec.kind, ...detailsOf(spec), `pixels ${range.low}..${range.high}`].join(', ');
}

function detailsOf(spec: ParameterizationSpec): string[] {
  const scale = 'timeScale' in spec && spec.timeScale !== undefined ? [`time x ${spec.timeScale}`] : [];
  switch (spec.kind) {
    case 'epsilon':
    case 'v':
    case 'x0': {
      const { trainedBetas, betaSchedule = 'linear' } = spec.schedule ?? {};
      const time = spec.time === undefined || spec.time === 'step' ? [] : [`time ${spec.time}`];
      return [trainedBetas ? 'trained betas' : betaSchedule, ...time, ...scale];
    }
    case 'flow':
      return [...scale, ...(spec.dataAt === 1 ? ['data at 1'] : [])];
    case 'denoised':
    case 'score':
      return [...(spec.time === undefined ? [] : [`time ${spec.time}`]), ...scale];
    default:
      return [];
  }
}
