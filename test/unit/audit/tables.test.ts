import { expect, it } from 'vitest';
import { CSV_HEAD, csvOf, harEntryOf } from '../../../src/audit/tables.ts';
import { OUTCOME } from './support.ts';

const cells = (line: string): Record<string, string> => {
  const names = CSV_HEAD.trimEnd().split(',');
  const values = line.trimEnd().match(/(?:"(?:[^"]|"")*"|[^,]*)(?:,|$)/g) ?? [];
  return Object.fromEntries(names.map((name, index) => [name, (values[index] ?? '').replace(/,$/, '')]));
};

it('csvOf() writes a line with a cell for each column', () => {
  expect(cells(csvOf(OUTCOME))).toMatchObject({
    time: OUTCOME.time,
    agent: 'bot',
    decision: 'allow',
    reason: '',
    url: 'https://api.test/a?state=',
    sent: '5',
    received: '10',
    status: '200',
  });
});

it('csvOf() quotes what has to be, and lets no spreadsheet run what an agent chose', () => {
  const line = csvOf({ ...OUTCOME, agent: '=cmd|" /C calc"!A0', detail: '', rule: 'a,b', status: -1 });
  expect(cells(line)).toMatchObject({ agent: `"'=cmd|"" /C calc""!A0"`, rule: '"a,b"', status: '-1' });
});

it('harEntryOf() tells times as HTTP Archives do', () => {
  const timing = { answered: 1500, sent: 500 };
  expect(harEntryOf({ ...OUTCOME, microseconds: 2000, timing })).toMatchObject({
    startedDateTime: '2025-12-31T23:59:59.998Z',
    time: 2,
    request: { method: 'GET', httpVersion: 'HTTP/1.1', queryString: [{ name: 'state', value: '' }], bodySize: 5 },
    response: { status: 200, content: { size: 10 } },
    timings: { send: 0.5, wait: 1, receive: 0.5 },
    serverIPAddress: '192.0.2.7',
  });
  expect(harEntryOf({ ...OUTCOME, microseconds: 2000 })).toMatchObject({ timings: { send: 2, wait: 0, receive: 0 } });
});
