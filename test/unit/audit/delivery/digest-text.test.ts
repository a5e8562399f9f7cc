import { expect, it } from 'vitest';
import { causeOf } from '../../../../src/audit/delivery/cause.ts';
import type { Digest } from '../../../../src/audit/delivery/coalesce.ts';
import { digestText, durationText } from '../../../../src/audit/delivery/digest-text.ts';
import type { AuditEvent } from '../../../../src/model/audit-event.ts';
import { EVENTS, denial, sent } from './support.ts';

const digest = (event: AuditEvent, more: Partial<Digest> = {}): Digest => ({
  cause: causeOf(event),
  count: 1,
  first: sent(event),
  last: sent(event),
  hosts: [],
  hostCount: 0,
  again: null,
  ...more,
});

it('says what was denied, why, and which exchange to open', () => {
  expect(digestText(digest(denial(), { hosts: ['api.test'], hostCount: 1 }))).toEqual({
    title: 'Bot was denied: host-not-allowed',
    facts: [
      ['Hosts', 'api.test'],
      ['Why', 'no rule of bot allows it'],
      ['Request', 'GET https://api.test/a?state='],
      ['Rule', 'rules/a.yaml:3: GET https://api.test/** (api)'],
      ['From', '10.0.0.1'],
      ['Exchange', 'x-1'],
      ['When', denial().time],
    ],
  });
});

it('says how many followed, and how many hosts are not named', () => {
  const { title, facts } = digestText(digest(denial(), { count: 12, hosts: ['a', 'b'], hostCount: 9, again: 300_000 }));
  expect(title).toBe('Bot was denied: host-not-allowed (12 more in 5 min)');
  expect(facts[0]).toEqual(['Hosts', 'a, b and 7 more']);
});

it.each(EVENTS)('has something to say of a $kind', (event) => {
  const { facts } = digestText(digest(event));
  expect(facts.length).toBeGreaterThan(1);
  expect(JSON.stringify(facts)).not.toContain('undefined');
});

it('cuts what an agent made long', () => {
  const { facts } = digestText(digest(denial({ detail: 'x'.repeat(5000) })));
  expect(facts.find(([name]) => name === 'Why')?.[1]).toHaveLength(500);
});

it.each([
  [7_200_000, '2 h'],
  [90_000, '90 s'],
  [60_000, '1 min'],
])('says %i ms as %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});
