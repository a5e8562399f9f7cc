import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutcomeEvent } from '../../../src/model/audit-event.ts';
import { canonicalPath } from '../../../src/model/path.ts';
import { decide } from '../../../src/policy/decide.ts';
import { draftText } from '../../../src/policy/draft-text.ts';
import { Learner, TooManyKinds, type LearnTerms } from '../../../src/policy/learn.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { factsOf } from '../../../src/policy/replay.ts';
import { botPolicy, loadFiles } from '../../support/policy.ts';

const EMPTY = botPolicy('    mode: observe\n');
const TERMS: LearnTerms = { agent: null, all: false, names: null, widenHosts: false };

function event(method: string, url: string, more: Partial<OutcomeEvent> = {}): OutcomeEvent {
  const { protocol, hostname, port, pathname } = new URL(url);
  const scheme = protocol === 'https:' || protocol === 'wss:' ? 'https' : 'http';
  return {
    address: null,
    agent: 'bot',
    bytes: { received: 0, sent: 0 },
    decision: 'would-deny',
    reason: 'host-not-allowed',
    exchange: 'x',
    host: hostname.replaceAll(/[[\]]/g, ''),
    inspected: true,
    kind: 'outcome',
    method,
    microseconds: 1,
    mode: 'observe',
    outcome: 'delivered',
    path: pathname,
    policy: 'p',
    port: port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
    scheme,
    source: '127.0.0.1',
    status: 200,
    time: '2026-11-20T09:12:00.000Z',
    ...(protocol.startsWith('ws') ? { websocket: true as const } : {}),
    ...more,
  };
}

function learn(events: readonly OutcomeEvent[], terms: Partial<LearnTerms> = {}, policy: Policy = EMPTY): Learner {
  const learner = new Learner(policy, { ...TERMS, ...terms });
  for (const each of events) learner.add(each);
  return learner;
}

function textOf(learner: Learner): string {
  const names = new Map(learner.drafts().map(({ agent }) => [agent, `${agent}.learned`]));
  return draftText(learner.drafts(), { names, leftOut: learner.leftOut });
}

/** Endpoints of a draft, without its comments. */
function endpoints(events: readonly OutcomeEvent[], terms: Partial<LearnTerms> = {}, policy: Policy = EMPTY): string[] {
  return [...textOf(learn(events, terms, policy)).matchAll(/^ {6}- (.*)$/gm)].map((match) => match[1] ?? '');
}

/** The draft in force for agent bot. */
function inForce(draft: string): Policy {
  const { policy, problems } = loadFiles({
    'a.yaml': `version: 1\nagents:\n  bot: { identity: { token: "sha256:${'a'.repeat(64)}" }, capabilities: [bot.learned] }\n`,
    'draft.yaml': draft,
  });
  expect(problems).toEqual([]);
  return policy as Policy;
}

