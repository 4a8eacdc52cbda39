import { z } from 'zod';
import { ModelError } from '../errors/errors.ts';
import { betaSchedules, LONGEST_CHAIN } from './betas.ts';
import type { DiscreteVpSpec } from './betas.ts';
import { readNetworkConfig } from './diffusers-network.ts';
import type { NetworkReading } from './diffusers-network.ts';
import { schedulers } from './diffusers-schedulers.ts';
import type { SchedulerFamily } from './diffusers-schedulers.ts';
import { listIssues } from './issues.ts';
import type { ParameterizationSpec } from './parameterization.ts';
import { parameterizationSchema } from './parameterization-schema.ts';
import { parseTolerantJson } from './tolerant-json.ts';

/** Texts of the configuration files of a diffusers folder. */
export interface DiffusersTexts {
  /** `scheduler/scheduler_config.json`. */
  readonly scheduler: string;
  /** `unet/config.json` or `transformer/config.json`. */
  readonly network?: string | undefined;
  /** `vae/config.json`. */
  readonly vae?: string | undefined;
  /** `model_index.json`. */
  readonly modelIndex?: string | undefined;
}

/** How latents z of a decoder relate to what the network sees: (z - shiftFactor) scalingFactor. */
export interface LatentScaling {
  readonly scalingFactor: number;
  readonly shiftFactor: number;
}

/** What a diffusers folder says of its network. */
export interface DiffusersReading extends NetworkReading {
  readonly parameterization: ParameterizationSpec;
  readonly latent?: LatentScaling;
  /** What the folder does not say, or says and is not used, in sentences for people. */
  readonly notes: readonly string[];
}

const predictionTypes = ['epsilon', 'sample', 'original_sample', 'v_prediction', 'flow_prediction'] as const;
type PredictionType = (typeof predictionTypes)[number];

const positive = z.number().positive();
const flag = z.boolean().nullish();
/** Python writes a bound that it does not have as Infinity: that is none. */
const noiseLevel = z
  .custom<number | null | undefined>(
    (v) => v === null || v === undefined || (typeof v === 'number' && v > 0),
    'expected a positive number',
  )
  .transform((v) => (v === Infinity ? undefined : v))
  .optional();

const schedulerConfig = z.looseObject({
  _class_name: z.string().nullish(),
  num_train_timesteps: z.int().min(2).max(LONGEST_CHAIN).nullish(),
  beta_start: z.number().gt(0).lt(1).nullish(),
  beta_end: z.number().gt(0).lt(1).nullish(),
  beta_schedule: z.enum(betaSchedules).nullish(),
  trained_betas: z.array(z.number()).nullish(),
  rescale_betas_zero_snr: flag,
  prediction_type: z.enum(predictionTypes).nullish(),
  predict_epsilon: flag,
  variance_type: z.string().nullish(),
  timestep_type: z.enum(['discrete', 'continuous']).nullish(),
  use_flow_sigmas: flag,
  sigma_min: noiseLevel,
  sigma_max: noiseLevel,
  sigma_data: positive.nullish(),
  shift: z.number().nullish(),
  use_dynamic_shifting: flag,
  invert_sigmas: flag,
});
type SchedulerConfig = z.infer<typeof schedulerConfig>;

const vaeConfig = z.looseObject({
  _class_name: z.string().nullish(),
  scaling_factor: positive.nullish(),
  shift_factor: z.number().nullish(),
  latents_mean: z.unknown().optional(),
});

const indexConfig = z.looseObject({ scheduler: z.array(z.unknown()).nullish(), vae: z.array(z.unknown()).nullish() });

/**
 * Reads how a network is to be used from the configuration that diffusers saved beside it.
 * @param where  the folder, for messages
 * @throws ModelError in one line that names the file, the field and what it may say
 */
export function readDiffusersConfig(where: string, texts: DiffusersTexts): DiffusersReading {
  const schedulerFile = `${where}: scheduler_config.json`;
  const config = readFields(schedulerFile, schedulerConfig, texts.scheduler);
  const index = texts.modelIndex ? readFields(`${where}: model_index.json`, indexConfig, texts.modelIndex) : undefined;
  const notes = ['The folder does not say the pixel range: [-1, 1] unless you know better.'];

  const spec = readScheduler(schedulerFile, config, familyOf(schedulerFile, config, index?.scheduler?.[1]), notes);
  const checked = parameterizationSchema.safeParse(spec);
  if (!checked.success) throw new ModelError(schedulerFile, `${listIssues(checked.error.issues)}. Correct the file.`);

  const network = readNetworkConfig(`${where}: config.json of the network`, texts.network, notes);
  const saysLearned = config.variance_type?.startsWith('learned') ?? false;
  if (texts.network !== undefined && saysLearned !== network.learnedVariance) {
    notes.push(`variance_type is ${config.variance_type ?? 'not given'}, but the output channels say otherwise.`);
  }
  const latent = texts.vae === undefined ? undefined : readVae(`${where}: config.json of the vae`, texts.vae, notes);
  if (index?.vae && latent === undefined) {
    notes.push('The pipeline has a vae whose configuration was not given: samples are latents of unknown scale.');
  }
  return {
    parameterization: checked.data,
    ...network,
    learnedVariance: texts.network === undefined ? saysLearned : network.learnedVariance,
    ...(latent && { latent }),
    notes,
  };
}

