import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Box } from '../../src/editing/mask.ts';
import { slice } from '../../src/tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../src/tensor/tensor.ts';
import { cropped } from './data.ts';

/** Environment variable that names the folder into which `@vladmandic/face-api` was installed. */
export const FACE_API_VARIABLE = 'EIGENLENS_FACE_API';

/** What its networks tell of a face, in the order of `FaceNetworks.read`. */
export const networkNames = ['smile', 'age', 'male'] as const;

/** The networks for expression, age and gender. */
export interface FaceNetworks {
  /**
   * Smile as the logit of happy less that of neutral, age in years, gender as the logit of male less that of female.
   * @param images  [B, 3, 32, 32] in FFHQ's aligned frame, values in [-1, 1]
   * @returns [B, 3]
   */
  read(images: FloatTensor): Float64Array;
}

/** The part of a 32 x 32 image that a face detector would have cut out: its networks were trained on such crops. */
const detected: Box = { x: 4, y: 7, width: 24, height: 24 };
/** Height and width of what both networks take. */
const INPUT = 112;
/** Images at a time. */
const BATCH = 32;

/** What is used of TensorFlow.js. */
interface Values {
  dataSync(): ArrayLike<number>;
}
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tidy<T>(run: () => T): T;
  tensor4d(data: Float32Array, shape: readonly number[]): Values;
  unstack(x: Values): Values[];
  readonly image: {
    resizeBilinear(x: Values, size: readonly number[], alignCorners: boolean, halfPixelCenters: boolean): Values;
  };
}
/** A network before its last nonlinearity. */
interface Network<Result> {
  loadFromDisk(folder: string): Promise<void>;
  runNet(input: object): Result;
}
interface FaceApi {
  readonly tf: TensorFlow;
  readonly NetInput: new (images: readonly Values[], isBatch: boolean) => object;
  readonly nets: {
    readonly ageGenderNet: Network<{ readonly age: Values; readonly gender: Values }>;
    readonly faceExpressionNet: Network<Values>;
  };
}

/** The networks on TensorFlow's WebAssembly backend; undefined where the packages are not installed. */
export async function openFaceNetworks(): Promise<FaceNetworks | undefined> {
  const folder = process.env[FACE_API_VARIABLE];
  const require = createRequire(folder === undefined ? import.meta.url : join(resolve(folder), 'index.js'));
  let path: string;
  try {
    path = require.resolve('@vladmandic/face-api/dist/face-api.node-wasm.js');
    createRequire(path).resolve('@tensorflow/tfjs-backend-wasm');
    createRequire(path).resolve('@tensorflow/tfjs');
  } catch {
    return undefined;
  }
  const api = require(path) as FaceApi;
  await api.tf.setBackend('wasm');
  await api.tf.ready();
  const weights = join(dirname(path), '..', 'model');
  await Promise.all([api.nets.ageGenderNet.loadFromDisk(weights), api.nets.faceExpressionNet.loadFromDisk(weights)]);
  return { read: (images) => readFaces(api, images) };
}

function readFaces({ tf, NetInput, nets }: FaceApi, images: FloatTensor): Float64Array {
  const [count = 0] = images.shape;
  const out = new Float64Array(count * networkNames.length);
  for (let at = 0; at < count; at += BATCH) {
    const B = Math.min(BATCH, count - at);
    tf.tidy(() => {
      const part = cropped(slice(images as Tensor<'float32'>, at, at + B), detected);
      const faces = tf.tensor4d(shownBytes(part), [B, detected.height, detected.width, 3]);
      const input = new NetInput(tf.unstack(tf.image.resizeBilinear(faces, [INPUT, INPUT], false, true)), true);
      const { age, gender } = nets.ageGenderNet.runNet(input);
      const [years, sexes] = [age.dataSync(), gender.dataSync()];
      const expressions = nets.faceExpressionNet.runNet(input).dataSync();
      const E = expressions.length / B;
      for (let b = 0; b < B; b++) {
        // Neutral and happy are expressions 0 and 1, male and female genders 0 and 1.
        const smile = (expressions[b * E + 1] as number) - (expressions[b * E] as number);
        const male = (sexes[2 * b] as number) - (sexes[2 * b + 1] as number);
        out.set([smile, years[b] as number, male], (at + b) * networkNames.length);
      }
    });
  }
  return out;
}

/** Images [B, 3, H, W] with channels last, black at 0 and white at 255. */
function shownBytes({ shape, data }: Tensor<'float32'>): Float32Array {
  const [, C = 0, H = 0, W = 0] = shape;
  const pixels = H * W;
  return data.map((_, i) => {
    const [pixel, c] = [Math.floor(i / C), i % C];
    const image = Math.floor(pixel / pixels);
    return ((data[(image * C + c) * pixels + (pixel % pixels)] as number) + 1) * 127.5;
  });
}
