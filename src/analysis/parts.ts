import { DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import type { Triplets, TripletStatus } from '../linalg/triplets.ts';
import { showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import { kMeans } from './clustering/k-means.ts';
import type { WatchOptions } from './jacobian.ts';

/** Options of `findParts`. */
export interface PartOptions extends WatchOptions {
  /** Parts sought, default 6, the still background among them; at least 2. */
  readonly count?: number | undefined;
  /** Singular triplets that stand for the Jacobian, default 24, fewer where it has fewer. */
  readonly rank?: number | undefined;
  readonly seed?: number | undefined;
}

/** An image cut into parts. */
export interface Parts {
  /** [H * W], row by row: 0 to count - 1, by falling gain, so that the still background comes last. */
  readonly labels: Int32Array;
  /** Parts found; fewer than sought where only specks were left of one. */
  readonly count: number;
  /**
   * [count], median over a part's pixels of |J e_p|, the columns of all channels together: output units an input unit. The median, as
   * the outline of things, which moves much, belongs to the background in part.
   */
  readonly gains: Float64Array;
  /** [count], pixels. */
  readonly sizes: Int32Array;
  /** Of the triplets; parts by eye need a few sweeps only, so `maxIterations` is usual. */
  readonly status: TripletStatus;
}

/** Height and width in pixels. */
interface Size {
  readonly height: number;
  readonly width: number;
}

/** Features of pixels: row p belongs to pixel p. */
interface Features extends Size {
  readonly rows: Float64Array;
  /** Numbers a row. */
  readonly length: number;
}

const DEFAULT_COUNT = 6;
const DEFAULT_RANK = 24;
/** Sweeps and residual after which labels no longer change to the eye. */
const MAX_SWEEPS = 3;
const TOLERANCE = 1e-2;
/** Columns much shorter than this part of the root mean square length count as still, whatever their direction. */
const STILL = 0.5;
/** Connected pieces below this share of the image are specks. */
const SPECK = 0.005;
const RESTARTS = 10;

/**
 * Cuts an image into parts that a denoiser moves together, without a segmenter: clusters of the columns of its Jacobian.
 * J is the posterior covariance over sigma^2, so two pixels of one part, whose values vary together given the noisy image, have parallel
 * columns. The leading triplets J ~ U S V^T give column j as row j of V S in the basis U. The columns f of a pixel's channels are stacked,
 * scaled to f / (|f| + tau), so that pixels without gain meet at the origin as a part of their own, the background, averaged over 3 x 3
 * pixels with weights 1 2 1, and clustered by k-means; specks go to the part that surrounds them.
 * Parts need not be connected: two sleeves that vary together are one. For images in [-1, 1] a sigma near 1 shows the parts of this very
 * image; larger ones show those of its class.
 * @param op  J at one noisy image, columns = C * H * W
 * @param sampleShape  [C, H, W]
 * @returns labels by falling gain, the same for the same seed
 * @throws ShapeError on samples that are no images of the operator's size; DomainError on bad options; NumericalError on a Jacobian that
 *   is zero or not finite; CancelledError
 * @source Jacobian as posterior covariance: Efron 2011 (Tweedie's formula); clustering of its columns is our own
 */
export async function findParts(
  op: LinearOperator,
  sampleShape: readonly number[],
  options: PartOptions = {},
): Promise<Parts> {
  const { count = DEFAULT_COUNT, seed = 0, signal, onProgress } = options;
  const rank = Math.min(options.rank ?? DEFAULT_RANK, op.rows, op.columns);
  const size = imageSize(op, sampleShape, count);
  const triplets = await leadingTriplets(op, {
    rank,
    tolerance: TOLERANCE,
    maxSweeps: MAX_SWEEPS,
    seed,
    onProgress: ({ sweep }) => onProgress?.(sweep, MAX_SWEEPS + 1),
    ...(signal && { signal }),
  });
  if (triplets.status === 'nonFinite' || !((triplets.values[0] as number) > 0)) {
    const got = triplets.status === 'nonFinite' ? 'values that are not finite' : 'zero';
    throw new NumericalError('findParts', `expected a Jacobian with columns to cluster, got ${got}. Choose another noise level.`); // prettier-ignore
  }
  const columns = columnFeatures(triplets, sampleShape, size);
  const { rows, length, height, width } = blur(softUnit(columns));
  const { labels } = await kMeans(tensor('float64', [height * width, length], rows), {
    clusters: count,
    restarts: RESTARTS,
    seed,
    signal,
  });
  onProgress?.(MAX_SWEEPS + 1, MAX_SWEEPS + 1);
  return { ...describe(withoutSpecks(labels, size), columns), status: triplets.status };
}

/**
 * The mask of one part.
 * @param labels  [height * width] of `findParts`
 * @param index  of the part, from 0
 * @returns flags of pixels, row by row, 1 inside
 * @throws ShapeError where labels and size differ; DomainError where no pixel has this label
 */
export function partMask(
  labels: Int32Array,
  index: number,
  { height, width }: Size,
): { readonly height: number; readonly width: number; readonly inside: Uint8Array } {
  if (labels.length !== height * width) {
    throw new ShapeError('partMask', `expected ${height * width} labels for ${height} x ${width} pixels, got ${labels.length}.`); // prettier-ignore
  }
  if (!labels.includes(index)) {
    const last = labels.reduce((a, b) => Math.max(a, b), 0);
    throw new DomainError('partMask', `expected a part from 0 to ${last}, got ${index}.`);
  }
  return { height, width, inside: Uint8Array.from(labels, (label) => (label === index ? 1 : 0)) };
}

function imageSize(op: LinearOperator, sampleShape: readonly number[], count: number): Size {
  const [, height, width] = sampleShape;
  if (sampleShape.length !== 3 || height === undefined || width === undefined) {
    throw new ShapeError('findParts', `expected images [C, H, W], got samples ${showShape(sampleShape)}.`);
  }
  if (sizeOf(sampleShape) !== op.columns) {
    const wanted = `an operator of ${sizeOf(sampleShape)} columns for samples ${showShape(sampleShape)}`;
    throw new ShapeError('findParts', `expected ${wanted}, got ${op.columns}.`);
  }
  if (!Number.isInteger(count) || count < 2 || count > height * width) {
    throw new DomainError('findParts', `expected a whole count from 2 to the ${height * width} pixels, got ${count}.`);
  }
  return { height, width };
}

/** Columns of J in the basis of its left vectors, those of one pixel's channels side by side. */
function columnFeatures({ values, right }: Triplets, sampleShape: readonly number[], size: Size): Features {
  const [channels = 1] = sampleShape;
  const [rank, n] = right.shape as [number, number];
  const pixels = n / channels;
  const length = channels * rank;
  const rows = new Float64Array(pixels * length);
  for (let k = 0; k < rank; k++) {
    for (let j = 0; j < n; j++) {
      const channel = Math.floor(j / pixels);
      rows[(j % pixels) * length + channel * rank + k] = (values[k] as number) * (right.data[k * n + j] as number);
    }
  }
  return { ...size, rows, length };
}

/** Weighted means over 3 x 3 pixels, one axis after the other; at the edge over those that there are. */
function blur(features: Features): Features {
  const { height, width, length } = features;
  const line = (rows: Float64Array, step: number, places: number): Float64Array =>
    rows.map((own, i) => {
      const place = Math.floor(i / step) % places;
      const [before, after] = [place > 0 ? 1 : 0, place < places - 1 ? 1 : 0];
      const around = (before && (rows[i - step] as number)) + (after && (rows[i + step] as number));
      return (2 * own + around) / (2 + before + after);
    });
  return { ...features, rows: line(line(features.rows, length, width), width * length, height) };
}

/** Rows scaled to f / (|f| + tau): direction alone where the gain is large, the origin where there is none. */
function softUnit({ rows, length, ...size }: Features): Features {
  const squares = squaredLengths(rows, length);
  const tau = STILL * Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
  const scaled = rows.map((v, i) => v / (Math.sqrt(squares[Math.floor(i / length)] as number) + tau));
  return { ...size, rows: scaled, length };
}

function squaredLengths(rows: Float64Array, length: number): Float64Array {
  return Float64Array.from({ length: rows.length / length }, (_, p) =>
    rows.subarray(p * length, (p + 1) * length).reduce((sum, v) => sum + v * v, 0),
  );
}

/** Labels with every speck, the smallest first, given to the part that most of its border touches. */
function withoutSpecks(labels: Int32Array, size: Size): Int32Array {
  const out = labels.slice();
  for (;;) {
    const specks = connectedPieces(out, size).filter((piece) => piece.length < SPECK * labels.length);
    if (specks.length === 0) return out;
    specks.sort((a, b) => a.length - b.length);
    for (const speck of specks) {
      const winner = labelAround(speck, out, size);
      for (const p of speck) out[p] = winner;
    }
  }
}

/** The label that most of a piece's border touches, the lowest of equals; its own where another piece has joined it all around. */
function labelAround(piece: readonly number[], labels: Int32Array, size: Size): number {
  const own = labels[piece[0] as number] as number;
  const votes = new Map<number, number>();
  for (const p of piece) {
    for (const q of neighbours(p, size)) {
      const label = labels[q] as number;
      if (label !== own) votes.set(label, (votes.get(label) ?? 0) + 1);
    }
  }
  return [...votes].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? own;
}

/** Pixels of each piece that hangs together by edges and has one label, in reading order of its first pixel. */
function connectedPieces(labels: Int32Array, size: Size): number[][] {
  const seen = new Uint8Array(labels.length);
  const pieces: number[][] = [];
  for (let first = 0; first < labels.length; first++) {
    if (seen[first]) continue;
    seen[first] = 1;
    const piece = [first];
    for (const p of piece) {
      for (const q of neighbours(p, size)) {
        if (seen[q] || labels[q] !== labels[first]) continue;
        seen[q] = 1;
        piece.push(q);
      }
    }
    pieces.push(piece);
  }
  return pieces;
}

function neighbours(p: number, { height, width }: Size): number[] {
  const [y, x] = [Math.floor(p / width), p % width];
  const found: number[] = [];
  if (y > 0) found.push(p - width);
  if (x > 0) found.push(p - 1);
  if (x < width - 1) found.push(p + 1);
  if (y < height - 1) found.push(p + width);
  return found;
}

/** Parts numbered by falling gain, with what is known of each. */
function describe(found: Int32Array, { rows, length }: Features): Omit<Parts, 'status'> {
  const squares = squaredLengths(rows, length);
  const parts = [...new Set(found)].map((label) => {
    const own = squares.filter((_, p) => found[p] === label).sort();
    return { label, gain: Math.sqrt(own[own.length >> 1] as number), pixels: own.length };
  });
  parts.sort((a, b) => b.gain - a.gain);
  const names = new Map(parts.map(({ label }, i) => [label, i]));
  return {
    labels: found.map((label) => names.get(label) as number),
    count: parts.length,
    gains: Float64Array.from(parts, ({ gain }) => gain),
    sizes: Int32Array.from(parts, ({ pixels }) => pixels),
  };
}
