import { configDefaults, defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['{src,lab,test,bench,repro}/**/*.test.ts'],
    // The lab's walks in a browser take minutes: `npm run test:lab` (EIGENLENS_TEST_LAB=1) runs them.
    exclude: [...configDefaults.exclude, ...(process.env.EIGENLENS_TEST_LAB === '1' ? [] : ['test/lab/**'])],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './test/house/tally-reporter.ts'],
  },
});

export default config;
