import { jobNamed } from '../experiments/jobs/registry.ts';
import { serve } from './serve.ts';

// The program of one worker of a pool.
serve(jobNamed);
