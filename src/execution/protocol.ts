/** What a pool sends to a worker: a job to do, or word that the job in hand is to stop. */
export type ToWorker =
  { readonly kind: 'run'; readonly job: string; readonly spec: unknown } | { readonly kind: 'stop' };

/** What a worker sends back. */
export type FromWorker =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly detail?: string | undefined }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: PlainError };

/** An error as it crosses processes. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  /** Of a LabError. */
  readonly code?: string | undefined;
  readonly where?: string | undefined;
}
