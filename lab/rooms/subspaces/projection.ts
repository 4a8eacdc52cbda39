/** Where a scene is looked at from, degrees. */
export interface Camera {
  readonly turn: number;
  readonly tilt: number;
}

/** A point on the picture. */
export interface Projected {
  /** To the right and downwards of the middle, in units of the scene at its own depth. */
  readonly x: number;
  readonly y: number;
  /** Away from the eye, in units of the scene; 0 in the middle. */
  readonly depth: number;
  /** By how much nearer things look larger: 1 in the middle. */
  readonly factor: number;
}

/** Distance of the eye from the middle over the radius of the scene. */
const DISTANCE = 5;

/**
 * Looks at points in perspective; the third axis stands upright.
 * @param radius  of the scene, which the eye stays outside of
 */
export function projector({ turn, tilt }: Camera, radius: number): (x: number, y: number, z: number) => Projected {
  const [a, b] = [(turn * Math.PI) / 180, (tilt * Math.PI) / 180];
  const [cosA, sinA, cosB, sinB] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  const eye = DISTANCE * radius;
  return (x, y, z) => {
    const right = x * cosA - y * sinA;
    const away = x * sinA + y * cosA;
    const depth = away * cosB - z * sinB;
    const factor = eye / (eye + depth);
    return { x: right * factor, y: -(z * cosB + away * sinB) * factor, depth, factor };
  };
}
