import type { TheoryTopic } from './topic.ts';

/** Every topic of `eigenlens theory`, in the order of the help. */
export const theoryTopics: readonly TheoryTopic[] = [];
