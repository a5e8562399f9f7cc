import { defineConfig } from 'vitest/config';

/** `npm run quality`: what the scanner finds and what it does not, over hundreds of megabytes. No part of the tests. */
export default defineConfig({
  test: { include: ['test/quality/**/*.test.ts'], environment: 'node', testTimeout: 3_600_000 },
});
