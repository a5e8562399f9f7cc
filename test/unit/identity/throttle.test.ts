import { describe, expect, it } from 'vitest';

import { FailureThrottle } from '../../../src/identity/throttle.ts';

describe('FailureThrottle', () => {
  it('stops a source after twenty failures in a minute, and lets it try again afterwards', () => {
    let now = 0;
    const throttle = new FailureThrottle(() => now);
    for (let i = 0; i < 20; i++) {
      throttle.check('a', `d${i}`);
      throttle.failed('a');
    }
    expect(() => throttle.check('a', 'x')).toThrow(
      expect.objectContaining({ reason: 'rate-exceeded', headers: ['Retry-After', '60'] }),
    );
    expect(() => throttle.check('b', 'x')).not.toThrow();
    now = 60_000;
    expect(() => throttle.check('a', 'x')).not.toThrow();
  });

  it('does not lock out credentials that were right before', () => {
    const throttle = new FailureThrottle(() => 0);
    throttle.succeeded('a', 'good');
    for (let i = 0; i < 30; i++) throttle.failed('a');
    expect(() => throttle.check('a', 'good')).not.toThrow();
    expect(() => throttle.check('a', 'other')).toThrow();
  });

  it('remembers a bounded number of sources', () => {
    const throttle = new FailureThrottle(() => 0);
    for (let i = 0; i < 20; i++) throttle.failed('first');
    for (let i = 0; i < 10_000; i++) throttle.failed(`s${i}`);
    expect(() => throttle.check('first', 'x')).not.toThrow();
  });
});
