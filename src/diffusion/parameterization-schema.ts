import { z } from 'zod';
import { DomainError } from '../errors/errors.ts';
import { betaSchedules, LONGEST_CHAIN } from './betas.ts';
import type { DiscreteVpSpec } from './betas.ts';
import { discreteSchedule, sigmaTimes, timeConventions } from './discrete-schedule.ts';
import type { ParameterizationSpec } from './parameterization.ts';

const steps = z.int().min(2).max(LONGEST_CHAIN);
const beta = z.number().gt(0).lt(1);
const timeScale = z.number().positive().optional().describe('Factor on the time, default 1.');

const sigmaRange = z
  .strictObject({ min: z.number().nonnegative(), max: z.number().positive() })
  .refine(({ min, max }) => min < max, 'expected min < max')
  .optional()
  .describe('Noise levels of the training in the units of the pixels, where they differ from what the kind implies.');

const chainSchema: z.ZodType<DiscreteVpSpec> = z
  .strictObject({
    steps: steps.optional().describe('Number of steps, default 1000.'),
    betaSchedule: z.enum(betaSchedules).optional().describe('How beta grows, default linear.'),
    betaStart: beta.optional().describe('First beta, default 1e-4.'),
    betaEnd: beta.optional().describe('Last beta, default 0.02.'),
    trainedBetas: z
      .array(z.number().gt(0).max(1))
      .min(2)
      .max(LONGEST_CHAIN)
      .optional()
      .describe('Every beta, in place of the fields above.'),
    zeroTerminalSnr: z.boolean().optional().describe('Rescaled so that the last step is pure noise, default false.'),
  })
  .superRefine((chain, context) => {
    try {
      discreteSchedule(chain);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  })
  .describe('The chain of VP steps of the training; default that of DDPM.');

const sigmaTime = z.enum(sigmaTimes).optional().describe('What the time input is told, default sigma.');

/** The shape of a parameterization in a file. */
export const parameterizationSchema: z.ZodType<ParameterizationSpec> = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('denoised'), time: sigmaTime, timeScale, sigmaRange }),
    z.strictObject({
      kind: z.literal('edm'),
      sigmaData: z.number().positive().optional().describe('Standard deviation of the data, default 0.5.'),
      negated: z.boolean().optional().describe('The network gives the negative, default false.'),
      sigmaRange,
    }),
    z.strictObject({
      kind: z.enum(['epsilon', 'v', 'x0']),
      schedule: chainSchema.optional(),
      time: z.enum(timeConventions).optional().describe('What the time input is told, default step.'),
      timeScale,
      sigmaRange,
    }),
    z.strictObject({ kind: z.enum(['vp', 've', 'iddpm']), steps: steps.optional(), sigmaRange }),
    z.strictObject({
      kind: z.literal('flow'),
      timeScale,
      dataAt: z.literal([0, 1]).optional().describe('End of [0, 1] at which the data lie, default 0.'),
      sigmaRange,
    }),
    z.strictObject({ kind: z.literal('score'), time: sigmaTime, timeScale, sigmaRange }),
    z.strictObject({ kind: z.enum(['residual', 'blind']), sigmaRange }),
  ])
  .describe('How the output of the network becomes the denoised image.');
