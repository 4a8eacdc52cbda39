/** Floors of the house from the bottom; a folder imports only from folders on floors below, and everyone from `errors`. */
export const FLOORS: readonly (readonly string[])[] = [
  ['errors', 'tensor'],
  ['linalg', 'engine', 'diffusion', 'data'],
  ['denoisers', 'theory'],
  ['samplers', 'training'],
  ['analysis', 'editing', 'watermark'],
  ['experiments'],
  ['execution', 'store', 'report'],
  ['server'],
  ['cli'],
];

/** Floors up to this one run in a browser. */
export const LAST_BROWSER_FLOOR = 5;

/**
 * Storeys of the web app, the highest first. They stand between the floors that run in a browser, which they import, and those above,
 * which they do not. Rooms do not know each other, and the rest of the lab knows none of them, save the two files on top.
 */
export const LAB_STOREYS: readonly RegExp[] = [/^lab\/(main|rooms\/registry)\.ts$/, /^lab\/rooms\//, /^lab\//];

/** Floors up to this one document every export. */
export const LAST_DOCUMENTED_FLOOR = 6;

/** Files of the browser floors that may touch Node: readers of files, and the one native backend with its worker. */
export const NODE_FILES: readonly RegExp[] = [
  /^src\/data\/(onnx-)?files\.ts$/,
  /^src\/engine\/backend\/node[\w-]*\.ts$/,
  /^lab\/vite\.config\.ts$/,
];

/** Packages that one file adapts for the whole house. */
export const ADAPTED_PACKAGES: readonly string[] = [
  'onnxruntime-node',
  'onnxruntime-web',
  'jpeg-js',
  'linkedom',
  'commander',
  'bullmq',
  '@duckdb/node-api',
];

export const LINES_PER_FILE = 500;
export const LINES_PER_TEST = 600;
