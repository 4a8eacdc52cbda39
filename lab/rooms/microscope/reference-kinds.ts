/** Closed forms that stand beside a model. */
export type ReferenceKind = 'gaussian' | 'empirical' | 'low-rank';

/** All of them, in the order in which they are made. */
export const referenceKinds: readonly ReferenceKind[] = ['gaussian', 'low-rank', 'empirical'];
