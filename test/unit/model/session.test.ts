import { expect, it } from 'vitest';
import { LONGEST_SESSION, parseSessionLimit } from '../../../src/model/session.ts';

it('parseSessionLimit() reads limits as rules do, and those of a whole session', () => {
  expect(parseSessionLimit('requests', '10/hour')).toMatchObject({ count: 10, window: 3_600_000, text: '10/hour' });
  expect(parseSessionLimit('requests', '100/session')).toEqual({
    kind: 'requests',
    count: 100,
    window: LONGEST_SESSION,
    text: '100/session',
  });
  expect(parseSessionLimit('download', '1 GiB / session')).toMatchObject({ count: 2 ** 30, window: LONGEST_SESSION });
  expect(parseSessionLimit('concurrency', '4')).toMatchObject({ count: 4, window: 0 });
  expect(parseSessionLimit('requests', 'many/session')).toBeNull();
  expect(parseSessionLimit('concurrency', '4/session')).toBeNull();
});
