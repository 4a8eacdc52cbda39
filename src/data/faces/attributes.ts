import { randomKey, uniform } from '../../tensor/random.ts';

/** What is true of a drawn face; every number is in the unit of its comment. */
export interface FaceAttributes {
  /** Rotation of head and shoulders in degrees, clockwise, -10 to 10. */
  readonly tilt: number;
  /** Size of the head relative to the middle one, 0.93 to 1.07. */
  readonly size: number;
  /** Skin from dark 0 to light 1. */
  readonly skin: number;
  /** Hair from black 0 over brown and auburn to blond 1. */
  readonly hair: number;
  /** 0 none, 1 short, 2 long. */
  readonly hairLength: number;
  /** 0 none, 1 clear, 2 dark. */
  readonly glasses: number;
  /** 0 none, 1 full. */
  readonly beard: number;
  /** Corners of the mouth: -1 down, 0 level, 1 up. */
  readonly smile: number;
  /** 0 closed, 1 open. */
  readonly mouthOpen: number;
  /** 0 narrow, 1 wide. */
  readonly eyesOpen: number;
  /** Where the eyes look in the picture: -1 left, 0 ahead, 1 right. */
  readonly gaze: number;
  /** Clothing from blue 0 over violet to red 1. */
  readonly clothing: number;
  /** Background from dark 0 to light 1. */
  readonly background: number;
}

/** Names of the attributes, in the order of tables. */
export type FaceAttribute = keyof FaceAttributes;

/** A face to draw: its attributes and the drawn parts that show them. */
export interface FacePlan {
  readonly attributes: FaceAttributes;
  /** Style variants by component of the style. */
  readonly parts: Readonly<Record<'mouth' | 'eyes' | 'hair' | 'glasses' | 'beard', string | undefined>>;
}

/** One variant of a part: how often it is drawn, and what it says of the face. */
interface Variant {
  readonly part: string | undefined;
  readonly weight: number;
  readonly says: Partial<FaceAttributes>;
}

const mouths: readonly Variant[] = [
  { part: 'happy09', weight: 3, says: { smile: 1, mouthOpen: 0 } },
  { part: 'happy12', weight: 2, says: { smile: 1, mouthOpen: 1 } },
  { part: 'sad05', weight: 2, says: { smile: 0, mouthOpen: 0 } },
  { part: 'happy01', weight: 1, says: { smile: 0, mouthOpen: 1 } },
  { part: 'sad01', weight: 3, says: { smile: -1, mouthOpen: 0 } },
];
const eyes: readonly Variant[] = [
  { part: 'variant09', weight: 2, says: { eyesOpen: 1, gaze: 0 } },
  { part: 'variant11', weight: 2, says: { eyesOpen: 1, gaze: -1 } },
  { part: 'variant01', weight: 2, says: { eyesOpen: 1, gaze: 1 } },
  { part: 'variant06', weight: 3, says: { eyesOpen: 0, gaze: 0 } },
];
const hairs: readonly Variant[] = [
  { part: 'short23', weight: 2, says: { hairLength: 0 } },
  { part: 'short16', weight: 2, says: { hairLength: 1 } },
  { part: 'short01', weight: 2, says: { hairLength: 1 } },
  { part: 'short17', weight: 2, says: { hairLength: 1 } },
  { part: 'long13', weight: 2, says: { hairLength: 2 } },
  { part: 'long21', weight: 2, says: { hairLength: 2 } },
  { part: 'long09', weight: 2, says: { hairLength: 2 } },
];
const glasses: readonly Variant[] = [
  { part: undefined, weight: 5, says: { glasses: 0 } },
  { part: 'light05', weight: 3, says: { glasses: 1 } },
  { part: 'dark03', weight: 2, says: { glasses: 2 } },
];
const beards: readonly Variant[] = [
  { part: undefined, weight: 2, says: { beard: 0 } },
  { part: 'variant01', weight: 1, says: { beard: 1 } },
];

/**
 * Attributes and parts of face `index` of a seed: drawn independently, each face by its own key, so that face 7 of a seed is the
 * same face whatever else is drawn.
 * @param seed  non-negative safe integer
 */
export function planFace(seed: number, index: number): FacePlan {
  const u = uniform(randomKey(seed, 'face', index), [11]).data;
  const at = (i: number): number => u[i] as number;
  const mouth = choose(mouths, at(0));
  const eye = choose(eyes, at(1));
  const hair = choose(hairs, at(2));
  const glass = choose(glasses, at(3));
  const beard = choose(beards, at(4));
  const said = [mouth, eye, hair, glass, beard].reduce<Partial<FaceAttributes>>(
    (all, v) => ({ ...all, ...v.says }),
    {},
  );
  return {
    attributes: {
      tilt: 20 * at(5) - 10,
      size: 0.93 + 0.14 * at(6),
      skin: at(7),
      hair: at(8),
      clothing: at(9),
      background: at(10),
      ...(said as Pick<
        FaceAttributes,
        'hairLength' | 'glasses' | 'beard' | 'smile' | 'mouthOpen' | 'eyesOpen' | 'gaze'
      >),
    },
    parts: { mouth: mouth.part, eyes: eye.part, hair: hair.part, glasses: glass.part, beard: beard.part },
  };
}

function choose(variants: readonly Variant[], u: number): Variant {
  let left = u * variants.reduce((sum, v) => sum + v.weight, 0);
  const chosen = variants.find((v) => (left -= v.weight) < 0);
  return chosen ?? (variants.at(-1) as Variant);
}
