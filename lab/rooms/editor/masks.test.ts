import { describe, expect, it } from 'vitest';

import { strokeMask, unionOf } from '../../../src/editing/mask.ts';
import { boxText, drawMask, outlineOf, polygonText } from './masks.ts';
import { actions, codec, commandOf } from './room.ts';

const size = { height: 28, width: 32 };

describe('masks as texts', () => {
  it('writes what was painted as polygons of exactly the same pixels', () => {
    const ring = strokeMask(size, [{ x: 4, y: 5 }, { x: 20, y: 9 }, { x: 9, y: 22 }, { x: 4, y: 5 }], 1.7); // prettier-ignore
    const painted = unionOf([ring, strokeMask(size, [{ x: 29, y: 26 }], 4)]);
    const text = polygonText(painted) ?? '';
    expect(drawMask(text, size, undefined)).toEqual(painted);
    expect(polygonText({ ...size, inside: new Uint8Array(28 * 32) })).toBeUndefined();
  });

  it('draws a box from any corner, inside the picture', () => {
    expect(boxText({ x: 9.2, y: 30 }, { x: 3.6, y: 20.4 }, size)).toBe('box:4,20,5,8');
    expect(boxText({ x: 9.2, y: 3 }, { x: 9.4, y: 8 }, size)).toBeUndefined();
  });

  it('knows a part once the parts are known', () => {
    const labels = new Int32Array(28 * 32);
    labels[40] = 1;
    expect(drawMask('part:2', size, undefined)).toBeUndefined();
    expect(drawMask('part:2', size, labels)?.inside.indexOf(1)).toBe(40);
    expect(drawMask('part:3', size, labels)).toBeUndefined();
  });

  it('outlines a mask by its edges', () => {
    const one = drawMask('box:2,3,1,1', size, undefined);
    expect(one && outlineOf(one)).toBe('M2 3h1M2 3v1M3 3v1M2 4h1');
  });
});

describe('edits in links and commands', () => {
  it('restores mask and strengths from a link', () => {
    const moved = actions.slide(actions.draw(codec.start, 'polygon:1,1 5,1 5,4 1,4;7,7 9,7 9,9 7,9'), { index: 2, strength: -1.5, goesOn: false }); // prettier-ignore
    const { state, complaints } = codec.decode(codec.encode(moved));
    expect(complaints).toEqual([]);
    expect(state.edit.present).toEqual(moved.edit.present);
    expect(codec.decode(new URLSearchParams({ edit: 'box:1,2~7' })).complaints).toEqual([
      'The link says edit = box:1,2~7, expected a mask such as box:9,18,14,8, then ~ and at most 5 strengths between commas.',
    ]);
  });

  it('takes back a pull at a slider as one step, and the mask before it', () => {
    const drawn = actions.draw(codec.start, 'box:1,2,3,4');
    const begun = actions.slide(drawn, { index: 0, strength: 1, goesOn: false });
    const pulled = actions.slide(begun, { index: 0, strength: 2, goesOn: true });
    expect(actions.undo(pulled).edit.present).toEqual(drawn.edit.present);
    expect(actions.undo(actions.undo(pulled)).edit.present).toEqual(codec.start.edit.present);
    expect(actions.redo(actions.undo(pulled)).edit.present.strengths).toEqual([2]);
  });

  it('writes the command of the same edit', () => {
    expect(commandOf(codec.start)).toBe('eigenlens edit faces 7 --mask box:9,18,14,8 --sigma 2 --compose 1=-6 --others 6 --out runs/edit-faces-7'); // prettier-ignore
    const other = { ...actions.draw(codec.start, 'stroke:2 4,5 6,7'), nullRank: 3, picture: { name: "my face's.png", bytes: new Uint8Array() } }; // prettier-ignore
    expect(commandOf(other)).toBe(String.raw`eigenlens edit faces 'my face'\''s.png' --mask 'stroke:2 4,5 6,7' --sigma 2 --null-rank 3 --others 6 --out 'runs/edit-faces-my face'\''s.png'`); // prettier-ignore
  });
});
