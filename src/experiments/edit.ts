import { openPerceptualDistance } from '../analysis/perceptual.ts';
import type { PerceptualDistance } from '../analysis/perceptual.ts';
import type { Dataset } from '../data/dataset.ts';
import { openOnnxFile } from '../data/onnx-files.ts';
import { vpTimeFromSigma } from '../diffusion/coordinates.ts';
import { editPath, toImages, toNoise } from '../editing/edit-image.ts';
import { hashMask } from '../editing/mask.ts';
import { SpecError, throwIfAborted } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { castFloat, slice } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { applyDirections, composeDirections, imageAt } from './edit-apply.ts';
import type { EditStage } from './edit-apply.ts';
import { assembleArrays } from './edit-arrays.ts';
import { loadDirections, searchDirections } from './edit-directions.ts';
import type { PartDirections } from './edit-directions.ts';
import { judgeDirections, learnAttributes } from './edit-judge.ts';
import { findMasks } from './edit-masks.ts';
import type { NamedMask } from './edit-masks.ts';
import type { EditPart, EditResult, EditRun } from './edit-result.ts';
import { openEditSource } from './edit-source.ts';
import { defaultSigma, defaultStrengths } from './edit-spec.ts';
import type { EditSpec } from './edit-spec.ts';
import type { EditSubject } from './edit-subject.ts';
import { modelHash } from './model-hash.ts';

/**
 * Finds or loads edit directions, applies each to an image at every strength and to other images at the ends, and measures all of it.
 * @throws SpecError, ShapeError, DomainError in one line for what does not fit; CancelledError; whatever denoiser and data throw
 * @source Chen et al. 2024, arXiv 2409.02374
 */
export async function runEdit(spec: EditSpec, subject: EditSubject): Promise<EditRun> {
  const { denoiser, heldout } = subject;
  const { sampleShape } = denoiser;
  const startedAt = new Date();
  const model = { name: spec.model, hash: await modelHash(spec.model) };
  const loaded = spec.transfer && (await loadDirections(spec.transfer, { ...model, sampleShape }));
  const sigma = noiseOf(spec, sampleShape, loaded);
  const path = editPath({ sigma, steps: spec.steps, boost: spec.boost, seed: spec.seed });
  const source = await openEditSource(spec.image, heldout, { others: spec.others, sampleShape });
  await using perceptual = await openPerceptual(spec, heldout);
  const judge = spec.judge ? await learnAttributes(subject) : undefined;
  const noisy = await toNoise(denoiser, source.images, path, stepsOf('inverting', subject));
  const back = await toImages(denoiser, noisy, path, stepsOf('reconstructing', subject));
  const begun = performance.now();
  const parts = loaded ?? (await searchParts(spec, subject, { image: imageAt(source.images, 0), noisy: imageAt(noisy, 0), sigma })); // prettier-ignore
  const found = performance.now() - begun;
  const strengths = spec.strengths ?? defaultStrengths(sampleShape);
  const stage: EditStage = { subject, path, noisy, back, strengths, perceptual };
  // First what a wrong number would end.
  const composition = spec.compose && (await composeDirections(spec.compose, parts, stage));
  const applied = await applyDirections(parts, stage);
  const judged = judge && judgeDirections(judge, applied, strengths);
  const arrays = assembleArrays(source.images, parts, applied, composition, stage);
  const result: EditResult = {
    spec,
    model,
    sampleShape,
    valueRange: [heldout.range.low, heldout.range.high],
    sigma,
    vpTime: vpTimeFromSigma(sigma),
    images: source.names.map((name, i) => ({ name, roundTripPsnr: psnrAt(source.images, back, i, heldout.range) })),
    parts: await Promise.all(parts.map(describePart)),
    directions: judged?.directions ?? applied.map(({ row }) => row),
    ...(composition && { composition: composition.row }),
    orthogonality: Math.max(...parts.map(({ set }) => set.orthogonality)),
    ...(judged && { judge: judged.accuracy }),
    seconds: { find: found / 1000, apply: Math.max(...applied.map(({ seconds }) => seconds)) },
    notes: [...source.notes, ...notesOf(parts)],
    ...(subject.reading && { reading: subject.reading }),
    seed: spec.seed,
    versions: {
      eigenlens: subject.version,
      node: process.versions.node,
      ...(denoiser.runtime !== undefined && { runtime: denoiser.runtime }),
    },
    startedAt: startedAt.toISOString(),
    wallMs: Date.now() - startedAt.getTime(),
    command: subject.command,
    files: [],
  };
  return { result, arrays, parts };
}

