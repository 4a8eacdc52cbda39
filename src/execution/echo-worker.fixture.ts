import type { Job } from '../experiments/jobs/job.ts';
import { echo } from './echo.fixture.ts';
import { serve } from './serve.ts';

serve(() => Promise.resolve(echo as Job<unknown, unknown>));