describe('Learner', () => {
  it('drafts the smallest rules: methods of one path in one line, identifiers as a star where they varied', () => {
    expect(
      endpoints([
        event('GET', 'https://api.test/v1/issues/1'),
        event('GET', 'https://api.test/v1/issues/2'),
        event('POST', 'https://api.test/v1/issues/7/comments'),
        event('GET', 'https://api.test/v1/issues'),
        event('POST', 'https://api.test/v1/issues'),
        event('GET', 'http://10.0.0.1:8080/health'),
      ]),
    ).toEqual([
      'GET http://10.0.0.1:8080/health',
      'GET,POST https://api.test/v1/issues',
      'GET https://api.test/v1/issues/*',
      'POST https://api.test/v1/issues/7/comments',
    ]);
  });

  it('never widens a host unless asked, and then to no more than one owner', () => {
    const events = ['a.api.test', 'b.api.test', 'one.github.io', 'two.github.io', 'x.co.uk', 'y.co.uk'].map((host) =>
      event('GET', `https://${host}/`),
    );
    expect(endpoints(events).length).toBe(6);
    expect(endpoints(events, { widenHosts: true })).toEqual([
      'GET https://*.api.test/',
      'GET https://one.github.io/',
      'GET https://two.github.io/',
      'GET https://x.co.uk/',
      'GET https://y.co.uk/',
    ]);
  });

  it('merges names where it is asked to, says so, and offers it where it is not', () => {
    const events = ['left-pad', 'is-number', 'zod'].map((name) => event('GET', `https://registry.test/${name}`));
    expect(endpoints(events).length).toBe(3);
    expect(endpoints(events, { names: 4 }).length).toBe(3);
    expect(endpoints(events, { names: 3 })).toEqual(['GET https://registry.test/*']);
    expect(textOf(learn(events, { names: 3 }))).toContain('# *: 3 names, left-pad, is-number, zod\n');
    expect(learn(events).drafts()[0]?.spared).toBe(0);
    const many = Array.from({ length: 12 }, (_, index) =>
      event('GET', `https://registry.test/${'abcdefghijkl'[index]}x`),
    );
    expect(learn(many).drafts()[0]?.spared).toBe(11);
  });

  it('says how often and when each rule was used, and what its stars stood for', () => {
    const text = textOf(
      learn([
        event('GET', 'https://api.test/users/3/keys'),
        event('GET', 'https://api.test/users/1/keys', { time: '2026-11-19T08:00:30.000Z' }),
        event('HEAD', 'https://api.test/users/2/keys', { time: '2026-11-21T17:40:00.000Z' }),
        event('HEAD', 'https://api.test/users/3/keys', { time: '2026-11-21T17:41:00.000Z' }),
      ]),
    );
    expect(text).toContain(
      [
        '  # 4 requests, 2026-11-19 08:00Z to 2026-11-21 17:41Z. To grant it, add "bot.learned" to the capabilities of bot.',
        '  bot.learned:',
        '    description: What bot did from 2026-11-19 to 2026-11-21',
        '    endpoints:',
        '      # 4 requests, 2026-11-19 08:00Z to 2026-11-21 17:41Z (GET 2, HEAD 2)',
        '      # *: 3 identifiers, 3, 1, 2',
        '      - GET,HEAD https://api.test/users/*/keys',
        '',
      ].join('\n'),
    );
  });

  it('writes WebSockets in the long form, together with what else was asked of the path', () => {
    expect(
      endpoints([
        event('GET', 'wss://api.test:8443/feed/1'),
        event('GET', 'wss://api.test:8443/feed/2'),
        event('GET', 'https://api.test:8443/feed/3'),
        event('GET', 'https://api.test:8443/feed/4'),
        event('GET', 'ws://[::1]/x'),
      ]),
    ).toEqual([
      '{ scheme: http, host: "::1", methods: [GET], paths: ["/x"], websocket: {} }',
      '{ host: "api.test", port: 8443, methods: [GET], paths: ["/feed/*"], websocket: {} }',
    ]);
  });

  it('leaves out what no endpoint decides, and says how much of it', () => {
    const learner = learn([
      event('GET', 'https://a.test/', { decision: 'deny', reason: 'address-forbidden', mode: 'observe' }),
      event('GET', 'https://a.test/', { decision: 'deny', reason: 'address-forbidden', mode: 'observe' }),
      event('GET', 'https://a.test/', { reason: 'decision-point-denied' }),
      event('CONNECT', 'https://a.test/'),
      event('GET', 'https://a.test/', { path: '/a/../b' }),
      event('GET', 'https://a.test/', { agent: null }),
    ]);
    expect(learner.drafts()).toEqual([]);
    expect([...learner.leftOut]).toEqual([
      ['refused: address-forbidden', 2],
      ['no endpoint would have allowed it: decision-point-denied', 1],
      ['tunnels that passed unread', 1],
      ['paths with more than one reading', 1],
    ]);
  });

  it('leaves out what the rules of today allow, deny, or ask more for; all of it on request but denials', () => {
    const policy = botPolicy(
      '    mode: observe\n    allow: ["GET https://a.test/open/**", { host: a.test, paths: [/q], query: { x: "1" } }]\n    deny: ["* https://a.test/secret/**"]\n',
    );
    const events = [
      event('GET', 'https://a.test/open/1'),
      event('GET', 'https://a.test/q', { decision: 'allow', reason: undefined } as unknown as Partial<OutcomeEvent>),
      event('GET', 'https://a.test/q', { reason: 'query-not-allowed' }),
      event('GET', 'https://a.test/secret/1', { reason: 'path-not-allowed' }),
      event('GET', 'https://a.test/new', { reason: 'path-not-allowed' }),
    ];
    expect(endpoints(events, {}, policy)).toEqual(['GET https://a.test/new']);
    expect([...learn(events, {}, policy).leftOut]).toEqual([
      ['allowed already', 2],
      ['no endpoint would have allowed it: query-not-allowed', 1],
      ['a deny rule refuses it', 1],
    ]);
    expect(endpoints(events, { all: true }, policy)).toEqual([
      'GET https://a.test/new',
      'GET https://a.test/open/1',
      'GET https://a.test/q',
      'GET https://a.test/secret/1',
    ]);
  });

  it('keeps agents apart, and to one where one is named', () => {
    const events = [event('GET', 'https://a.test/'), event('GET', 'https://b.test/', { agent: 'other' })];
    expect(
      learn(events)
        .drafts()
        .map(({ agent }) => agent),
    ).toEqual(['bot', 'other']);
    expect(endpoints(events, { agent: 'other' })).toEqual(['GET https://b.test/']);
  });

  it('gives up on a log that is all different, rather than fill the memory', () => {
    const learner = new Learner(EMPTY, TERMS);
    const word = (index: number): string => [...String(index)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
    expect(() => {
      for (let i = 0; i < 60_000; i++) learner.add(event('GET', `https://a.test/${word(i)}`));
    }).toThrow(TooManyKinds);
  });

  it('quotes what YAML would read as something else', () => {
    expect(endpoints([event('GET', 'https://a.test/x:'), event('GET', "https://a.test/a,b'(c)!$&;")])).toEqual([
      `"GET https://a.test/a,b'(c)!$&;"`,
      '"GET https://a.test/x:"',
    ]);
    inForce(textOf(learn([event('GET', 'https://a.test/x:'), event('GET', "https://a.test/a,b'(c)!$&;#x")])));
  });
});

const secret = fc
  .string({
    unit: fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789'),
    minLength: 32,
    maxLength: 64,
  })
  .filter((text) => (text.match(/\d/g) ?? []).length > 3 && /[a-z]/.test(text) && /[A-Z]/.test(text));
const segment = fc.oneof(
  fc.constantFrom('users', 'v1', 'a*b', '**', '*', 'x:', "it's", '%20', '-', 'report-2024.pdf', 'true', 'null', ''),
  fc.nat(999).map(String),
  fc.webSegment(),
);
const url = fc
  .tuple(
    fc.constantFrom('api.test', 'b.api.test', 'other.test', '[::1]'),
    fc.constantFrom('', ':8443'),
    fc.array(segment, { maxLength: 4 }),
  )
  .map(([host, port, segments]) => `https://${host}${port}/${segments.join('/')}`);

describe('a draft', () => {
  it('allows every request it was made from, passes check --strict, and reaches no other host', () => {
    const events = fc.array(fc.tuple(fc.constantFrom('GET', 'POST', 'PUT'), url), { minLength: 1, maxLength: 30 });
    const terms = fc.record({ names: fc.constantFrom(null, 2, 5), widenHosts: fc.boolean() });
    fc.assert(
      fc.property(events, terms, (asked, options) => {
        const seen = asked
          .map(([method, each]) => event(method, each))
          .filter((each) => canonicalPath(each.path ?? '').canonical !== null);
        const learner = learn(seen, options);
        if (learner.drafts().length === 0) return;
        const policy = inForce(textOf(learner));
        for (const each of seen) {
          const facts = factsOf(each);
          expect([each.path, facts === null ? null : decide(facts, policy).kind]).toEqual([each.path, 'allow']);
        }
        const elsewhere = factsOf(event('GET', 'https://elsewhere.test/users'));
        expect(elsewhere === null ? null : decide(elsewhere, policy)).toMatchObject({ reason: 'host-not-allowed' });
      }),
      { numRuns: 200 },
    );
  });

  it('never holds what may be a secret', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom('hooks', 'bot', 'services'), (value, word) => {
        const text = textOf(
          learn([
            event('POST', `https://api.test/${word}/${value}`),
            event('POST', `https://api.test/${word}/${value}.json`),
          ]),
        );
        expect(text).not.toContain(value);
        expect(text).toContain('may be a secret, and is not shown');
      }),
    );
  });
});
