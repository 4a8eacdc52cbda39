import { connect } from '../connect.ts';
import type { Remote } from '../connect.ts';
import type { NetworkOperations } from './operations.ts';

/** The shipped models by name, in a worker that all rooms share; it starts with the first call. */
export const network: Remote<NetworkOperations<string>> = connect(
  () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
);
