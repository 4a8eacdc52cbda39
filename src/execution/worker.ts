import { limitCores } from '../engine/backend/cores.ts';
import { jobNamed } from '../experiments/jobs/registry.ts';
import { serve } from './serve.ts';

// The program of one worker of a pool; its argument says how many cores it may use.
const cores = Number(process.argv[2]);
if (cores >= 1) limitCores(cores);
serve(jobNamed);
