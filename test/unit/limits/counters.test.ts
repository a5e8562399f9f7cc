import { describe, expect, it } from 'vitest';
import { noCounters, reserve } from '../../../src/limits/counters.ts';

// What counters answer is the contract of the stores, tested with both of them in stores/redis.test.ts.
describe('reserve()', () => {
  it('changes nothing where something is refused', () => {
    const counters = noCounters();
    const window = 60_000;
    reserve(counters, 1000, 'a', [{ kind: 'event', key: 'full', limit: 1, window }]);
    const before = structuredClone([...counters.exact]);
    const refused = reserve(counters, 2000, 'b', [
      { kind: 'event', key: 'free', limit: 1, window },
      { kind: 'event', key: 'full', limit: 1, window },
    ]);
    expect(refused).toMatchObject({ ok: false, demand: { key: 'full' }, wait: 59_000 });
    expect([...counters.exact].filter(([, { entries }]) => entries.length > 0)).toEqual(before);
  });
});
