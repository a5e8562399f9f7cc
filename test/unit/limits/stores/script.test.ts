import { expect, it } from 'vitest';
import { GIVE_BACK, RENEW, RESERVE } from '../../../../src/limits/stores/script.ts';
import { EXACT, PARTS } from '../../../../src/limits/window.ts';

// That the scripts count as the TypeScript does is shown against a real Redis in redis.test.ts.
it('the scripts count by the same numbers as the TypeScript', () => {
  expect(RESERVE).toContain(`local EXACT, PARTS = ${EXACT}, ${PARTS}\n`);
  for (const script of [RESERVE, GIVE_BACK, RENEW]) expect(script).toMatch(/^#!lua/);
});
