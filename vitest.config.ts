import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['{src,lab,test,bench,repro}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A page of a busy machine answers late: a second, the default, is no bug.
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    maxWorkers: 2,
    // Files of one worker share what they import: jax-js and the runtimes would be loaded anew for each.
    isolate: false,
    reporters: ['default', './test/house/tally-reporter.ts'],
  },
});

export default config;
