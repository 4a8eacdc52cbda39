import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { openShipped } from '../../shipped/models.ts';
import { serve } from '../serve.ts';
import type { WorkerScope } from '../serve.ts';
import { networkOperations } from './operations.ts';

const opened = new Map<string, Promise<Denoiser>>();

function open(name: string): Promise<Denoiser> {
  const known = opened.get(name) ?? openShipped(name).then(({ denoiser }) => denoiser);
  opened.set(name, known);
  // A file that did not come may come the next time.
  known.catch(() => opened.delete(name));
  return known;
}

serve(networkOperations<string>(open), globalThis as unknown as WorkerScope);
