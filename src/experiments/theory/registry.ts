import { belowBoundaryTopic } from './below-boundary.ts';
import { boundaryTopic } from './boundary.ts';
import { criticalNoiseTopic } from './critical-noise.ts';
import { linearReverseTopic } from './linear-reverse.ts';
import { overlapTopic } from './overlap.ts';
import { posteriorTopic } from './posterior.ts';
import type { TheoryTopic } from './topic.ts';

/** Every topic of `eigenlens theory`, in the order of the help. */
export const theoryTopics: readonly TheoryTopic[] = [
  overlapTopic,
  criticalNoiseTopic,
  linearReverseTopic,
  boundaryTopic,
  belowBoundaryTopic,
  posteriorTopic,
];
