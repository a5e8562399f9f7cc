import { describe, expect, it } from 'vitest';

import { REASONS, REASON_CODES, isFloor } from '../../../src/model/reason.ts';

describe('reasons', () => {
  it('have a status that says who is to blame', () => {
    for (const code of REASON_CODES) {
      const { status } = REASONS[code];
      const upstream = code.startsWith('upstream-');
      expect([code, status >= 500]).toEqual([
        code,
        upstream ||
          ['decision-point-unavailable', 'store-unavailable', 'audit-unavailable', 'internal-fault'].includes(code),
      ]);
    }
  });

  it.each([
    ['agent-unknown', true],
    ['address-forbidden', true],
    ['path-malformed', true],
    ['host-not-allowed', false],
    ['method-not-allowed', false],
    ['secret-found', false],
  ] as const)('isFloor(%s) is %s', (reason, floor) => {
    expect(isFloor(reason)).toBe(floor);
  });
});
