import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { kindOf } from '../data/files.ts';
import { onnxSideCarFormat, writeOnnxSideCar } from '../diffusion/side-car.ts';
import { SpecError } from '../errors/errors.ts';
import type { ModelReport } from './doctor-result.ts';
import { parseReading } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

/** What was said to the doctor, as far as it belongs into a side-car. */
export interface SaidOfModel {
  readonly data?: string | undefined;
  readonly reading?: ReadingInput | undefined;
}

/** Path at which the side-car of a graph is written; `GRAPH.onnx.json` is read as well, and first. */
export function sideCarPath(graph: string): string {
  return graph.replace(/\.onnx$/i, '.json');
}

/**
 * The text of the side-car that says a proved reading and whatever else the user said, so that it need not be said again.
 * @returns the text, or in `refusal` why there is nothing to write
 * @throws SpecError for a text embedding outside the folder of the model
 */
export async function foundSideCar(
  { path, reading, latent }: ModelReport,
  { data, reading: said = {} }: SaidOfModel,
): Promise<{ text: string; refusal?: undefined } | { refusal: string }> {
  if (reading === undefined || reading.check.verdict === 'unclear') return { refusal: 'no reading is proved' };
  if (latent) return { refusal: 'it would hide the autoencoder of the folder. Write it by hand: docs/side-car.md' };
  const { parameterization, range } =
    reading.check.verdict === 'right' ? (reading.stated ?? reading.best) : reading.best;
  const { inputs, output, sampleShape, classLabel, text } = parseReading(said);
  const condition = {
    ...(classLabel !== undefined && { class: classLabel }),
    ...(text !== undefined && { text: besides(path, text) }),
  };
  const isPath = data !== undefined && (await kindOf(data)) !== 'nothing';
  return {
    text: writeOnnxSideCar({
      format: onnxSideCarFormat,
      parameterization,
      range,
      ...(Object.keys(inputs).length > 0 && { inputs }),
      ...(output !== undefined && { output }),
      ...(sampleShape !== undefined && { sampleShape }),
      ...(Object.keys(condition).length > 0 && { condition }),
      ...(data !== undefined && { data: isPath ? resolve(data) : data }),
    }),
  };
}

/** A path as the side-car beside a graph says it. @throws SpecError outside its folder */
function besides(graph: string, path: string): string {
  const inside = relative(dirname(graph), path);
  if (!isAbsolute(inside) && !inside.startsWith('..')) return inside.split(sep).join('/');
  throw new SpecError('--text', `expected a file in the folder of the model to name in a side-car, got ${path}.`);
}
