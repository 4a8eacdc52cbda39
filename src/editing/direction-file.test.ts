import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildSchema, directionsSchemaFile } from '../../scripts/write-schema.ts';
import { parseNpz, writeNpz } from '../data/npz.ts';
import { parseSafetensors } from '../data/safetensors.ts';
import { sigmaFromVpTime } from '../diffusion/coordinates.ts';
import { ModelError, ShapeError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { directionFiles, readDirections } from './direction-file.ts';
import type { DirectionFileOptions } from './direction-file.ts';
import { directionMethods } from './direction-set.ts';
import type { DirectionSet } from './direction-set.ts';
import type { DirectionProvenance } from './direction-side-car.ts';
import { hashMask } from './mask.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const provenance: DirectionProvenance = {
  model: { name: 'fashion', hash: sha256('model') },
  image: { name: 'fashion-heldout 3', hash: sha256('image') },
  version: '0.1.0',
  search: { seed: 7, backend: 'onnxruntime-node 1.30.0 cpu' },
};

/** Two directions of images 1x2x3 whose elements are exact binary fractions of unit length. */
const small: DirectionSet = {
  method: 'loco',
  sampleShape: [1, 2, 3],
  sigma: 2,
  vectors: tensor('float64', [2, 6], Float64Array.of(0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0, 0, -1, 0)),
  values: Float64Array.of(3, 0.25),
  residuals: Float64Array.of(1e-6, 2e-6),
  kept: Float64Array.of(1, 0.75),
  gains: Float64Array.of(2.5, 0.2),
  leaks: Float64Array.of(0.1, 0),
  nullRank: 2,
  orthogonality: 1e-15,
  mask: { height: 2, width: 3, inside: Uint8Array.of(1, 0, 0, 1, 0, 0) },
};

/** Writes a set and reads it back. */
async function roundTrip(set: DirectionSet, options?: DirectionFileOptions): ReturnType<typeof readDirections> {
  const { arrays, sideCar } = await directionFiles(set, provenance, options);
  return readDirections(`runs/x/${sideCar.name}`, sideCar.text, async (file) => {
    expect(file).toBe(arrays.name);
    return arrays.bytes;
  });
}

/** What is said of files that were tampered with; the side-car fits the arrays again where these are changed. */
async function refusal(change: {
  readonly arrays?: (arrays: Map<string, Tensor>) => void;
  readonly bytes?: (bytes: Uint8Array) => Uint8Array;
  readonly sideCar?: (sideCar: Record<string, unknown>) => void;
  readonly text?: (text: string) => string;
}): Promise<string> {
  const files = await directionFiles(small, provenance);
  const arrays = parseNpz('x', files.arrays.bytes);
  change.arrays?.(arrays);
  const written = change.arrays ? writeNpz(arrays) : files.arrays.bytes;
  const sideCar = JSON.parse(files.sideCar.text) as Record<string, unknown>;
  sideCar['arrays'] = { file: 'directions.npz', bytes: written.length, sha256: sha256(written) };
  change.sideCar?.(sideCar);
  const text = change.text?.(JSON.stringify(sideCar)) ?? JSON.stringify(sideCar);
  try {
    await readDirections('runs/x/directions.json', text, async () => change.bytes?.(written) ?? written);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).message).toMatch(/^runs\/x\/directions\.(json|npz)[^\n]{0,600}\.$/);
    return (error as ModelError).message;
  }
  return 'accepted';
}

const setOf = ([[K, ...sampleShape], numbers, method, sigma, masked]: [
  number[],
  number[],
  DirectionSet['method'],
  number,
  boolean,
]): DirectionSet => {
  const n = sampleShape.reduce((a, b) => a * b, 1);
  let at = 0;
  const next = (): number => numbers[at++ % numbers.length] as number;
  const data = new Float64Array((K as number) * n);
  for (let k = 0; k < (K as number); k++) {
    const row = data.subarray(k * n, (k + 1) * n);
    row.forEach((_, i) => (row[i] = next() * (i % 3 === 1 ? 1e-9 : 1)));
    const length = Math.hypot(...row);
    row.forEach((v, i) => (row[i] = length > 0 ? v / length : i === 0 ? 1 : 0));
  }
  const list = (): Float64Array => Float64Array.from({ length: K as number }, () => Math.abs(next()));
  const has = method === 'loco';
  const [, height = 1, width = 1] = sampleShape;
  return {
    method,
    sampleShape,
    sigma,
    vectors: tensor('float64', [K as number, n], data),
    values: has ? list() : new Float64Array(K as number).fill(NaN),
    residuals: has ? list() : new Float64Array(K as number).fill(NaN),
    kept: list(),
    gains: list(),
    leaks: list(),
    nullRank: has ? 5 : 0,
    orthogonality: Math.abs(next()),
    ...(masked && {
      mask: { height, width, inside: Uint8Array.from({ length: height * width }, (_, p) => (p === 0 ? 1 : 0)) },
    }),
  };
};

