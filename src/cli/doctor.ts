import { SpecError, StoreError } from '../errors/errors.ts';
import type { DoctorResult, ModelReport } from '../experiments/doctor-result.ts';
import { parseReading } from '../experiments/reading-input.ts';
import type { ReadingInput } from '../experiments/reading-input.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { modelOptions, readingOf } from './model-options.ts';
import { defined, switchOption, text } from './options.ts';

interface DoctorSpec {
  readonly job: 'doctor';
  readonly model?: string;
  readonly data?: string;
  readonly reading?: ReadingInput;
  readonly device: DeviceRequest;
  readonly write: boolean;
}

/** `eigenlens doctor`: what runs on this machine, and whether a model is read correctly. */
export const doctor: Command = defineCommand({
  name: 'doctor',
  summary:
    'what runs on this machine and, for an ONNX model: is it read correctly, do its derivatives hold, what do they cost',
  arguments: [{ name: 'model', description: 'ONNX file, or a folder of diffusers or optimum' }],
  options: {
    data: text('<data>', 'images like those of its training, to prove how it is read'),
    write: switchOption('write the best reading to a side-car beside the model, for every other command'),
    ...modelOptions,
  },
  examples: [
    'doctor',
    'doctor unet.onnx --data photos/',
    'doctor unet.onnx --data photos/ --parameterization v --schedule cosine --json',
  ],
  resolve: ({ args: [model], options }): DoctorSpec => {
    const reading = readingOf(options);
    parseReading(reading ?? {});
    const { data, device = 'auto', write } = options;
    if (write && (model === undefined || data === undefined)) {
      throw new SpecError('--write', 'expected a model and --data to prove its reading on, before it is written down.');
    }
    if (model === undefined && (data !== undefined || reading !== undefined)) {
      throw new SpecError('doctor', 'expected a model for these options to apply to. Name it first.');
    }
    return { job: 'doctor', ...defined({ model, data, reading }), device, write };
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: DoctorSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, layout } = context;
  const { doctorTable } = await import('./doctor-table.ts');
  const { examineMachine, examineModel } = await import('../experiments/doctor.ts');
  if (spec.model === undefined) {
    const value: DoctorResult = { machine: await examineMachine(signal) };
    return { value, text: doctorTable(value, layout) };
  }
  const { requireForeign } = await import('../experiments/foreign-model.ts');
  const path = await requireForeign(spec.model);
  if (spec.write) await assertNoSideCar(path);
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const model = await examineModel(path, {
    reading: spec.reading,
    data: spec.data,
    device: await resolveDevice(spec.device),
    signal,
    onProgress: (label, done, total) => progress.report({ label, done, total }),
  });
  const wrong = model.reading?.stated !== undefined && model.reading.check.verdict === 'wrong';
  if (!spec.write) return { value: { model }, text: doctorTable({ model }, layout), exitCode: wrong ? 1 : 0 };
  const { written, line } = await writeSideCar(model, spec);
  const value: DoctorResult = { model, ...defined({ written }) };
  const text = `${doctorTable(value, layout)}\n\n${line}`;
  return { value, text, exitCode: wrong || written === undefined ? 1 : 0 };
}

/** Before the long part: what would be refused at its end. @throws StoreError */
async function assertNoSideCar(graph: string): Promise<void> {
  const { kindOf } = await import('../data/files.ts');
  const { sideCarPath } = await import('../experiments/found-reading.ts');
  const path = sideCarPath(graph);
  if ((await kindOf(path)) === 'nothing') return;
  throw new StoreError(path, 'exists already and is left as it is. Move it away to write a new one.');
}

/** Writes what was proved beside the model. @returns the path, undefined where nothing was, and a line for people */
async function writeSideCar(model: ModelReport, spec: DoctorSpec): Promise<{ written?: string; line: string }> {
  const { foundSideCar, sideCarPath } = await import('../experiments/found-reading.ts');
  const { writeNewFile } = await import('../store/new-file.ts');
  const sideCar = await foundSideCar(model, spec);
  if (sideCar.refusal !== undefined) return { line: `not written: ${sideCar.refusal}.` };
  const written = sideCarPath(model.path);
  await writeNewFile(written, sideCar.text);
  return { written, line: `written  ${written}` };
}
