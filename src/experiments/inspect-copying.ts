import { complement } from '../analysis/copying/interval.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { DatasetError } from '../errors/errors.ts';
import { castFloat, slice, takeRows } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { describeData, ratesOf, scoreSamples } from './audit.ts';
import type { ScoredSamples } from './audit.ts';
import { measureGap } from './audit-denoising.ts';
import { readHeldout } from './audit-heldout.ts';
import { resolveAuditSpec } from './audit-spec.ts';
import type { AuditSpec } from './audit-spec.ts';
import type { AuditSubject } from './audit-subject.ts';
import { verdictOf } from './audit-verdict.ts';
import { defaultDescriptors, openDescriptors } from './copy-descriptors.ts';
import type { InspectWatch } from './inspect-points.ts';
import type { InspectCopying } from './inspect-result.ts';
import type { InspectSpec } from './inspect-spec.ts';

/** A model with what it was made from. */
export interface CopyingSubject {
  readonly denoiser: Denoiser;
  readonly train: Dataset;
  /** The training set itself where nothing is held out. */
  readonly heldout: Dataset;
}

/** The copy check of a model and the pictures to it. */
export interface CopyCheck {
  readonly copying: InspectCopying;
  /** [P, ...sampleShape], the samples closest to their training samples. */
  readonly closest: Tensor<'float32'>;
  /** [P, ...sampleShape], the training sample that each is closest to. */
  readonly training: Tensor<'float32'>;
}

/** Pairs kept as pictures. */
const PICTURES = 48;

/**
 * Whether the first `spec.copies` samples copy the training set: the rules, thresholds and verdict of `audit` with its defaults, and for
 * networks the PSNR of training and held-out images.
 * @param samples  [M, ...sampleShape], M >= spec.copies; not consumed
 * @returns undefined where the spec wants none, and for a training set of one sample, of which everything is a copy
 * @throws DatasetError where the held-out samples are none; CancelledError; whatever denoiser and data throw
 */
export async function checkCopying(
  spec: InspectSpec,
  { denoiser, train, heldout }: CopyingSubject,
  samples: FloatTensor,
  { signal, onProgress }: InspectWatch = {},
): Promise<CopyCheck | undefined> {
  if (spec.copies === 0 || train.count < 2) return undefined;
  const drawn = slice(castFloat(samples, 'float32'), 0, spec.copies);
  const { model, copies, steps, seed } = spec;
  const audit = resolveAuditSpec({ subject: model, samples: copies, steps, seed });
  const watch = { signal, onProgress: (label: string, done: number, total: number) => onProgress?.({ label, done, total }) }; // prettier-ignore
  const apart = heldout.count > 1 && (await heldout.hash()) !== (await train.hash());
  const subject: AuditSubject = { denoiser, train, holdout: apart ? heldout : undefined };
  const scored = await scoreAgainst(audit, subject, drawn, watch);
  const { measures, pairs, notes } = scored;
  const ratio = measures.find(({ rule, descriptor }) => rule === 'ratio' && descriptor === 'pixels');
  const isNetwork = denoiser.runtime !== undefined;
  const gap = apart && isNetwork && (await measureGap(denoiser, { train, holdout: heldout }, { ...watch, seed: spec.seed })); // prettier-ignore
  const shown = pairs.slice(0, PICTURES);
  return {
    copying: {
      ...verdictOf(measures, audit.tolerance),
      samples: spec.copies,
      tolerance: audit.tolerance,
      train: await describeData(train),
      ...(apart && { holdout: await describeData(heldout) }),
      ...ratesOf(measures),
      ...(ratio && { generalization: complement(ratio) }),
      ...(gap && { denoising: gap }),
      pairs,
      notes,
    },
    closest: takeRows(drawn, shown.map(({ sample }) => sample)),
    training: await train.read(shown.map(({ nearest }) => nearest)),
  }; // prettier-ignore
}

async function scoreAgainst(
  spec: AuditSpec,
  subject: AuditSubject,
  samples: Tensor<'float32'>,
  watch: Parameters<typeof scoreSamples>[5],
): Promise<ScoredSamples> {
  await using open = await openDescriptors(defaultDescriptors(subject.train.sampleShape), subject.train, watch.signal);
  try {
    const heldout = await readHeldout(subject, spec.seed);
    const scored = await scoreSamples(spec, subject, samples, heldout, open.descriptors, watch);
    return { ...scored, notes: [...heldout.notes, ...scored.notes] };
  } catch (cause) {
    if (!(cause instanceof DatasetError) || cause.where !== subject.holdout?.name) throw cause;
    throw new DatasetError(cause.where, 'cannot show what a model that copies nothing would draw: too few of its samples are not in the training set. Name other data with --data, or leave the copy check out with --copies 0.', { cause }); // prettier-ignore
  }
}
