import { defineConfig } from 'vitest/config';

const suite = (name: string, more: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: 'node', testTimeout: 30_000, ...more },
});

/** Files share one process: starting one for each takes longer than most of them. What they leave behind is their own to end. */
const SHARED = { isolate: false };

export default defineConfig({
  test: {
    projects: [
      suite('house'),
      suite('unit', SHARED),
      suite('proxy', SHARED),
      suite('attacks', SHARED),
      suite('control', SHARED),
      suite('cli', SHARED),
      suite('clients', { testTimeout: 120_000, hookTimeout: 120_000, ...SHARED }),
    ],
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
