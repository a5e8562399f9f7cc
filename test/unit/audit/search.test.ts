import { expect, it } from 'vitest';
import { Search, type Wanted } from '../../../src/audit/search.ts';

const outcome = (n: number, more: object): string =>
  JSON.stringify({ agent: 'bot', exchange: `x-${n}`, kind: 'outcome', time: `2026-01-01T00:00:0${n}.000Z`, ...more });
const LINES = [
  '{"continues":"00","kind":"segment","time":"2026-01-01T00:00:00.000Z"}',
  '{"agent":"bot","exchange":"x-1","kind":"intent","time":"2026-01-01T00:00:01.000Z"}',
  outcome(1, { decision: 'allow', host: 'api.test' }),
  outcome(2, { decision: 'deny', host: 'evil.test', reason: 'host-not-allowed' }),
  '{"events":4,"hash":"00","kind":"seal"}',
  outcome(3, { agent: 'mail "2"', decision: 'deny', reason: 'secret-found', findings: [{ detector: 'd' }] }),
  '{"action":"halted","by":"ann","kind":"halt","reason":"host-not-allowed","time":"2026-01-01T00:00:04.000Z"}',
  'not JSON, with "agent":"bot" in it',
];
const bytes = Buffer.from(`${LINES.join('\n')}\n`);
const found = (wanted: Wanted): number[] => [...new Search(wanted).in(bytes)].map(({ line }) => LINES.indexOf(line));

it.each<[Wanted, number[]]>([
  [{}, [2, 3, 5, 6]],
  [{ agent: 'bot' }, [2, 3]],
  [{ agent: 'mail "2"' }, [5]],
  [{ agent: 'nobody' }, []],
  [{ decision: 'deny' }, [3, 5]],
  [{ decision: 'deny', agent: 'bot' }, [3]],
  [{ reason: 'host-not-allowed' }, [3, 6]],
  [{ host: 'evil.test' }, [3]],
  [{ findings: true }, [5]],
  // Of one exchange everything is told.
  [{ exchange: 'x-1' }, [1, 2]],
  [{ since: Date.parse('2026-01-01T00:00:03Z') }, [5, 6]],
  [{ until: Date.parse('2026-01-01T00:00:02Z') }, [2, 3]],
  [{ agent: 'bot', since: Date.parse('2026-01-01T00:00:02Z') }, [3]],
])('Search %j finds %j', (wanted, expected) => {
  expect(found(wanted)).toEqual(expected);
});

it('reads no line that has no end yet', () => {
  expect([...new Search({ agent: 'bot' }).in(bytes.subarray(0, bytes.indexOf('"allow"')))]).toEqual([]);
});
