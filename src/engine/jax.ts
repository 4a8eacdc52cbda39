import * as jax from '@jax-js/jax';
import { BackendError } from '../errors/errors.ts';

/** The jax-js library, handed in so that traced functions stay plain functions. */
export type JaxLibrary = typeof jax;

/** A jax-js array: concrete, or the tracer that stands for it inside a traced function. */
export type JaxArray = jax.Array;

let ready: Promise<typeof jax> | undefined;

/**
 * jax-js with its WebAssembly device chosen; initialised once, on first use. Only traces run through it, never the real work.
 * @throws BackendError where jax-js cannot start
 */
export function loadJax(): Promise<typeof jax> {
  ready ??= start();
  return ready;
}

async function start(): Promise<typeof jax> {
  const devices = await jax.init('wasm');
  if (!devices.includes('wasm')) {
    throw new BackendError(
      'loadJax',
      'jax-js could not start its WebAssembly device. Use Node 24 or a current browser.',
    );
  }
  jax.defaultDevice('wasm');
  return jax;
}
