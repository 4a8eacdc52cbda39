import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { parameterizationKinds } from '../experiments/reading-input.ts';
import type { ReadingInput } from '../experiments/reading-input.ts';
import type { Options, OptionValues, ValueOption } from './command.ts';
import { choice, defined, number, text } from './options.ts';

/** The options by name, with what each yields. */
interface ModelOptions extends Options {
  readonly parameterization: ValueOption<string>;
  readonly schedule: ValueOption<string>;
  readonly pixelRange: ValueOption<string>;
  readonly input: ValueOption<string>;
  readonly outputName: ValueOption<string>;
  readonly fix: ValueOption<string>;
  readonly shape: ValueOption<string>;
  readonly class: ValueOption<number>;
  readonly text: ValueOption<string>;
  readonly maxWeights: ValueOption<number>;
  readonly device: ValueOption<DeviceRequest>;
}

/** Options of every command that opens a model: how a foreign network is to be read, and where networks run. */
export const modelOptions: ModelOptions = {
  parameterization: text('<kind>', `how an ONNX network's output is read: ${parameterizationKinds.join(', ')} or JSON`),
  schedule: text('<name>', 'its chain for epsilon, v and x0: linear, scaled_linear, cosine or sigmoid'),
  pixelRange: text('<low:high>', 'its values of black and white (default -1:1)'),
  input: text('<roles>', 'names of its inputs, such as sample=x,time=t,class=y,text=c'),
  outputName: text('<name>', 'its output, where it has several'),
  fix: text('<values>', 'inputs held at a value, such as guidance=0'),
  shape: text('<CxHxW>', 'one sample, where the graph leaves it open, such as 3x32x32'),
  class: number('<n>', 'its class, where it wants one (default 0)'),
  text: text('<file>', 'its text embedding as NPY, where it wants one (default zeros)'),
  maxWeights: number('<GiB>', 'most memory that its weights may take (default 4)'),
  device: choice(['auto', ...deviceNames], 'where networks run (default auto: CUDA where it works, else the CPU)'),
};

/** The reading alone, undefined where nothing of it is said. */
export function readingOf(values: OptionValues<ModelOptions>): ReadingInput | undefined {
  const { parameterization, schedule, pixelRange, input, outputName, fix, shape, text: embedding, maxWeights } = values;
  const said = defined({
    parameterization, schedule, pixelRange, input, outputName, fix, shape, class: values.class, text: embedding,
    maxWeights,
  }); // prettier-ignore
  return Object.keys(said).length === 0 ? undefined : said;
}
