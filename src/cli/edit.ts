import { directionMethods } from '../editing/direction-set.ts';
import type { EditResult, EditRun } from '../experiments/edit-result.ts';
import { resolveEditSpec } from '../experiments/edit-spec.ts';
import type { EditSpec } from '../experiments/edit-spec.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { choice, defined, number, switchOption, text } from './options.ts';
import { packageVersion } from './version.ts';

/** `eigenlens edit`: one-step edits of an image along the leading directions of a denoiser's Jacobian. */
export const edit: Command = defineCommand({
  name: 'edit',
  summary: 'edit an image in one step along directions that the denoiser itself gives; save, transfer and compose them',
  arguments: [
    { name: 'model', description: 'faces (default) or any model of inspect' },
    { name: 'image', description: 'PNG, JPEG or NPY file, or the number of a held-out image (default 0)' },
  ],
  options: {
    mask: text(
      '<mask>',
      'where to edit: auto (default: parts found by the model), none, box:x,y,w,h, polygon:..., stroke:..., part:N, or a picture',
    ),
    parts: number('<n>', 'automatic parts (default 8)'),
    directions: number('<n>', 'directions a part (default 1 for auto, else 5)'),
    strength: text(
      '<range>',
      'strengths low:high or low:high:count or a list, VP coordinates (default -3:3 at 32 pixels)',
    ),
    sigma: number('<x>', 'noise level of the edit (default 2 at 32 pixels, 6.1 at 256)'),
    time: number('<t>', 'the same as time 0 to 1 of the linear VP schedule, as papers count'),
    steps: number('<n>', 'noise levels each way (default 12)'),
    nullRank: number(
      '<n>',
      'leading directions of the outside that are projected out (default 5 for automatic parts, else 20)',
    ),
    boost: number('<t>', 'sample with fresh noise below this time, such as 0.2 (default: never)'),
    others: number('<n>', 'other held-out images that every direction is transferred to (default 4)'),
    transfer: text('<files>', 'apply saved directions (their .json) instead of a search'),
    compose: text('<terms>', 'several directions at once, such as 1=4,3=-3'),
    towardsClass: number('<n>', 'edit a conditional model towards this class'),
    towardsText: text('<file>', 'edit a conditional model towards this text embedding (NPY)'),
    method: choice(
      directionMethods,
      'how directions are found; all but loco and supervised are baselines (default loco)',
    ),
    judge: switchOption("say which attributes each direction changes, where the data's are known"),
    perceptual: text('<file>', 'measure LPIPS or another perceptual distance by this ONNX graph'),
    format: choice(['npz', 'safetensors'], 'of saved directions (default npz)'),
    data: text('<data>', "images of this data set (default: the model's own)"),
    ...modelOptions,
    trust: switchOption('read an ONNX network as stated, without the check on real images'),
  },
  examples: [
    'edit faces --out runs/edit-faces',
    'edit faces 7 --mask box:9,18,14,8 --directions 3 --strength -8:8 --out runs/mouth',
    'edit faces 12 --transfer runs/mouth/directions-1.json --out runs/mouth-12',
    'edit fashion 3 --mask part:2 --compose 1=4,2=-4 --json',
    'edit unet.onnx photo.png --parameterization epsilon --data photos/ --time 0.6 --out runs/photo',
  ],
  resolve: ({ args: [model, image], options, seed }) =>
    resolveEditSpec({ ...modelFree(options), model, image, seed, device: options.device, reading: readingOf(options) }),
  run: (spec, context) => runCommand(spec, context),
});

/** What is said of the edit itself. */
function modelFree<T extends Parameters<typeof resolveEditSpec>[0]>(options: T): Parameters<typeof resolveEditSpec>[0] {
  const { mask, parts, directions, strength, sigma, time, steps, nullRank, boost, others, transfer, compose } = options;
  const { towardsClass, towardsText, method, judge, perceptual, format, data, trust } = options;
  return {
    mask, parts, directions, strength, sigma, time, steps, nullRank, boost, others, transfer, compose, towardsClass,
    towardsText, method, judge, perceptual, format, data, trust,
  }; // prettier-ignore
}

async function runCommand(spec: EditSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout, commandLine } = context;
  const { openDenoiser } = await import('../experiments/models.ts');
  const { openWanted } = await import('../experiments/edit-condition.ts');
  const { runEdit } = await import('../experiments/edit.ts');
  const { editTable } = await import('./edit-table.ts');
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const device = await resolveDevice(spec.device ?? 'auto');
  const { data, reading, trust } = spec;
  await using models = new AsyncDisposableStack();
  const model = await openDenoiser(spec.model, { data, reading, trust, device, signal });
  models.use(model.denoiser);
  const wanted = await openWanted(spec, { device, signal });
  models.use(wanted);
  const run = await runEdit(spec, {
    ...model,
    wanted,
    device,
    command: commandLine,
    version: packageVersion(),
    signal,
    onProgress: (report) => progress.report(report),
  });
  const value = folder === undefined ? run.result : await writeRun(run, folder);
  return { value, text: editTable(value, layout) };
}

/** Writes directions, arrays, sheets and the report; the skeleton adds spec.json and result.json and the manifest. */
async function writeRun(run: EditRun, folder: RunFolder): Promise<EditResult> {
  const { directionFiles } = await import('../editing/direction-file.ts');
  const { renderEditReport } = await import('../report/edit-report.ts');
  const { editSheetPng, transferSheetPng } = await import('../report/edit-sheets.ts');
  const { result, arrays, parts } = run;
  const { spec, model, versions, seed, images } = result;
  const described = [];
  for (const [i, { set }] of parts.entries()) {
    const provenance = {
      model,
      version: versions.eigenlens ?? '',
      search: { seed, image: images[0]?.name, ...(versions.runtime !== undefined && { runtime: versions.runtime }) },
    };
    const files = await directionFiles(set, provenance, { format: spec.format, stem: `directions-${i + 1}` });
    await folder.write(files.arrays.name, files.arrays.bytes);
    await folder.write(files.sideCar.name, files.sideCar.text);
    described.push({ ...(result.parts[i] as EditResult['parts'][number]), file: files.sideCar.name });
  }
  await folder.writeArrays('arrays.npz', defined(arrays));
  const sheets = { 'edits.png': editSheetPng(run), 'transfers.png': transferSheetPng(run) };
  for (const [name, png] of Object.entries(sheets)) if (png !== undefined) await folder.write(name, png);
  const files = [...folder.files, 'report.html', 'result.json', 'run.json', 'spec.json'].sort();
  const complete: EditResult = { ...result, parts: described, files };
  await folder.write('report.html', await renderEditReport({ ...run, result: complete }));
  return complete;
}
