import { z } from 'zod';
import { ModelError } from '../errors/errors.ts';
import { listIssues } from './issues.ts';
import { parseTolerantJson } from './tolerant-json.ts';

/** What the configuration of a network says of its inputs and outputs. */
export interface NetworkReading {
  /** [C, H, W] of what the network sees. */
  readonly sampleShape?: readonly [number, number, number];
  /** The output has twice the channels of the input: prediction, then variance. */
  readonly learnedVariance: boolean;
  /** Number of classes of a class-conditional network. */
  readonly classCount?: number;
  /** Length of one text embedding vector. */
  readonly textWidth?: number;
}

const count = maybe(z.int().positive());
const name = maybe(z.string());
const sizes = maybe(z.union([z.int().positive(), z.array(z.int().positive())], 'expected a size or a list of sizes'));

const networkConfig = z.looseObject({
  _class_name: name,
  in_channels: count,
  out_channels: count,
  sample_size: sizes,
  class_embed_type: name,
  num_class_embeds: count,
  num_embeds_ada_norm: count,
  norm_type: name,
  caption_channels: count,
  joint_attention_dim: count,
  encoder_hid_dim: count,
  cross_attention_dim: sizes,
});
type NetworkConfig = z.infer<typeof networkConfig>;

/**
 * Reads the configuration of a U-Net or transformer of diffusers.
 * @param text  of `config.json`; nothing is known without it
 * @param notes  gets a sentence for what cannot be told
 * @throws ModelError for a field of another type than diffusers writes, or channels that no denoiser has
 */
export function readNetworkConfig(where: string, text: string | undefined, notes: string[]): NetworkReading {
  if (text === undefined) return { learnedVariance: false };
  const parsed = networkConfig.safeParse(parseTolerantJson(where, text));
  if (!parsed.success) throw new ModelError(where, `${listIssues(parsed.error.issues)}. Correct the file.`);
  const config = parsed.data;
  const sampleShape = shapeOf(config);
  if (!sampleShape) notes.push('The configuration does not say the height and width of samples: say them.');
  const classCount = classCountOf(config);
  const textWidth = textWidthOf(config);
  return {
    ...(sampleShape && { sampleShape }),
    learnedVariance: hasVariance(where, config),
    ...(classCount !== undefined && { classCount }),
    ...(textWidth !== undefined && { textWidth }),
  };
}

function shapeOf({ _class_name: name, in_channels: channels, sample_size: size }: NetworkConfig) {
  if (channels === undefined || size === undefined || /1D|3D/.test(name ?? '')) return undefined;
  const [height, width = height, ...more] = typeof size === 'number' ? [size] : size;
  if (height === undefined || width === undefined || more.length > 0) return undefined;
  return [channels, height, width] as const;
}

function hasVariance(where: string, { in_channels: inputs, out_channels: outputs }: NetworkConfig): boolean {
  if (inputs === undefined || outputs === undefined || outputs === inputs) return false;
  if (outputs === 2 * inputs) return true;
  throw new ModelError(
    where,
    `expected out_channels to be in_channels (${inputs}) or twice that, got ${outputs}. Networks that see more than the sample cannot be read.`,
  );
}

function classCountOf(config: NetworkConfig): number | undefined {
  // A class_embed_type other than null embeds something else than the number of a class.
  if (config.num_class_embeds !== undefined && config.class_embed_type === undefined) return config.num_class_embeds;
  const adaptive = config.norm_type === 'ada_norm_zero' || config._class_name === 'DiTTransformer2DModel';
  return adaptive ? config.num_embeds_ada_norm : undefined;
}

function textWidthOf(config: NetworkConfig): number | undefined {
  if (config._class_name === 'UNet2DModel') return undefined;
  const cross = config.cross_attention_dim;
  // Where text is projected first, cross_attention_dim is the width after the projection.
  const width = config.caption_channels ?? config.joint_attention_dim ?? config.encoder_hid_dim;
  return width ?? (typeof cross === 'number' ? cross : cross?.[0]);
}

/** Python writes null for what it leaves out. */
function maybe<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? undefined);
}
