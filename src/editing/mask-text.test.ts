import { describe, expect, test } from 'vitest';

import { maskForms, parseMaskText, shapeMask } from './mask-text.ts';
import type { MaskRequest } from './mask-text.ts';

describe('parseMaskText()', () => {
  test.each<[string, MaskRequest]>([
    ['box:8,4,12,6', { kind: 'box', box: { x: 8, y: 4, width: 12, height: 6 } }],
    ['box: -1.5, .5, 3., +2 ', { kind: 'box', box: { x: -1.5, y: 0.5, width: 3, height: 2 } }],
    [
      'polygon:2,3 20,3 11,18',
      {
        kind: 'polygon',
        polygons: [
          [
            { x: 2, y: 3 },
            { x: 20, y: 3 },
            { x: 11, y: 18 },
          ],
        ],
      },
    ],
    ['stroke:2.5 4,6', { kind: 'stroke', radius: 2.5, points: [{ x: 4, y: 6 }] }],
    [
      'stroke:1 4,6  -12,9',
      {
        kind: 'stroke',
        radius: 1,
        points: [
          { x: 4, y: 6 },
          { x: -12, y: 9 },
        ],
      },
    ],
    ['part:3', { kind: 'part', part: 3 }],
    ['masks/eyes.PNG', { kind: 'picture', path: 'masks/eyes.PNG' }],
    ['C:\\masks\\eyes.jpeg', { kind: 'picture', path: 'C:\\masks\\eyes.jpeg' }],
  ])('parseMaskText() reads %s', (text, request) => {
    expect(parseMaskText(text)).toEqual(request);
  });

  test('parseMaskText() splits polygons at ;', () => {
    const request = parseMaskText('polygon:0,0 1,0 0,1; 5,5 9,5 9,9 5,9');
    expect(request.kind === 'polygon' && request.polygons.map((points) => points.length)).toEqual([3, 4]);
  });

  test.each([
    'box:', 'box:1,2,3', 'box:1,2,3,4,5', 'box:1,2,0,4', 'box:1,2,3,-4', 'box:1,,3,4', 'box:1,2,3,0x4', 'box:1,2,3,1e400',
    'polygon:0,0 1,1', 'polygon:0,0 1,1 2', 'polygon:0,0 1,0 0,1;', 'polygon:0,0 1,0 0,1,2', 'polygon:a,0 1,0 0,1',
    'stroke:2', 'stroke:0 1,1', 'stroke:-1 1,1', 'stroke:1,1 2,2', 'stroke:2 1,1 x',
    'part:0', 'part:-1', 'part:1.5', 'part:', 'part:two', 'part:99999999999999999999',
  ])('parseMaskText() refuses %s with the form and an example that it takes', (text) => {
    const refuse = (): MaskRequest => parseMaskText(text);
    expect(refuse).toThrow(expect.objectContaining({ code: 'E_SPEC' }));
    expect(refuse).toThrow(`, got '${text}'.`);
    const kind = text.slice(0, text.indexOf(':'));
    let message = '';
    try {
      refuse();
    } catch (error) {
      message = (error as Error).message;
    }
    const example = new RegExp(`such as (${kind}:[^a-z]*?)(,? and ;|, got)`).exec(message)?.[1];
    expect(parseMaskText(example as string).kind).toBe(kind);
  }); // prettier-ignore

  test.each(['', 'eyes', 'eyes.gif', 'rect:1,2,3,4', ':1,2,3,4'])('parseMaskText() names all forms on %j', (text) => {
    for (const form of maskForms) expect(() => parseMaskText(text)).toThrow(form);
  });

  test('parseMaskText() names the form that was probably meant', () => {
    expect(() => parseMaskText('poligon:0,0 1,0 0,1')).toThrow("Did you mean 'polygon:'?");
    expect(() => parseMaskText('eyes')).toThrow('Write it like box:8,4,12,6.');
  });
});

describe('shapeMask()', () => {
  const size = { height: 7, width: 9 };
  /** Pixels whose centre the shape holds, by the definition of each. */
  const inside = (holds: (x: number, y: number) => boolean): number[] =>
    Array.from({ length: size.height * size.width }, (_, p) =>
      Number(holds((p % size.width) + 0.5, Math.floor(p / size.width) + 0.5)),
    );

  test.each<[string, number[]]>([
    ['box:2,1,4,3', inside((x, y) => x > 2 && x < 6 && y > 1 && y < 4)],
    ['polygon:0,0 9,0 0,7', inside((x, y) => x / 9 + y / 7 < 1)],
    ['polygon:0,0 2,0 2,2 0,2;5,4 9,4 9,7 5,7', inside((x, y) => (x < 2 && y < 2) || (x > 5 && y > 4))],
    ['stroke:1.6 3.5,3.5', inside((x, y) => Math.hypot(x - 3.5, y - 3.5) <= 1.6)],
  ])('holds the pixels of %s', (text, wanted) => {
    const request = parseMaskText(text);
    if (request.kind === 'part' || request.kind === 'picture') throw new Error(`${text} is no shape`);
    expect([...shapeMask(request, size).inside]).toEqual(wanted);
  });
});
