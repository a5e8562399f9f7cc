import { describe, expect, it } from 'vitest';
import { parseThreshold, watched } from '../../../src/model/quarantine.ts';
import { REASONS, REASON_CODES } from '../../../src/model/reason.ts';

describe('parseThreshold()', () => {
  it.each([
    ['denials', '20/minute', 20, 60_000],
    ['unknown-hosts', '10/5m', 10, 300_000],
    ['findings', '1', 1, 86_400_000],
    ['findings', '3/hour', 3, 3_600_000],
  ] as const)('reads %s: %s', (kind, text, count, window) => {
    expect(parseThreshold(kind, text)).toEqual({ kind, count, window, text });
  });

  it.each([
    ['denials', '20'],
    ['unknown-hosts', '5'],
    ['denials', '0/minute'],
    ['findings', 'many'],
  ] as const)('refuses %s: %s', (kind, text) => {
    expect(parseThreshold(kind, text)).toBeNull();
  });
});

describe('watched()', () => {
  it('counts a host that is not allowed as a denial and as an unknown host', () => {
    expect(watched('host-not-allowed')).toEqual(['denials', 'unknown-hosts']);
  });

  it('counts what was found as a denial and as a finding', () => {
    expect(watched('secret-found')).toEqual(['denials', 'findings']);
  });

  it('counts nothing that is a fault of the gate or an upstream, a limit, a halt, or waits for people', () => {
    const counted = REASON_CODES.filter((reason) => watched(reason).length > 0);
    expect(counted.filter((reason) => REASONS[reason].status >= 500 || REASONS[reason].status === 429)).toEqual([]);
    for (const reason of ['halted', 'quarantined', 'approval-required', 'session-expired', 'agent-unknown'] as const)
      expect(counted).not.toContain(reason);
    expect(counted).toContain('path-not-allowed');
  });
});
