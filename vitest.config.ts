import { defineConfig } from 'vitest/config';

const suite = (name: string, more: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: 'node', testTimeout: 30_000, ...more },
});

export default defineConfig({
  test: {
    projects: [
      suite('house'),
      suite('unit'),
      suite('proxy'),
      suite('attacks'),
      suite('control'),
      suite('cli'),
      suite('clients', { testTimeout: 120_000, hookTimeout: 120_000 }),
    ],
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
