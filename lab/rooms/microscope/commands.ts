import type { Reading } from '../../../src/diffusion/alternatives.ts';
import { usualRange } from '../../../src/diffusion/side-car.ts';
import { dataName, folderOf } from './data-name.ts';
import type { DataChoice } from './data-name.ts';
import { RANK } from './room.ts';
import type { MicroscopeState } from './room.ts';

/** The same point in the terminal: of the model, and of the Gaussian of its data where those have a name there. */
export function commandsOf(
  { sigma, seed, network, pictures }: MicroscopeState,
  data: DataChoice | undefined,
  reading: Reading | undefined,
): string[] {
  const point = `--sigmas ${sigma} --triplets ${RANK} --samples 1 --copies 0 --edits 0${seed === 0 ? '' : ` --seed ${seed}`}`;
  if (data === undefined) return [];
  const name = dataName(data);
  const gaussian = pictures.length === 0 && name !== undefined ? [`eigenlens inspect gaussian:${name} ${point}`] : [];
  const own = pictures.length === 0 ? '' : ` --data ${quoted(folderOf(pictures))}`;
  if (data.model !== undefined) return [`eigenlens inspect ${data.model}${own} ${point}`, ...gaussian];
  const graph = network.find(({ path }) => /\.onnx$/i.test(path));
  if (graph === undefined || reading === undefined) return [];
  const from = pictures.length > 0 ? own : name === undefined ? '' : ` --data ${name}`;
  return [`eigenlens inspect ${quoted(graph.path)} ${flagsOf(reading)}${from} ${point}`, ...gaussian];
}

/** The reading as stated, without the check that the page has made. */
function flagsOf({ parameterization, range }: Reading): string {
  const { kind, ...rest } = parameterization;
  const isPlain = Object.values(rest).every((value) => value === undefined);
  const spec = isPlain ? kind : `'${JSON.stringify(parameterization)}'`;
  const isUsual = range.low === usualRange.low && range.high === usualRange.high;
  return `--parameterization ${spec}${isUsual ? '' : ` --pixel-range ${range.low}:${range.high}`} --trust`;
}

/** A word for the shell. */
function quoted(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
