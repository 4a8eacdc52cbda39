import type { EditRun } from '../experiments/edit-result.ts';
import type { InspectRun, InspectSubject } from '../experiments/inspect.ts';
import type { InspectArrays, InspectEdits, InspectResult } from '../experiments/inspect-result.ts';
import type { OpenModel } from '../experiments/open-model.ts';
import { resolveInspectSpec } from '../experiments/inspect-spec.ts';
import type { InspectSpec } from '../experiments/inspect-spec.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { slice } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { number, numbers, switchOption, text } from './options.ts';
import { packageVersion } from './version.ts';

/** `eigenlens inspect`: the spectrum of a denoiser's Jacobian over noise levels, and whether the denoiser copies. */
export const inspect: Command = defineCommand({
  name: 'inspect',
  summary:
    'how low-dimensional a denoiser is at every noise level: spectrum, rank, symmetry, linearity, samples; does it copy?',
  arguments: [
    {
      name: 'model',
      description:
        'fashion (default), fashion-memorized, gaussian:DATA, empirical:DATA, molrg:n=48,K=2,d=6, an ONNX file or a folder',
    },
  ],
  options: {
    beside: text('<model>', 'a second model of the same shape: its copy check, samples and rank stand beside'),
    besideLevels: number('<n>', 'noise levels of the second model (default 3)'),
    data: text('<data>', "noise the held-out part of this data set (default: the model's own)"),
    sigmas: numbers('<list>', 'noise levels, such as 0.1,1,10'),
    levels: number('<n>', 'number of noise levels from 0.002 to 80 (default 12)'),
    images: number('<n>', 'held-out samples to look at (default 1)'),
    triplets: number('<n>', 'leading singular triplets of each Jacobian (default 8)'),
    samples: number('<n>', 'samples to draw (default 64)'),
    copies: number('<n>', 'samples to compare with the training set (default 256; 0: none)'),
    steps: number('<n>', 'noise levels of the sampler (default 18)'),
    edits: number('<n>', 'directions a part in the sheet of one-step edits (default 1; 0: none)'),
    lengths: numbers('<list>', 'step lengths of the linearity test, VP coordinates (default 0.1 to 40)'),
    blockSize: number('<n>', 'rows of the Jacobian in one product (default 112)'),
    ...modelOptions,
    trust: switchOption('read an ONNX network as stated, without the check on real images'),
  },
  examples: [
    'inspect --out runs/inspect-fashion',
    'inspect fashion --beside fashion-memorized --out runs/two',
    'inspect molrg:n=48,K=2,d=6 --json',
    'inspect gaussian:fashion --images 3 --sigmas 0.1,1,10',
    'inspect unet.onnx --parameterization epsilon --data photos/ --out runs/unet',
  ],
  resolve: ({ args, options, seed }) => {
    const { data, sigmas, levels, images, triplets, samples, copies, steps, edits, lengths, blockSize } = options;
    const { beside, besideLevels, device, trust } = options;
    const said = { data, sigmas, levels, images, triplets, samples, copies, steps, edits, lengths, blockSize };
    const reading = readingOf(options);
    return resolveInspectSpec({ model: args[0], seed, ...said, beside, besideLevels, device, trust, reading });
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: InspectSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout, commandLine } = context;
  const { openDenoiser } = await import('../experiments/models.ts');
  const { runInspect } = await import('../experiments/inspect.ts');
  const { inspectEdits } = await import('../experiments/inspect-edits.ts');
  const { runInspectBeside } = await import('../experiments/inspect-beside.ts');
  const { inspectTable } = await import('./inspect-table.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const device = await resolveDevice(spec.device ?? 'auto');
  const { data, reading, trust, beside } = spec;
  await using models = new AsyncDisposableStack();
  const model = await openDenoiser(spec.model, { data, reading, trust, device, signal });
  models.use(model.denoiser);
  const other = beside && (await openDenoiser(beside.model, { data, device, signal }));
  models.use(other?.denoiser);
  const subjectOf = (opened: OpenModel): InspectSubject => ({
    ...opened,
    device,
    command: commandLine,
    version: packageVersion(),
    signal,
    onProgress: (report) => progress.report(report),
  });
  const run = await (beside && other
    ? runInspectBeside({ ...spec, beside }, subjectOf(model), subjectOf(other))
    : runInspect(spec, subjectOf(model)));
  const edited = await inspectEdits(spec, subjectOf(model));
  const result = edited ? { ...run.result, edit: editedPart(edited) } : run.result;
  const text = inspectTable(result, layout);
  if (folder === undefined) return { value: result, text };
  return { value: await writeRun({ ...run, result }, edited, folder, [model.decode, other?.decode]), text };
}

/** What the result says of the edits; their report is that of `eigenlens edit`. */
function editedPart({ result: { sigma, vpTime, images, parts, directions } }: EditRun): InspectEdits {
  return { sigma, vpTime, images, parts, directions };
}

/** Writes arrays, report and pictures; the skeleton adds spec.json and result.json and the manifest. */
async function writeRun(
  { result, arrays, beside }: InspectRun,
  edited: EditRun | undefined,
  folder: RunFolder,
  [decode, decodeOther]: readonly OpenModel['decode'][],
): Promise<InspectResult> {
  const { editSheetPng } = await import('../report/edit-sheets.ts');
  const { renderReport } = await import('../report/inspect-report.ts');
  const { isImageShape } = await import('../report/png.ts');
  const others = Object.entries({ ...beside?.arrays }).map(([name, array]) => [`beside_${name}`, array] as const);
  await folder.writeArrays('arrays.npz', { ...arrays, ...Object.fromEntries(others) });
  await writeSheets(result, arrays, folder, { decode, stem: '' });
  if (isImageShape(result.sampleShape)) {
    await folder.write('directions.png', await directionsPng(arrays.right_heldout, result.sampleShape));
  }
  const sheet = edited && editSheetPng(edited);
  if (sheet) await folder.write('edits.png', sheet);
  if (beside) await writeSheets(beside.result, beside.arrays, folder, { decode: decodeOther, stem: 'beside-' });
  const files = [...folder.files, 'report.html', 'result.json', 'run.json', 'spec.json'].sort();
  const complete = { ...result, files };
  await folder.write('report.html', await renderReport(complete, arrays, { other: beside?.arrays, edited }));
  return complete;
}

/** Samples, and those closest to the training set above their training images. */
async function writeSheets(
  { sampleShape, valueRange }: InspectResult,
  { samples, closest, closest_training: training }: InspectArrays,
  folder: RunFolder,
  { decode, stem }: { readonly decode: OpenModel['decode']; readonly stem: string },
): Promise<void> {
  const { imageGridPng, isImageShape } = await import('../report/png.ts');
  const { pairSheetPng } = await import('../report/pair-sheet.ts');
  if (decode !== undefined) {
    const grid = imageGridPng(await decode(samples), [-1, 1], { columns: 8 });
    await folder.write(`${stem}samples.png`, grid);
  } else if (isImageShape(sampleShape)) {
    const grid = imageGridPng(samples, valueRange, { columns: 8, scale: 2 });
    await folder.write(`${stem}samples.png`, grid);
  }
  if (closest === undefined || training === undefined) return;
  const shown = decode ? ([await decode(closest), await decode(training)] as const) : ([closest, training] as const);
  if (!isImageShape(shown[0].shape.slice(1))) return;
  const sheet = pairSheetPng(...shown, decode ? [-1, 1] : valueRange, { pairs: 48, columns: 16 });
  await folder.write(`${stem}closest.png`, sheet);
}

/** Leading right singular vectors at the first held-out image: a row a noise level, from the noisiest. */
async function directionsPng(right: FloatTensor, sampleShape: readonly number[]): Promise<Uint8Array> {
  const { directionPicture, encodePng, gridPicture } = await import('../report/png.ts');
  const [levels = 0, , count = 0, dimension = 0] = right.shape;
  const pictures = Array.from({ length: levels * count }, (_, n) => {
    const level = slice(right as Tensor<'float64'>, Math.floor(n / count), Math.floor(n / count) + 1);
    const at = (n % count) * dimension;
    return directionPicture(level.data.subarray(at, at + dimension), sampleShape);
  });
  return encodePng(gridPicture(pictures, { columns: count, scale: 2 }));
}
