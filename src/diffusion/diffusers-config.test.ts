import { describe, expect, it } from 'vitest';
import { ModelError } from '../errors/errors.ts';
import { latentChain } from './betas.ts';
import { readDiffusersConfig } from './diffusers-config.ts';
import { parameterization } from './parameterization.ts';

const read = (
  scheduler: object,
  network?: object,
  vae?: object,
  modelIndex?: object,
): ReturnType<typeof readDiffusersConfig> => {
  const text = (value: object | undefined): string | undefined => value && JSON.stringify(value);
  return readDiffusersConfig('folder', {
    scheduler: JSON.stringify(scheduler),
    network: text(network),
    vae: text(vae),
    modelIndex: text(modelIndex),
  });
};
const ddpm = { _class_name: 'DDPMScheduler' };
const unet = { _class_name: 'UNet2DModel', in_channels: 3, out_channels: 3, sample_size: 32 };

describe('readDiffusersConfig()', () => {
  it('readDiffusersConfig() reads an unconditional DDPM', () => {
    const { notes, ...reading } = read(
      { ...ddpm, clip_sample: true, variance_type: 'fixed_large' },
      { ...unet, num_class_embeds: null },
    );
    expect(reading).toEqual({
      parameterization: {
        kind: 'epsilon',
        schedule: { steps: 1000, betaSchedule: 'linear', betaStart: 1e-4, betaEnd: 0.02, zeroTerminalSnr: false },
        time: 'step',
      },
      sampleShape: [3, 32, 32],
      learnedVariance: false,
    });
    expect(notes).toEqual([expect.stringContaining('pixel range')]);
  });

  it('readDiffusersConfig() reads Stable Diffusion 2, its text width and its latents', () => {
    const scheduler = {
      _class_name: 'PNDMScheduler',
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      prediction_type: 'v_prediction',
      trained_betas: null,
      skip_prk_steps: true,
    };
    const network = {
      _class_name: 'UNet2DConditionModel',
      in_channels: 4,
      out_channels: 4,
      sample_size: 96,
      cross_attention_dim: 1024,
    };
    const reading = read(scheduler, network, { _class_name: 'AutoencoderKL', scaling_factor: 0.18215 });
    expect(reading.parameterization).toEqual({
      kind: 'v',
      schedule: { ...latentChain, zeroTerminalSnr: false },
      time: 'step',
    });
    expect(reading.sampleShape).toEqual([4, 96, 96]);
    expect(reading.textWidth).toBe(1024);
    expect(reading.latent).toEqual({ scalingFactor: 0.18215, shiftFactor: 0 });
  });

  it('readDiffusersConfig() reads DiT: classes, and a variance in the output', () => {
    const network = {
      _class_name: 'Transformer2DModel',
      in_channels: 4,
      out_channels: 8,
      sample_size: 32,
      norm_type: 'ada_norm_zero',
      num_embeds_ada_norm: 1000,
      cross_attention_dim: null,
    };
    const reading = read({ _class_name: 'DDIMScheduler', prediction_type: 'epsilon' }, network, {
      scaling_factor: null,
    });
    expect(reading).toMatchObject({ learnedVariance: true, classCount: 1000, sampleShape: [4, 32, 32] });
    expect(reading.textWidth).toBeUndefined();
    expect(reading.notes.join(' ')).toContain('variance_type is not given');
    expect(reading.latent).toEqual({ scalingFactor: 0.18215, shiftFactor: 0 });
  });

  it('readDiffusersConfig() goes by variance_type where no network is described', () => {
    expect(read({ ...ddpm, variance_type: 'learned_range' }).learnedVariance).toBe(true);
  });

  it('readDiffusersConfig() reads flow matching without its shift', () => {
    const scheduler = { _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3, num_train_timesteps: 1000 };
    const network = {
      _class_name: 'SD3Transformer2DModel',
      in_channels: 16,
      out_channels: 16,
      sample_size: 128,
      joint_attention_dim: 4096,
    };
    const reading = read(scheduler, network, { scaling_factor: 1.5305, shift_factor: 0.0609 });
    expect(reading.parameterization).toEqual({ kind: 'flow', timeScale: 1000 });
    expect(reading.latent).toEqual({ scalingFactor: 1.5305, shiftFactor: 0.0609 });
    expect(reading.textWidth).toBe(4096);
    expect(reading.notes.join(' ')).toContain('shift chooses');
    // The sampler's own rule: after any shift, t = 1000 sigma_t with x_t = (1 - sigma_t) x0 + sigma_t n.
    const shifted = (3 * 0.4) / (1 + 2 * 0.4);
    const { time } = parameterization(reading.parameterization).coefficients(shifted / (1 - shifted));
    expect(time).toBeCloseTo(1000 * shifted, 10);
  });

  it('readDiffusersConfig() reads flow predictions of VP samplers, and time that runs backwards', () => {
    const unipc = { _class_name: 'UniPCMultistepScheduler', prediction_type: 'flow_prediction', use_flow_sigmas: true };
    expect(read(unipc).parameterization).toEqual({ kind: 'flow', timeScale: 1000 });
    const mochi = { _class_name: 'FlowMatchEulerDiscreteScheduler', invert_sigmas: true };
    expect(read(mochi).parameterization).toEqual({ kind: 'flow', timeScale: 1000, dataAt: 1 });
  });

  it('readDiffusersConfig() reads EDM, also with the sign of v-prediction', () => {
    const edm = { _class_name: 'EDMDPMSolverMultistepScheduler', sigma_max: 120, sigma_data: 1 };
    expect(read(edm).parameterization).toEqual({ kind: 'edm', sigmaData: 1, sigmaRange: { min: 0.002, max: 120 } });
    expect(read({ ...edm, prediction_type: 'v_prediction' }).parameterization).toMatchObject({
      kind: 'edm',
      negated: true,
    });
  });

  it('readDiffusersConfig() reads continuous noise of v-prediction as ln(sigma) / 4', () => {
    const svd = {
      _class_name: 'EulerDiscreteScheduler',
      prediction_type: 'v_prediction',
      timestep_type: 'continuous',
      sigma_min: 0.002,
      sigma_max: 700,
    };
    expect(read(svd).parameterization).toEqual({
      kind: 'v',
      time: 'quarter-log-sigma',
      sigmaRange: { min: 0.002, max: 700 },
    });
  });

  it('readDiffusersConfig() gives absent fields the defaults of the class', () => {
    expect(read({ _class_name: 'HeunDiscreteScheduler' }).parameterization).toMatchObject({
      schedule: { betaSchedule: 'linear', betaStart: 0.00085, betaEnd: 0.012 },
    });
    expect(read({ _class_name: 'LCMScheduler' }).parameterization).toMatchObject({ schedule: latentChain });
    // Files of 2022 say predict_epsilon, and the class in model_index.json alone.
    const index = { scheduler: ['diffusers', 'DDPMScheduler'] };
    expect(read({ predict_epsilon: false }, undefined, undefined, index).parameterization).toMatchObject({
      kind: 'x0',
    });
  });

  it('readDiffusersConfig() takes trained betas and zero terminal SNR', () => {
    const reading = read({ ...ddpm, trained_betas: [0.1, 0.2, 0.3], rescale_betas_zero_snr: true });
    expect(reading.parameterization).toMatchObject({
      schedule: { trainedBetas: [0.1, 0.2, 0.3], zeroTerminalSnr: true },
    });
    expect(reading.notes.join(' ')).toContain('pure noise');
    expect(parameterization(reading.parameterization).sigmaRange.max).toBeLessThan(Infinity);
  });

  it('readDiffusersConfig() tolerates the bare Infinity that Python writes', () => {
    const scheduler =
      '{"_class_name": "EulerDiscreteScheduler", "s_tmax": Infinity, "note": "Infinity, NaN", "x": [NaN, -Infinity]}';
    expect(readDiffusersConfig('folder', { scheduler }).parameterization.kind).toBe('epsilon');
  });

  it('readDiffusersConfig() notes what it cannot know', () => {
    const flux = {
      _class_name: 'FluxTransformer2DModel',
      in_channels: 64,
      out_channels: null,
      joint_attention_dim: 4096,
    };
    const index = { scheduler: ['diffusers', 'DDPMScheduler'], vae: ['diffusers', 'AutoencoderKL'] };
    const { notes, sampleShape } = read(ddpm, flux, undefined, index);
    expect(sampleShape).toBeUndefined();
    expect(notes.join(' ')).toMatch(/height and width.*latents of unknown scale/);
    expect(read(ddpm, unet, { latents_mean: [0.1] }).notes.join(' ')).toContain('latents_mean');
  });

  it.each<[string, object, object?]>([
    ['_class_name', { _class_name: 'CMStochasticIterativeScheduler' }],
    ['_class_name', {}],
    ['beta_schedule', { ...ddpm, beta_schedule: 'laplace' }],
    ['prediction_type', { ...ddpm, prediction_type: 'noise' }],
    ['prediction_type', { _class_name: 'EDMEulerScheduler', prediction_type: 'sample' }],
    ['prediction_type', { ...ddpm, use_flow_sigmas: true, prediction_type: 'epsilon' }],
    ['num_train_timesteps', { ...ddpm, num_train_timesteps: 1e9 }],
    ['trainedBetas', { ...ddpm, trained_betas: [0.1, 2] }],
    ['out_channels', ddpm, { ...unet, in_channels: 9 }],
    ['sample_size', ddpm, { ...unet, sample_size: 'large' }],
  ])('readDiffusersConfig() names %s on one line in %o', (field, scheduler, network) => {
    let message = '';
    try {
      read(scheduler, network);
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      message = (error as ModelError).message;
    }
    expect(message).toMatch(/^folder: [^\n]+$/);
    expect(message).toContain(field);
    expect(message).toMatch(/expected|received/);
  });
});