/** @throws SpecError where saved directions belong to another noise level than the one that is said */
function noiseOf(
  spec: EditSpec,
  sampleShape: readonly number[],
  loaded: readonly PartDirections[] | undefined,
): number {
  const saved = loaded?.[0]?.set.sigma;
  if (saved === undefined) return spec.sigma ?? defaultSigma(sampleShape);
  if (spec.sigma !== undefined && Math.abs(spec.sigma - saved) > 1e-6 * saved) {
    throw new SpecError('edit', `expected noise level ${saved}, at which the directions were found, got ${spec.sigma}. Leave --sigma out.`); // prettier-ignore
  }
  return saved;
}

async function openPerceptual(spec: EditSpec, heldout: Dataset): Promise<PerceptualDistance | undefined> {
  const { perceptual: path } = spec;
  if (path === undefined) return undefined;
  const { sampleShape, range } = heldout;
  return openPerceptualDistance({ name: path, file: await openOnnxFile(path), sampleShape, range });
}

/** Parts have their clearest outlines at about half of the noise at which they are edited. */
const PART_NOISE = 0.5;

/** The directions of every part. */
async function searchParts(
  spec: EditSpec,
  { denoiser, wanted, train, signal, onProgress }: EditSubject,
  { image, noisy, sigma }: { readonly image: FloatTensor; readonly noisy: FloatTensor; readonly sigma: number },
): Promise<PartDirections[]> {
  onProgress?.({ label: 'parts', done: 0, total: 1 });
  const jacobian = async (): Promise<LinearOperator> => {
    const path = editPath({ sigma: sigma * PART_NOISE, steps: spec.steps });
    return denoiser.linearize(await toNoise(denoiser, image, path, { signal }), path.sigma);
  };
  const { parts, seed } = spec;
  const masks = await findMasks(spec.mask, { sampleShape: denoiser.sampleShape, jacobian, parts, seed, signal });
  const found: PartDirections[] = [];
  for (const [index, named] of masks.entries()) {
    throwIfAborted('edit', signal);
    onProgress?.({ label: 'directions', done: index, total: masks.length, unit: 'parts' });
    const set = await searchDirections(spec, named.mask, { denoiser, wanted, train, noisy, sigma, signal });
    found.push({ ...named, set });
  }
  return found;
}

function stepsOf(label: string, { signal, onProgress }: EditSubject): Parameters<typeof toNoise>[3] {
  return { signal, onStep: ({ i, steps }) => onProgress?.({ label, done: i, total: steps, unit: 'steps' }) };
}

/** PSNR of image i against its way to the noise level and back, dB over the range; null where nothing differs. */
function psnrAt(images: FloatTensor, back: FloatTensor, i: number, { low, high }: Dataset['range']): number | null {
  const [a, b] = [images, back].map((x) => castFloat(slice(x as Tensor<'float64'>, i, i + 1), 'float64').data);
  const mse = (a as Float64Array).reduce((sum, v, j) => sum + (v - (b?.[j] as number)) ** 2, 0) / (a?.length ?? 1);
  return mse === 0 ? null : 10 * Math.log10((high - low) ** 2 / mse);
}

async function describePart({ name, mask }: NamedMask): Promise<EditPart> {
  if (mask === undefined) return { name, share: 1 };
  const share = mask.inside.reduce((sum, flag) => sum + flag, 0) / mask.inside.length;
  return { name, share, maskHash: await hashMask(mask) };
}

/** Triplets that did not settle, said once. */
function notesOf(parts: readonly PartDirections[]): string[] {
  const loose = parts.filter(({ set }) => set.values.some((value, k) => (set.residuals[k] as number) > LOOSE * value));
  if (loose.length === 0) return [];
  return [`Singular vectors in ${loose.map(({ name }) => name).join(', ')} have residuals above ${LOOSE} of their values: they may turn among close values.`]; // prettier-ignore
}

/** Residual relative to its value above which a vector is said to be loose. */
const LOOSE = 0.05;
