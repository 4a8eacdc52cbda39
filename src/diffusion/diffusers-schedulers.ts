import { ddpmChain, latentChain } from './betas.ts';

/** What a scheduler class of diffusers implies of the network that it was saved with. */
export type SchedulerFamily =
  | {
      readonly family: 'vp';
      /** What absent fields mean: the defaults of the class. */
      readonly chain: typeof ddpmChain | typeof latentChain | typeof heunChain;
    }
  | { readonly family: 'edm' }
  | { readonly family: 'flow' };

const heunChain = { steps: 1000, betaSchedule: 'linear', betaStart: 0.00085, betaEnd: 0.012 } as const;

const ddpm: SchedulerFamily = { family: 'vp', chain: ddpmChain };
const heun: SchedulerFamily = { family: 'vp', chain: heunChain };
const latent: SchedulerFamily = { family: 'vp', chain: latentChain };

/** The scheduler classes that can be read. @source the constructors of diffusers 0.10 to 0.35 */
export const schedulers: ReadonlyMap<string, SchedulerFamily> = new Map<string, SchedulerFamily>([
  ['DDPMScheduler', ddpm],
  ['DDPMParallelScheduler', ddpm],
  ['DDIMScheduler', ddpm],
  ['DDIMParallelScheduler', ddpm],
  ['DDIMInverseScheduler', ddpm],
  ['PNDMScheduler', ddpm],
  ['LMSDiscreteScheduler', ddpm],
  ['EulerDiscreteScheduler', ddpm],
  ['EulerAncestralDiscreteScheduler', ddpm],
  ['DPMSolverMultistepScheduler', ddpm],
  ['DPMSolverMultistepInverseScheduler', ddpm],
  ['DPMSolverSinglestepScheduler', ddpm],
  ['DEISMultistepScheduler', ddpm],
  ['UniPCMultistepScheduler', ddpm],
  ['HeunDiscreteScheduler', heun],
  ['KDPM2DiscreteScheduler', heun],
  ['KDPM2AncestralDiscreteScheduler', heun],
  ['DPMSolverSDEScheduler', heun],
  ['LCMScheduler', latent],
  ['TCDScheduler', latent],
  ['EDMEulerScheduler', { family: 'edm' }],
  ['EDMDPMSolverMultistepScheduler', { family: 'edm' }],
  ['FlowMatchEulerDiscreteScheduler', { family: 'flow' }],
  ['FlowMatchHeunDiscreteScheduler', { family: 'flow' }],
]);
