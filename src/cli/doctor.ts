import { ModelError } from '../errors/errors.ts';
import type { DoctorResult } from '../experiments/doctor-result.ts';
import { parseReading, readingInputSchema } from '../experiments/reading-input.ts';
import type { ReadingInput } from '../experiments/reading-input.ts';
import type { Reading } from '../diffusion/alternatives.ts';
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
    parseReading(readingInputSchema.parse(reading ?? {}));
    const { data, device = 'auto', write } = options;
    return { job: 'doctor', ...defined({ model, data, reading }), device, write };
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(spec: DoctorSpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, layout } = context;
  const { doctorTable } = await import('./doctor-table.ts');
  const { examineMachine, examineModel } = await import('../experiments/doctor.ts');
  if (spec.model === undefined) {
    const value: DoctorResult = { machine: await examineMachine() };
    return { value, text: doctorTable(value, layout) };
  }
  const { findForeign } = await import('../experiments/foreign-model.ts');
  const path = await findForeign(spec.model);
  if (path === undefined) {
    throw new ModelError(
      `model '${spec.model}'`,
      'expected an ONNX file or a folder with model.onnx, unet/model.onnx or transformer/model.onnx, found none.',
    );
  }
  const { resolveDevice } = await import('../engine/backend/device.ts');
  const model = await examineModel(path, {
    reading: spec.reading,
    data: spec.data,
    device: await resolveDevice(spec.device),
    signal,
    onProgress: (label, done, total) => progress.report({ label, done, total }),
  });
  const value: DoctorResult = { model };
  const written = spec.write && model.reading !== undefined ? await writeSideCar(path, spec, model.reading.best) : '';
  const found = model.reading?.stated !== undefined && model.reading.check.verdict === 'wrong';
  return { value, text: doctorTable(value, layout) + written, exitCode: found ? 1 : 0 };
}

/** Writes what was found beside the model. @returns a line for people */
async function writeSideCar(path: string, { data }: DoctorSpec, best: Reading): Promise<string> {
  const { onnxSideCarFormat, writeOnnxSideCar } = await import('../diffusion/side-car.ts');
  const { writeNewFile } = await import('../store/new-file.ts');
  const target = path.replace(/\.onnx$/i, '.json');
  const { parameterization, range } = best;
  const sideCar = { format: onnxSideCarFormat, parameterization, range, ...defined({ data }) } as const;
  await writeNewFile(target, writeOnnxSideCar(sideCar));
  return `\n\nwritten  ${target}`;
}
