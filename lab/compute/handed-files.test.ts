import { describe, expect, it } from 'vitest';

import type { DroppedFile } from '../components/dropped-files.ts';
import type { Remote } from './connect.ts';
import { filesOfSet, handFiles, takeFiles } from './handed-files.ts';
import type { HandedFiles } from './handed-files.ts';
import type { OperationContext } from './protocol.ts';

const context: OperationContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  emit: () => undefined,
};

describe('handFiles()', () => {
  const files: DroppedFile[] = Array.from({ length: 70 }, (_, i) => ({ path: `${i}.png`, file: new File([], `${i}`) }));
  const sent: HandedFiles[] = [];
  const call = async (_: 'takeFiles', input: HandedFiles): Promise<void> => {
    sent.push(input);
    await takeFiles(input, context);
  };
  const remote = { call, [Symbol.dispose]: () => undefined } as Remote<{ takeFiles: typeof takeFiles }>;

  it('hands a set over in order, few at a time, in the place of what was there', async () => {
    await handFiles(remote, 'samples', files, context.signal);
    await handFiles(remote, 'training', files.slice(3, 5), context.signal);
    expect(filesOfSet('samples')).toEqual(files);
    expect(Math.max(...sent.map(({ files: some }) => some.length))).toBeLessThan(40);
    await handFiles(remote, 'samples', files.slice(0, 1), context.signal);
    expect([filesOfSet('samples').length, filesOfSet('training').length]).toEqual([1, 2]);
    await handFiles(remote, 'samples', [], context.signal);
    expect(filesOfSet('samples')).toEqual([]);
  });

  it('stops when told to', async () => {
    const stopped = handFiles(remote, 'samples', files, AbortSignal.abort());
    await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(filesOfSet('samples')).toEqual([]);
  });
});
