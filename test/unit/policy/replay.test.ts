import { describe, expect, it } from 'vitest';
import type { OutcomeEvent } from '../../../src/model/audit-event.ts';
import { ReplayTally, replay } from '../../../src/policy/replay.ts';
import { botPolicy } from '../../support/policy.ts';

const event = (more: Partial<OutcomeEvent> = {}): OutcomeEvent => ({
  address: '8.8.8.8',
  agent: 'bot',
  bytes: { received: 0, sent: 0 },
  decision: 'allow',
  exchange: 'x',
  host: 'a.test',
  inspected: true,
  kind: 'outcome',
  method: 'GET',
  microseconds: 1,
  outcome: 'delivered',
  path: '/ok',
  policy: 'p',
  port: 443,
  scheme: 'https',
  source: '10.0.0.1',
  status: 200,
  time: '2026-01-01T00:00:00.000Z',
  ...more,
});
const policy = botPolicy(`    allow:
      - GET https://a.test/ok
      - GET https://[2001:db8::1]/ok
      - { host: a.test, methods: [GET], paths: [/search], query: { q: x } }
      - { host: a.test, methods: [POST], paths: [/mail], body: { json: { /a: 1 } } }
      - { host: a.test, paths: [/ws], websocket: {} }
    deny: ["* https://a.test/private/**"]
`);

describe('replay()', () => {
  it.each([
    'rate-exceeded',
    'budget-exhausted',
    'store-unavailable',
    'decision-point-denied',
    'halted',
    'session-expired',
  ])('leaves out what others than rules decided: %s', (reason) => {
    expect(replay(event({ decision: 'deny', reason }), policy)).toBeNull();
  });

  it.each<[string, Partial<OutcomeEvent>, string, string]>([
    ['what is still allowed', {}, 'allow', ''],
    ['what is denied now', { path: '/gone' }, 'deny', 'path-not-allowed'],
    ['what a deny refuses', { path: '/private/x' }, 'deny', 'path-not-allowed'],
    ['what is allowed now', { decision: 'deny', reason: 'method-not-allowed' }, 'allow', 'method-not-allowed'],
    ['an address', { host: '2001:db8::1' }, 'allow', ''],
    ['an agent that is gone', { agent: 'gone' }, 'deny', 'agent-unknown'],
    ['a WebSocket', { path: '/ws', websocket: true }, 'allow', ''],
    ['a WebSocket where none may be', { path: '/ok', websocket: true }, 'deny', 'method-not-allowed'],
    ['a rule that reads a query', { path: '/search', query: [{ name: 'q', length: 1 }] }, 'unknown', ''],
    ['a rule that reads a body', { path: '/mail', method: 'POST' }, 'unknown', ''],
    [
      'a session that may have held less',
      { session: 's', decision: 'deny', reason: 'path-not-allowed' },
      'unknown',
      'path-not-allowed',
    ],
    ['a session that was allowed', { session: 's' }, 'allow', ''],
    ['another method of such a rule', { path: '/mail' }, 'deny', 'method-not-allowed'],
  ])('of %s', (_name, more, after, reason) => {
    expect(replay(event(more), policy)).toMatchObject({ after, reason });
  });

  it.each<[string, Partial<OutcomeEvent>]>([
    ['of nobody', { agent: null }],
    ['that were malformed', { decision: 'deny', reason: 'request-malformed' }],
    ['to an address out of reach', { decision: 'deny', reason: 'address-forbidden' }],
  ])('is not for requests %s', (_name, more) => {
    expect(replay(event(more), policy)).toBeNull();
  });

  it('in observe mode would deny', () => {
    const observed = botPolicy('    mode: observe\n    allow: [GET https://b.test/]\n');
    expect(replay(event(), observed)).toMatchObject({
      before: 'allow',
      after: 'would-deny',
      reason: 'host-not-allowed',
    });
  });
});

describe('ReplayTally', () => {
  it('counts what changes alike, most frequent first', () => {
    const tally = new ReplayTally();
    for (const more of [
      {},
      { path: '/gone' },
      { path: '/gone/too' },
      { decision: 'deny', reason: 'path-not-allowed' } as const,
      { agent: null },
      { path: '/search' },
    ]) {
      const each = event(more);
      tally.add(each, replay(each, policy));
    }
    expect([tally.replayed, tally.skipped, tally.unknown]).toEqual([5, 1, 1]);
    expect(tally.changes()).toMatchObject([
      { count: 2, before: 'allow', after: 'deny', example: 'GET https://a.test:443/gone' },
      { count: 1, before: 'deny', after: 'allow' },
    ]);
  });
});
