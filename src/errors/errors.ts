/** Stable codes of every error that a user can meet; listed with their meaning in docs/errors.md. */
export type ErrorCode =
  | 'E_SHAPE'
  | 'E_DTYPE'
  | 'E_DOMAIN'
  | 'E_LOWERING'
  | 'E_BACKEND'
  | 'E_NUMERICAL'
  | 'E_DISPOSED'
  | 'E_DATASET'
  | 'E_MODEL'
  | 'E_SPEC'
  | 'E_STORE'
  | 'E_CANCELLED';

/** Optional facts of an error: the underlying error and machine-readable details. */
export interface ErrorOptions {
  cause?: unknown;
  details?: Readonly<Record<string, unknown>>;
}

/**
 * Base of all errors that Eigenlens throws on purpose.
 * The message reads `where: expected X, got Y. Do Z.` and fits one line.
 */
export class LabError extends Error {
  readonly code: ErrorCode;
  readonly where: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, where: string, message: string, options: ErrorOptions = {}) {
    super(`${where}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.where = where;
    this.details = options.details ?? {};
  }
}

/** An array has the wrong shape. */
export class ShapeError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_SHAPE', where, message, options);
  }
}

/** An array has the wrong element type. */
export class DTypeError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_DTYPE', where, message, options);
  }
}

/** A scalar argument lies outside its domain (sigma <= 0, rank > dimension, ...). */
export class DomainError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_DOMAIN', where, message, options);
  }
}

/** A traced function holds something that cannot be lowered; names the primitive, its shapes and its place. */
export class LoweringError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_LOWERING', where, message, options);
  }
}

/** ONNX Runtime or a worker thread failed. */
export class BackendError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_BACKEND', where, message, options);
  }
}

/** Not-a-number or infinity where a finite value was required; names the first bad index. */
export class NumericalError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_NUMERICAL', where, message, options);
  }
}

/** A disposed object was used again. */
export class DisposedError extends LabError {
  constructor(where: string, message: string = 'was used after dispose(). Create a new one.', options?: ErrorOptions) {
    super('E_DISPOSED', where, message, options);
  }
}

/** A data file or folder is missing, truncated or holds something else than stated. */
export class DatasetError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_DATASET', where, message, options);
  }
}

/** A model is unknown, missing, truncated or inconsistent. */
export class ModelError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_MODEL', where, message, options);
  }
}

/** Flags or a spec file do not say a runnable job. */
export class SpecError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_SPEC', where, message, options);
  }
}

/** An output folder or file cannot be written or read back. */
export class StoreError extends LabError {
  constructor(where: string, message: string, options?: ErrorOptions) {
    super('E_STORE', where, message, options);
  }
}

/** The user or the caller's AbortSignal stopped the work. */
export class CancelledError extends LabError {
  constructor(where: string, message: string = 'was interrupted.', options?: ErrorOptions) {
    super('E_CANCELLED', where, message, options);
  }
}

/** Throws CancelledError if `signal` is aborted; called between the steps of every long loop. */
export function throwIfAborted(where: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError(where);
}
