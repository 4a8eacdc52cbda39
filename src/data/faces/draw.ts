import type { FacePlan } from './attributes.ts';

/** Height and width of a drawn face in pixels. */
export const FACE_SIZE = 32;

/** Pixels drawn a pixel's side, averaged: the style draws hard edges. */
const OVERSAMPLE = 4;

type Rgb = readonly [number, number, number];

const skins: readonly Rgb[] = [
  [72, 44, 29],
  [141, 85, 36],
  [198, 134, 82],
  [228, 178, 130],
  [250, 220, 192],
];
const hairs: readonly Rgb[] = [
  [22, 18, 20],
  [84, 48, 24],
  [158, 74, 34],
  [226, 184, 96],
];
const clothes: readonly Rgb[] = [
  [38, 92, 190],
  [130, 70, 180],
  [206, 48, 60],
];
const backgrounds: readonly Rgb[] = [
  [92, 104, 122],
  [236, 240, 244],
];
const MOUTH = 'b02a30';
const EYES = '33312e';
const GLASSES = '23242c';
/** Size of the style's picture at size 1: the head fills the picture, its hair stays inside. */
const ZOOM = 108;

/** Draws faces as bytes [3, 32, 32]. */
export type FaceDrawer = (plan: FacePlan) => Uint8Array;

let drawer: Promise<FaceDrawer> | undefined;

/**
 * The one drawer of this process: DiceBear's "Pixel Art" (by DiceBear, CC0 1.0), with continuous colours, tilt and size.
 * @param readWasm  the renderer's WebAssembly, read once
 */
export function faceDrawer(readWasm: () => Promise<Uint8Array>): Promise<FaceDrawer> {
  drawer ??= makeDrawer(readWasm);
  return drawer;
}

async function makeDrawer(readWasm: () => Promise<Uint8Array>): Promise<FaceDrawer> {
  const [{ createAvatar }, style, { Resvg, initWasm }] = await Promise.all([
    import('@dicebear/core'),
    import('@dicebear/pixel-art'),
    import('@resvg/resvg-wasm'),
  ]);
  await initWasm(await readWasm());
  return ({ attributes, parts }) => {
    // The variants are those of the style's version, which package.json pins; its types list them one by one.
    const variants = parts as Record<'mouth' | 'eyes' | 'hair' | 'glasses' | 'beard', never>;
    const chance = (part: string | undefined): number => (part === undefined ? 0 : 100);
    const svg = createAvatar(style, {
      seed: '',
      mouth: [variants.mouth],
      eyes: [variants.eyes],
      hair: [variants.hair],
      ...(parts.glasses !== undefined && { glasses: [variants.glasses] }),
      ...(parts.beard !== undefined && { beard: [variants.beard] }),
      glassesProbability: chance(parts.glasses),
      beardProbability: chance(parts.beard),
      accessoriesProbability: 0,
      hatProbability: 0,
      clothing: ['variant23'],
      skinColor: [hex(skins, attributes.skin)],
      hairColor: [hex(hairs, attributes.hair)],
      clothingColor: [hex(clothes, attributes.clothing)],
      backgroundColor: [hex(backgrounds, attributes.background)],
      mouthColor: [MOUTH],
      eyesColor: [EYES],
      glassesColor: [GLASSES],
      scale: ZOOM * attributes.size,
      rotate: attributes.tilt,
    }).toString();
    const image = new Resvg(svg, { fitTo: { mode: 'width', value: FACE_SIZE * OVERSAMPLE } });
    const rendered = image.render();
    try {
      return averaged(rendered.pixels);
    } finally {
      rendered.free();
      image.free();
    }
  };
}

/** The color at `at`, 0 to 1, along a list of colors at even distances. */
function hex(colors: readonly Rgb[], at: number): string {
  const place = at * (colors.length - 1);
  const first = Math.min(Math.floor(place), colors.length - 2);
  const [a, b] = [colors[first] as Rgb, colors[first + 1] as Rgb];
  const share = place - first;
  return a.map((v, c) => Math.round(v + share * ((b[c] as number) - v)).toString(16).padStart(2, '0')).join(''); // prettier-ignore
}

/** RGBA rows at `OVERSAMPLE` times the size to planes [3, 32, 32]; the background is opaque. */
function averaged(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 * FACE_SIZE * FACE_SIZE);
  const stride = FACE_SIZE * OVERSAMPLE;
  for (let p = 0; p < FACE_SIZE * FACE_SIZE; p++) {
    const corner = Math.floor(p / FACE_SIZE) * OVERSAMPLE * stride + (p % FACE_SIZE) * OVERSAMPLE;
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 0; k < OVERSAMPLE ** 2; k++) {
        const place = corner + Math.floor(k / OVERSAMPLE) * stride + (k % OVERSAMPLE);
        sum += pixels[4 * place + c] as number;
      }
      out[c * FACE_SIZE * FACE_SIZE + p] = Math.round(sum / OVERSAMPLE ** 2);
    }
  }
  return out;
}
