import { describe, expect, it } from 'vitest';

import { formatFacts, formatTable } from './table.ts';

const plain = { width: 80, color: false };

describe('formatTable()', () => {
  it('aligns columns two spaces apart without trailing blanks', () => {
    const columns = [{ header: 'name' }, { header: 'rank', align: 'right' }] as const;
    const rows = [
      ['a', '12'],
      ['long name', '3'],
    ];
    expect(formatTable(columns, rows, plain)).toBe('name       rank\na            12\nlong name     3');
  });

  it('cuts only the columns that may be cut, widest first, to the width', () => {
    const columns = [{ header: 'x', fit: true }, { header: 'number' }, { header: 'y', fit: true }];
    const rows = [['a'.repeat(60), '1234567', 'b'.repeat(40)]];
    const lines = formatTable(columns, rows, plain).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
    expect(lines[1]).toContain('1234567');
    expect(lines[1]).toMatch(/a…  1234567  b+…$/);
  });

  it('rather overflows than cuts a number', () => {
    const text = formatTable([{ header: 'n' }], [['9'.repeat(100)]], plain);
    expect(text).toContain('9'.repeat(100));
  });

  it('uses escape codes only where colour is wanted', () => {
    expect(formatTable([{ header: 'n' }], [['1']], plain)).not.toContain('\x1b');
    expect(formatTable([{ header: 'n' }], [['1']], { width: 80, color: true })).toContain('\x1b[1mn');
  });
});

describe('formatFacts()', () => {
  it('aligns values behind the longest name', () => {
    expect(
      formatFacts(
        [
          ['a', '1'],
          ['count', '2'],
        ],
        plain,
      ),
    ).toBe('a      1\ncount  2');
  });
});
