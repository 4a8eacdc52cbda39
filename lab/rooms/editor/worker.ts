import { serve } from '../../compute/serve.ts';
import type { WorkerScope } from '../../compute/serve.ts';
import { operations } from './operations.ts';

serve(operations, globalThis as unknown as WorkerScope);
