import { expect, it } from 'vitest';
import { causeOf } from '../../../../src/audit/delivery/cause.ts';
import { EVENTS, denial } from './support.ts';

it('is one for denials of an agent by one reason, whatever the host', () => {
  const { key } = causeOf(denial());
  expect(causeOf(denial({ host: 'other.test', exchange: 'x-9', detail: 'else' })).key).toBe(key);
  expect(causeOf(denial({ agent: 'cat' })).key).not.toBe(key);
  expect(causeOf(denial({ agent: null })).key).not.toBe(key);
  expect(causeOf(denial({ reason: 'unknown-host' })).key).not.toBe(key);
});

it.each([
  ['a denial', denial(), 'Bot was denied: host-not-allowed', 'warning'],
  ['a denial of nobody we know', denial({ agent: null }), 'An unknown agent was denied: host-not-allowed', 'warning'],
  [
    'a denial for a critical finding',
    denial({ findings: [{ severity: 'critical' }, { severity: 'low' }] as never }),
    'Bot was denied: host-not-allowed',
    'critical',
  ],
  [
    'findings that were let through',
    denial({ decision: 'allow', findings: [{ family: 'secret', severity: 'high' }] as never }),
    'Bot was let through with findings: secret',
    'error',
  ],
  ['what would be denied', denial({ decision: 'would-deny' }), 'Bot would have been denied: host-not-allowed', 'info'],
])('has a title and a severity for %s', (_what, event, title, severity) => {
  expect(causeOf(event)).toMatchObject({ title, severity });
});

it('has a title for every kind of event', () => {
  expect(EVENTS.map((event) => `${causeOf(event).severity}: ${causeOf(event).title}`)).toEqual([
    'info: Bot was allowed',
    'error: Requests of bot were cut off: the gate died',
    'critical: Stopped: agent bot',
    'info: Rules: loaded by gate',
    'info: Sessions: created by ann',
    'critical: The audit log: restored',
    'error: Sink soc: dropped',
  ]);
});

it('keeps an agent that is named like a replacement pattern as it is', () => {
  expect(causeOf(denial({ agent: "$&$'" })).title).toBe("$&$' was denied: host-not-allowed");
});
