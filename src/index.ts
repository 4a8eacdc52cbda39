export {
  BackendError,
  CancelledError,
  DatasetError,
  DisposedError,
  DomainError,
  DTypeError,
  LabError,
  LoweringError,
  ModelError,
  NumericalError,
  ShapeError,
  SpecError,
  StoreError,
} from './errors/errors.ts';
export type { ErrorCode } from './errors/errors.ts';
export { tensor, zeros } from './tensor/tensor.ts';
export type { DType, FloatDType, FloatTensor, Tensor } from './tensor/tensor.ts';
