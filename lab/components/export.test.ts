import { expect, it } from 'vitest';

import { csvOf } from './export.ts';

it('csvOf() keeps every digit and quotes what would break a row', () => {
  const table = { columns: ['name', 'x'], rows: [['a, "b"', 0.1 + 0.2], ['line\nbreak', -1e-300]] }; // prettier-ignore
  expect(csvOf(table)).toBe('name,x\n"a, ""b""",0.30000000000000004\n"line\nbreak",-1e-300\n');
});