/** Fields of one file. */
function readFields<T>(where: string, schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseTolerantJson(where, text));
  if (parsed.success) return parsed.data;
  throw new ModelError(where, `${listIssues(parsed.error.issues)}. Correct the file.`);
}

function familyOf(where: string, config: SchedulerConfig, indexed: unknown): SchedulerFamily {
  const name = config._class_name ?? indexed;
  const family = typeof name === 'string' ? schedulers.get(name) : undefined;
  if (family) return family;
  const got = typeof name === 'string' ? `'${name.slice(0, 80)}'` : 'none';
  throw new ModelError(where, `expected _class_name to be one of ${[...schedulers.keys()].join(', ')}, got ${got}.`);
}

function readScheduler(
  where: string,
  config: SchedulerConfig,
  family: SchedulerFamily,
  notes: string[],
): ParameterizationSpec {
  const prediction = config.prediction_type ?? (config.predict_epsilon === false ? 'sample' : 'epsilon');
  const allow = (accepted: readonly PredictionType[]): void => {
    if (accepted.includes(prediction)) return;
    throw new ModelError(
      where,
      `expected prediction_type of ${config._class_name ?? 'this scheduler'} to be one of ${accepted.join(', ')}, got '${prediction}'.`,
    );
  };
  switch (family.family) {
    case 'edm':
      allow(['epsilon', 'v_prediction']);
      return {
        kind: 'edm',
        sigmaData: config.sigma_data ?? 0.5,
        ...(prediction === 'v_prediction' && { negated: true }),
        sigmaRange: { min: config.sigma_min ?? 0.002, max: config.sigma_max ?? 80 },
      };
    case 'flow':
      return flow(config, notes);
    case 'vp':
      if (prediction === 'flow_prediction' || config.use_flow_sigmas) {
        allow(['flow_prediction']);
        return flow(config, notes);
      }
      return onSchedule(config, prediction, family.chain, notes);
  }
}

function flow(config: SchedulerConfig, notes: string[]): ParameterizationSpec {
  if ((config.shift ?? 1) !== 1 || config.use_dynamic_shifting) {
    notes.push('shift chooses the steps of the sampler; the network is read without it.');
  }
  // With inverted sigmas the network is told 1 - t, and its velocity points from noise to data.
  return {
    kind: 'flow',
    timeScale: config.num_train_timesteps ?? 1000,
    ...(config.invert_sigmas && { dataAt: 1 as const }),
  };
}

function onSchedule(
  config: SchedulerConfig,
  prediction: Exclude<PredictionType, 'flow_prediction'>,
  defaults: DiscreteVpSpec,
  notes: string[],
): ParameterizationSpec {
  const kind = ({ epsilon: 'epsilon', v_prediction: 'v', sample: 'x0', original_sample: 'x0' } as const)[prediction];
  // Stable Video Diffusion: trained on continuous noise, told ln(sigma) / 4. diffusers does so for v-prediction alone.
  if (config.timestep_type === 'continuous' && kind === 'v') {
    const { sigma_min: min, sigma_max: max } = config;
    return { kind, time: 'quarter-log-sigma', ...(min && max && { sigmaRange: { min, max } }) };
  }
  const zeroTerminalSnr = config.rescale_betas_zero_snr ?? false;
  if (zeroTerminalSnr)
    notes.push('The last step is pure noise: sigma is infinite there, and the step before is the last used.');
  if (config.trained_betas) {
    return { kind, schedule: { trainedBetas: config.trained_betas, zeroTerminalSnr }, time: 'step' };
  }
  const schedule = {
    steps: config.num_train_timesteps ?? defaults.steps,
    betaSchedule: config.beta_schedule ?? defaults.betaSchedule,
    betaStart: config.beta_start ?? defaults.betaStart,
    betaEnd: config.beta_end ?? defaults.betaEnd,
    zeroTerminalSnr,
  };
  return { kind, schedule, time: 'step' };
}

/** AutoencoderKL before diffusers 0.12 did not save its factor. */
const OLD_SCALING = 0.18215;
const UNSCALED = new Set(['AutoencoderTiny', 'AutoencoderDC']);

function readVae(where: string, text: string, notes: string[]): LatentScaling {
  const config = readFields(where, vaeConfig, text);
  if (config.latents_mean) notes.push('latents_mean and latents_std of the vae are not used.');
  const usual = UNSCALED.has(config._class_name ?? '') ? 1 : OLD_SCALING;
  return { scalingFactor: config.scaling_factor ?? usual, shiftFactor: config.shift_factor ?? 0 };
}
