import { describe, expect, it } from 'vitest';

import { DatasetError } from '../../errors/errors.ts';
import { openDataset } from '../open.ts';
import { planFace } from './attributes.ts';
import { isFacesSpec, parseFacesSpec } from './faces.ts';

/** Mean of one channel over rows [y0, y1) and columns [x0, x1) of a face [3, 32, 32]. */
function meanOver(face: Float32Array, channel: number, [y0, y1]: [number, number], [x0, x1]: [number, number]): number {
  let sum = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += face[channel * 1024 + y * 32 + x] as number;
  return sum / ((y1 - y0) * (x1 - x0));
}

describe('drawn faces', () => {
  it('planFace() gives the same face for a seed and a place, others for others, all attributes within their ranges', () => {
    expect(planFace(3, 7)).toEqual(planFace(3, 7));
    expect(planFace(3, 7)).not.toEqual(planFace(3, 8));
    expect(planFace(3, 7)).not.toEqual(planFace(4, 7));
    const all = Array.from({ length: 500 }, (_, i) => planFace(0, i).attributes);
    const range = (key: keyof (typeof all)[number]): [number, number] => [
      Math.min(...all.map((a) => a[key])),
      Math.max(...all.map((a) => a[key])),
    ];
    expect(range('smile')).toEqual([-1, 1]);
    expect(range('gaze')).toEqual([-1, 1]);
    expect(range('glasses')).toEqual([0, 2]);
    expect(range('hairLength')).toEqual([0, 2]);
    const [low, high] = range('tilt');
    expect(low).toBeGreaterThanOrEqual(-10);
    expect(high).toBeLessThanOrEqual(10);
    expect(high - low).toBeGreaterThan(19);
  });

  it('faces are colour images in [-1, 1] that show their attributes: background in the corner, clothing at the bottom', async () => {
    const data = await openDataset('faces:seed=5,count=60');
    expect([data.count, data.sampleShape, data.range]).toEqual([60, [3, 32, 32], { low: -1, high: 1 }]);
    const { names, values } = data.attributes as NonNullable<typeof data.attributes>;
    const { data: pixels } = await data.read(Array.from({ length: 60 }, (_, i) => i));
    expect(pixels.every((v) => v >= -1 && v <= 1)).toBe(true);
    const of = (name: string, i: number): number => values[i * names.length + names.indexOf(name)] as number;
    for (let i = 0; i < 60; i++) {
      const face = pixels.subarray(i * 3072, (i + 1) * 3072);
      // Grey from 92 to 236 of red: linear in the attribute, to the rounding of two bytes.
      const corner = meanOver(face, 0, [0, 1], [0, 1]);
      expect(Math.abs((corner + 1) * 127.5 - (92 + 144 * of('background', i)))).toBeLessThan(1.5);
    }
    const red = (i: number): number => meanOver(pixels.subarray(i * 3072, (i + 1) * 3072), 0, [30, 32], [12, 20]);
    const order = Array.from({ length: 60 }, (_, i) => i).sort((a, b) => of('clothing', a) - of('clothing', b));
    expect(red(order[59] as number)).toBeGreaterThan(red(order[0] as number) + 0.8);
  });

  it('parts of the faces keep their attributes, and a face is the same in every set of its seed', async () => {
    const whole = await openDataset('faces:seed=5,count=60');
    const part = await openDataset('faces:seed=5,count=60:4');
    expect(part.attributes?.values.length).toBe(4 * (whole.attributes?.names.length ?? 0));
    const [one] = [await (await openDataset('faces:seed=5,count=3')).read([2])];
    expect([...one.data]).toEqual([...(await whole.read([2])).data]);
    expect((await openDataset('faces-heldout')).count).toBe(1000);
  });

  it('parseFacesSpec() reads seed and count, and refuses anything else with the form', () => {
    expect(parseFacesSpec('faces:seed=7,count=500')).toEqual({ seed: 7, count: 500 });
    expect(parseFacesSpec('faces:count=5')).toEqual({ count: 5 });
    expect([isFacesSpec('faces:seed=7'), isFacesSpec('faces:seed=7:10'), isFacesSpec('faces:10')]).toEqual([
      true,
      false,
      false,
    ]);
    for (const bad of [
      'faces:seed=-1',
      'faces:count=0',
      'faces:count=2000000',
      'faces:seed=1,seed=2',
      'faces:size=3',
    ]) {
      expect(() => parseFacesSpec(bad)).toThrow(DatasetError);
    }
  });
});