describe('directionFiles() and readDirections()', () => {
  it('readDirections() gives back every bit of what directionFiles() wrote, as NPZ and as safetensors', async () => {
    const sizes = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
    );
    const sets = fc
      .tuple(
        sizes,
        fc.array(fc.double({ noNaN: true, min: -1e3, max: 1e3 }), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(...directionMethods),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.boolean(),
      )
      .map(setOf);
    await fc.assert(
      fc.asyncProperty(sets, fc.constantFrom('npz' as const, 'safetensors' as const), async (set, format) => {
        expect(await roundTrip(set, { format })).toEqual({ set, provenance });
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('readDirections() gives back directions of points without a mask, and provenance without what is optional', async () => {
    const { mask, ...rest } = { ...small, sampleShape: [6] };
    expect(mask).toBeDefined();
    const { model, version } = provenance;
    const { arrays, sideCar } = await directionFiles(rest, { model, version }, { stem: 'pca-1' });
    expect([arrays.name, sideCar.name]).toEqual(['pca-1.npz', 'pca-1.json']);
    const read = await readDirections('pca-1.json', sideCar.text, async () => arrays.bytes);
    expect(read).toEqual({ set: rest, provenance: { model, version } });
  });

  it('directionFiles() shapes vectors like pictures and the mask like one, in both formats', async () => {
    const npz = parseNpz('x', (await directionFiles(small, provenance)).arrays.bytes);
    const { bytes } = (await directionFiles(small, provenance, { format: 'safetensors' })).arrays;
    const { tensors } = parseSafetensors('x', bytes);
    expect(tensors).toEqual(npz);
    expect([...npz].map(([name, x]) => [name, x.dtype, x.shape])).toEqual([
      ['vectors', 'float64', [2, 1, 2, 3]],
      ...['values', 'residuals', 'kept', 'gains', 'leaks'].map((name) => [name, 'float64', [2]]),
      ['mask', 'uint8', [2, 3]],
    ]);
  });

  it('directionFiles() says noise on all axes, hashes, and the same bytes every time', async () => {
    const files = await directionFiles(small, provenance);
    const sideCar = JSON.parse(files.sideCar.text) as Record<string, unknown>;
    expect(sideCar).toMatchObject({
      format: 'eigenlens-directions/1',
      count: 2,
      noise: { coordinates: 'VE', sigma: 2, alphaBar: 0.2 },
      maskHash: await hashMask(small.mask as NonNullable<DirectionSet['mask']>),
      arrays: { file: 'directions.npz', bytes: files.arrays.bytes.length, sha256: sha256(files.arrays.bytes) },
    });
    // The schedule's own formula, at the time that the side-car says: sigma comes back to a few roundings.
    expect(sigmaFromVpTime((sideCar['noise'] as { t: number }).t)).toBeCloseTo(2, 13);
    expect(files.sideCar.text.endsWith('}\n')).toBe(true);
    expect(await directionFiles(small, provenance)).toEqual(files);
  });

  it('directionFiles() refuses what could not be read back', async () => {
    const write = (change: Partial<DirectionSet>): Promise<unknown> =>
      directionFiles({ ...small, ...change }, provenance);
    await expect(write({ vectors: tensor('float64', [2, 5], new Float64Array(10)) })).rejects.toThrow(ShapeError);
    await expect(write({ leaks: Float64Array.of(0) })).rejects.toThrow(ShapeError);
    await expect(write({ gains: Float64Array.of(1, NaN) })).rejects.toThrow(/gains: .* got NaN of direction 2/);
    await expect(write({ orthogonality: NaN })).rejects.toThrow(/orthogonality/);
    await expect(write({ sigma: 0 })).rejects.toThrow(/sigma/);
    await expect(directionFiles(small, { ...provenance, model: { name: 'x', hash: '12' } })).rejects.toThrow(
      /model\.hash: expected a SHA-256/,
    );
    await expect(directionFiles(small, provenance, { stem: '../x' })).rejects.toThrow(/in the folder of the side-car/);
  });
});

describe('readDirections() of damaged files', () => {
  it('readDirections() refuses every truncation of the arrays, saying how many bytes there should be', async () => {
    const { length } = (await directionFiles(small, provenance)).arrays.bytes;
    for (const size of [0, 1, 100, length - 1]) {
      const message = await refusal({ bytes: (bytes) => bytes.subarray(0, size) });
      expect(message).toContain(
        `directions.npz: expected the ${length} bytes of its side-car, got ${size}. It is trunc`,
      );
    }
    expect(await refusal({ bytes: (bytes) => Uint8Array.of(...bytes, 0) })).toContain('Copy it and its side-car again');
  });

  it('readDirections() refuses arrays in which any byte was changed', async () => {
    for (const at of [0, 57, 700]) {
      const message = await refusal({ bytes: (bytes) => bytes.with(at, (bytes[at] as number) ^ 1) });
      expect(message).toMatch(/directions\.npz: expected the SHA-256 [0-9a-f]{12}\.\.\. of its side-car, got/);
    }
  });

  it('readDirections() refuses every truncation of the side-car', async () => {
    const { text } = (await directionFiles(small, provenance)).sideCar;
    for (let size = 0; size < text.length - 2; size += 31) {
      expect(await refusal({ text: () => text.slice(0, size) })).toContain('directions.json: expected JSON');
    }
  });

  const changed = (name: string, x: Tensor | undefined) => (arrays: Map<string, Tensor>) => {
    if (x === undefined) arrays.delete(name);
    else arrays.set(name, x);
  };
  const vectors = (at: number, value: number): Tensor =>
    tensor('float64', [2, 1, 2, 3], small.vectors.data.with(at, value));

  it.each<[string, (arrays: Map<string, Tensor>) => void, string]>([
    ['NaN', changed('vectors', vectors(7, NaN)), 'expected finite values, got NaN at element 1 of direction 2'],
    ['infinity', changed('vectors', vectors(0, Infinity)), 'got Infinity at element 0 of direction 1'],
    ['a vector that is too long', changed('vectors', vectors(0, 0.51)), 'expected length 1, got 1.005 of direction 1'],
    ['zeros', changed('vectors', vectors(10, 0)), 'expected length 1, got 0.000 of direction 2'],
    [
      'float32',
      changed('vectors', tensor('float32', [2, 1, 2, 3], Float32Array.from(small.vectors.data))),
      'vectors: expected float64 [2, 1, 2, 3], got float32 [2, 1, 2, 3]',
    ],
    ['rows that are flat', changed('vectors', small.vectors), 'expected float64 [2, 1, 2, 3], got float64 [2, 6]'],
    ['an array less', changed('kept', undefined), 'kept: expected float64 [2], got no such array'],
    ['a list that is too short', changed('gains', tensor('float64', [1], Float64Array.of(1))), 'got float64 [1]'],
    ['a negative length', changed('leaks', tensor('float64', [2], Float64Array.of(0, -1))), 'got -1 of direction 2'],
    ['one value that is NaN', changed('values', tensor('float64', [2], Float64Array.of(1, NaN))), 'values: expected'],
    ['no mask', changed('mask', undefined), 'mask: expected uint8 [2, 3], got no such array'],
    [
      'another mask',
      changed('mask', tensor('uint8', [2, 3], Uint8Array.of(0, 1, 0, 0, 0, 0))),
      'mask: expected the SHA-256',
    ],
    [
      'a mask of greys',
      changed('mask', tensor('uint8', [2, 3], Uint8Array.of(9, 0, 0, 0, 0, 0))),
      'expected flags 0 (outside) and 1 (inside) in a mask, got 9',
    ],
  ])('readDirections() refuses arrays with %s', async (_, arrays, message) => {
    expect(await refusal({ arrays })).toContain(message);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of another format', { format: 'eigenlens-directions/2' }, "format: expected 'eigenlens-directions/1'"],
    ['without a format', { format: undefined }, "format: expected 'eigenlens-directions/1'"],
    ['of an unknown method', { method: 'ica' }, 'method: '],
    ['with another count', { count: 3 }, 'vectors: expected float64 [3, 1, 2, 3], got float64 [2, 1, 2, 3]'],
    [
      'of another shape',
      { sampleShape: [1, 3, 2] },
      'vectors: expected float64 [2, 1, 3, 2], got float64 [2, 1, 2, 3]',
    ],
    ['of no directions', { count: 0 }, 'count: '],
    ['without a mask that is there', { maskHash: undefined }, 'expected no mask, as its side-car has no maskHash'],
    ['with a hash that is none', { maskHash: 'abc' }, 'maskHash: expected a SHA-256 of 64 hex digits'],
    ['without a model', { model: undefined }, 'model: '],
    ['with a name of two lines', { version: 'a\nb' }, 'version: expected a name of one line'],
    ['with a field that is none', { sigmas: 1 }, 'sigmas'],
    [
      'that contradicts itself',
      { noise: { coordinates: 'VE', sigma: 2, alphaBar: 0.25, t: 0.4 } },
      'noise: expected alphaBar 0.2 and t 0.397',
    ],
    ['in other coordinates', { noise: { coordinates: 'VP', sigma: 2, alphaBar: 0.2, t: 0.4 } }, 'noise.coordinates'],
    ['without noise', { noise: { coordinates: 'VE', sigma: 0, alphaBar: 1, t: 0 } }, 'noise.sigma'],
  ])('readDirections() refuses a side-car %s', async (_, change, message) => {
    expect(await refusal({ sideCar: (sideCar) => Object.assign(sideCar, change) })).toContain(message);
  });

  it.each(['/etc/x.npz', '../x.npz', 'a/x.npz', 'C:x.npz', '.npz', 'x.pickle', 'a\\x.npz'])(
    'readDirections() does not ask for the file %j',
    async (file) => {
      const arrays = { file, bytes: 1, sha256: sha256('') };
      const message = await refusal({ sideCar: (sideCar) => Object.assign(sideCar, { arrays }) });
      expect(message).toContain('arrays.file: expected the name of an .npz or .safetensors file');
    },
  );

  it('readDirections() refuses arrays that are no NPZ file though their hash is right', async () => {
    const junk = new TextEncoder().encode('no arrays at all');
    const arrays = { file: 'directions.npz', bytes: junk.length, sha256: sha256(junk) };
    const message = await refusal({ sideCar: (sideCar) => Object.assign(sideCar, { arrays }), bytes: () => junk });
    expect(message).toContain('directions.npz: expected a whole NPZ (ZIP) file');
  });
});

describe('docs', () => {
  it('docs/schema/eigenlens-directions-1.json is the schema of the code', async () => {
    const [stored, built] = [await readFile(directionsSchemaFile, 'utf8'), await buildSchema(directionsSchemaFile)];
    expect(stored, 'run: node scripts/write-schema.ts').toBe(built);
  });

  it('docs/directions.md names every field of the side-car, and its example is one but for hashes', async () => {
    const page = await readFile(new URL('../../docs/directions.md', import.meta.url), 'utf8');
    const fields = [...(await buildSchema(directionsSchemaFile)).matchAll(/"(\w+)": \{/g)].map((match) => match[1]);
    const structural = new Set(['properties', 'items', 'additionalProperties', 'propertyNames']);
    expect(fields.filter((field) => !structural.has(field as string) && !page.includes(`\`${field}\``))).toEqual([]);
    const example = /```json\n([^]*?)```/.exec(page)?.[1]?.replaceAll(/"[0-9a-f]{6}\.\.\."/g, `"${sha256('')}"`) ?? '';
    const reading = readDirections('example.json', example, async () => new Uint8Array(0));
    await expect(reading).rejects.toThrow(/^directions\.npz: expected the 33930 bytes/);
  });
});
