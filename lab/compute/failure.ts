import { CancelledError, LabError } from '../../src/errors/errors.ts';
import type { Failure } from './protocol.ts';

/** An error as it crosses between threads. */
export function failureOf(error: unknown): Failure {
  if (error instanceof LabError) {
    return { code: error.code, where: error.where, message: error.message.slice(`${error.where}: `.length) };
  }
  return { code: undefined, where: 'worker', message: error instanceof Error ? error.message : String(error) };
}

/** The same error on the other side. */
export function errorOf({ code, where, message }: Failure): Error {
  if (code === 'E_CANCELLED') return new CancelledError(where, message);
  // Engines and runtimes say it in words of their own.
  if ((code === undefined || code === 'E_BACKEND') && isOutOfMemory(message)) {
    return new LabError(
      'E_BACKEND',
      where,
      'ran out of memory. Close other tabs, or take a smaller model, image or size.',
    );
  }
  return new LabError(code ?? 'E_BACKEND', where, code === undefined ? `failed: ${message}` : message);
}

/** An error as one sentence for the page. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** Whether the work was stopped on purpose, so that nobody needs to hear of it. */
export function isCancelled(error: unknown): boolean {
  return error instanceof CancelledError;
}

/** As the engines of browsers, Emscripten and ONNX Runtime say it. */
function isOutOfMemory(message: string): boolean {
  return /out of memory|memory access out of bounds|allocation failed|failed to allocate|bad_alloc|\bOOM\b|enlarge memory|Invalid typed array length/i.test(message); // prettier-ignore
}
