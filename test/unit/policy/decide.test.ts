import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { decide, decideConnection } from '../../../src/policy/decide.ts';
import { rulesFile } from '../../../src/policy/schema.ts';
import { HASH, botPolicy, loadFiles, request, wholeBody } from '../../support/policy.ts';

/** Sentence → rules, request, verdict (`allow`, or the reason). */
const CASES: Record<string, { allow?: string[]; deny?: string[]; ask: [string, string]; says: string }> = {
  'allows what is listed': { allow: ['GET https://a.test/x'], ask: ['GET', 'https://a.test/x'], says: 'allow' },
  'denies an unlisted host': {
    allow: ['GET https://a.test/x'],
    ask: ['GET', 'https://b.test/x'],
    says: 'host-not-allowed',
  },
  'denies a subdomain of an exact host': {
    allow: ['GET https://a.test/**'],
    ask: ['GET', 'https://x.a.test/'],
    says: 'host-not-allowed',
  },
  'denies the apex of a wildcard': {
    allow: ['GET https://*.a.test/**'],
    ask: ['GET', 'https://a.test/'],
    says: 'host-not-allowed',
  },
  'allows one label under *.': { allow: ['GET https://*.a.test/**'], ask: ['GET', 'https://x.a.test/'], says: 'allow' },
  'denies two labels under *.': {
    allow: ['GET https://*.a.test/**'],
    ask: ['GET', 'https://y.x.a.test/'],
    says: 'host-not-allowed',
  },
  'allows two labels under **.': {
    allow: ['GET https://**.a.test/**'],
    ask: ['GET', 'https://y.x.a.test/'],
    says: 'allow',
  },
  'denies the apex of **.': {
    allow: ['GET https://**.a.test/**'],
    ask: ['GET', 'https://a.test/'],
    says: 'host-not-allowed',
  },
  'denies a name that merely ends alike': {
    allow: ['GET https://**.a.test/**'],
    ask: ['GET', 'https://evila.test/'],
    says: 'host-not-allowed',
  },
  'denies an address to **': {
    allow: ['GET https://**/**'],
    ask: ['GET', 'https://8.8.8.8/'],
    says: 'host-not-allowed',
  },
  'allows any name to **': { allow: ['GET https://**/**'], ask: ['GET', 'https://b.test/'], says: 'allow' },
  'denies another port': {
    allow: ['GET https://a.test/**'],
    ask: ['GET', 'https://a.test:8443/'],
    says: 'host-not-allowed',
  },
  'allows a written port': {
    allow: ['GET https://a.test:8443/**'],
    ask: ['GET', 'https://a.test:8443/'],
    says: 'allow',
  },
  'denies another scheme': {
    allow: ['GET https://a.test/**'],
    ask: ['GET', 'http://a.test:443/'],
    says: 'host-not-allowed',
  },
  'denies another method': {
    allow: ['GET https://a.test/x'],
    ask: ['POST', 'https://a.test/x'],
    says: 'method-not-allowed',
  },
  'denies HEAD where only GET is listed': {
    allow: ['GET https://a.test/x'],
    ask: ['HEAD', 'https://a.test/x'],
    says: 'method-not-allowed',
  },
  'denies another path': {
    allow: ['GET https://a.test/x'],
    ask: ['GET', 'https://a.test/y'],
    says: 'path-not-allowed',
  },
  'denies a longer path': {
    allow: ['GET https://a.test/x'],
    ask: ['GET', 'https://a.test/x/y'],
    says: 'path-not-allowed',
  },
  'denies a trailing slash that is not listed': {
    allow: ['GET https://a.test/x'],
    ask: ['GET', 'https://a.test/x/'],
    says: 'path-not-allowed',
  },
  'allows one segment for *': {
    allow: ['GET https://a.test/r/*/i'],
    ask: ['GET', 'https://a.test/r/abc/i'],
    says: 'allow',
  },
  'denies two segments for *': {
    allow: ['GET https://a.test/r/*/i'],
    ask: ['GET', 'https://a.test/r/a/b/i'],
    says: 'path-not-allowed',
  },
  'denies an empty segment for *': {
    allow: ['GET https://a.test/r/*'],
    ask: ['GET', 'https://a.test/r/'],
    says: 'path-not-allowed',
  },
  'allows part of a segment for *': {
    allow: ['GET https://a.test/m/*:run'],
    ask: ['GET', 'https://a.test/m/x-1:run'],
    says: 'allow',
  },
  'allows any number of segments for **': {
    allow: ['GET https://a.test/a/**/z'],
    ask: ['GET', 'https://a.test/a/b/c/z'],
    says: 'allow',
  },
  'allows no segment for **': {
    allow: ['GET https://a.test/a/**/z'],
    ask: ['GET', 'https://a.test/a/z'],
    says: 'allow',
  },
  'denies what a deny names, whatever allows it': {
    allow: ['* https://a.test/**'],
    deny: ['* https://a.test/s/**'],
    ask: ['GET', 'https://a.test/s/x'],
    says: 'path-not-allowed',
  },
  'denies a malformed path': {
    allow: ['* https://a.test/**'],
    ask: ['GET', 'https://a.test/a/../b'],
    says: 'path-malformed',
  },
  'matches the canonical path': {
    allow: ['GET https://a.test/abc'],
    ask: ['GET', 'https://a.test/%61bc'],
    says: 'allow',
  },
  'is sensitive to the case of paths': {
    allow: ['GET https://a.test/abc'],
    ask: ['GET', 'https://a.test/ABC'],
    says: 'path-not-allowed',
  },
};

describe('decide()', () => {
  for (const [sentence, { allow = [], deny = [], ask, says }] of Object.entries(CASES)) {
    it(sentence, () => {
      const list = (key: string, items: string[]): string =>
        items.length === 0 ? '' : `    ${key}:\n${items.map((item) => `      - "${item}"\n`).join('')}`;
      const decision = decide(request(...ask), botPolicy(list('allow', allow) + list('deny', deny)));
      expect(decision.kind === 'allow' ? 'allow' : decision.reason).toBe(says);
    });
  }

  it('denies an agent that does not exist', () => {
    expect(decide({ ...request('GET', 'https://a.test/'), agent: 'nobody' }, botPolicy(''))).toMatchObject({
      kind: 'deny',
      reason: 'agent-unknown',
      mode: 'enforce',
    });
  });

  it('lets the most specific rule decide, wherever it stands', () => {
    const policy = botPolicy(
      '    capabilities: [wide, narrow, named]\n',
      'capabilities:\n  wide: { endpoints: ["* https://*.a.test/**"] }\n  narrow: { endpoints: ["* https://x.a.test/v1/items/**"] }\n  named: { endpoints: ["GET https://x.a.test/v1/items/**"] }\n',
    );
    const owner = (method: string, url: string): string | null => {
      const decision = decide(request(method, url), policy);
      return decision.kind === 'allow' ? decision.obligations.capability : null;
    };
    expect([
      owner('GET', 'https://x.a.test/v1/items/1'),
      owner('POST', 'https://x.a.test/v1/items/1'),
      owner('GET', 'https://x.a.test/other'),
    ]).toEqual(['named', 'narrow', 'wide']);
  });

  it('holds query and header predicates', () => {
    const policy = botPolicy(
      '    allow:\n      - host: a.test\n        methods: [GET]\n        query: { closed: true, q: { glob: "ab*" }, n: { type: integer, maximum: 9, optional: true } }\n        headers: { X-Env: { one-of: [dev, test] }, X-Bad: { absent: true } }\n',
    );
    const verdict = (url: string, headers: string[]): string => {
      const decision = decide(request('GET', url, headers), policy);
      return decision.kind === 'allow' ? 'allow' : decision.reason;
    };
    const env = ['x-env', 'dev'];
    expect(verdict('https://a.test/?q=abc', env)).toBe('allow');
    expect(verdict('https://a.test/?q=abc&n=9', env)).toBe('allow');
    expect(verdict('https://a.test/?q=abc&n=10', env)).toBe('query-not-allowed');
    expect(verdict('https://a.test/?q=abc&q=zz', env)).toBe('query-not-allowed');
    expect(verdict('https://a.test/?q=abc&x=1', env)).toBe('query-not-allowed');
    expect(verdict('https://a.test/', env)).toBe('query-not-allowed');
    expect(verdict('https://a.test/?q=ab%zz', env)).toBe('query-not-allowed');
    expect(verdict('https://a.test/?q=abc', [])).toBe('header-not-allowed');
    expect(verdict('https://a.test/?q=abc', [...env, 'X-BAD', '1'])).toBe('header-not-allowed');
  });

  it('a deny with predicates cannot be slipped past', () => {
    const policy = botPolicy(
      '    allow: ["* https://a.test/**"]\n    deny:\n      - { host: a.test, query: { closed: true, op: delete } }\n      - { host: a.test, headers: { X-Admin: "1" } }\n      - { host: a.test, paths: [/admin/**], paths-raw: true }\n',
    );
    const verdict = (url: string, headers: string[] = []): string => decide(request('GET', url, headers), policy).kind;
    expect(verdict('https://a.test/?op=read')).toBe('allow');
    expect(verdict('https://a.test/?op=delete')).toBe('deny');
    expect(verdict('https://a.test/?op=delete&op=read')).toBe('deny');
    expect(verdict('https://a.test/?op=read&op=delete')).toBe('deny');
    expect(verdict('https://a.test/?op=delete&x=1')).toBe('deny');
    expect(verdict('https://a.test/?op=delete&x=%zz')).toBe('deny');
    expect(verdict('https://a.test/x', ['x-admin', '1', 'X-Admin', '0'])).toBe('deny');
    expect(verdict('https://a.test/%61dmin/x')).toBe('deny');
  });

  it('lets paths-raw through where no deny could be meant', () => {
    const lines = '    allow:\n      - { host: a.test, paths: ["/raw/**"], paths-raw: true }\n';
    const ask = request('GET', 'https://a.test/raw/a%2Fb');
    expect(decide(ask, botPolicy(lines))).toMatchObject({ kind: 'allow', obligations: { rawPath: true } });
    expect(decide(ask, botPolicy(`${lines}    deny: ["* https://a.test/raw/a/**"]\n`))).toMatchObject({
      kind: 'deny',
      reason: 'path-malformed',
    });
  });

  it('takes the mode of the capability that came nearest', () => {
    const policy = botPolicy(
      '    mode: observe\n    capabilities: [c]\n',
      'capabilities:\n  c: { mode: enforce, endpoints: ["GET https://a.test/x"] }\n',
    );
    expect(decide(request('GET', 'https://a.test/y'), policy)).toMatchObject({ mode: 'enforce', capability: 'c' });
    expect(decide(request('GET', 'https://b.test/y'), policy)).toMatchObject({ mode: 'observe', capability: null });
  });

  it('offers a remedy that allows exactly the request', () => {
    const ask = request('POST', 'https://b.test:8443/a/b');
    const denied = decide(ask, botPolicy(''));
    if (denied.kind !== 'deny') throw new Error('not denied');
    const { policy } = loadFiles({
      'a.yaml': `version: 1\n${denied.remedy.replace('    allow:', `    identity: { token: "sha256:${HASH}" }\n    allow:`)}`,
    });
    if (policy === null) throw new Error('the remedy does not load');
    expect(decide(ask, policy).kind).toBe('allow');
    expect(decide(request('POST', 'https://b.test:8443/a/c'), policy).kind).toBe('deny');
  });
});

const HOSTS = ['a.test', 'x.a.test', 'b.test'];
const PATHS = ['/', '/v1', '/v1/items', '/v1/items/1', '/v2/x'];
const short = fc
  .record({
    method: fc.constantFrom('*', 'GET', 'POST', 'GET,PUT'),
    host: fc.constantFrom(...HOSTS, '*.a.test', '**.test'),
    path: fc.constantFrom(...PATHS, '/**', '/v1/**', '/*/items/*'),
  })
  .map(({ method, host, path }) => `${method} https://${host}${path}`);
/** A rule that reads bodies, on the same hosts and paths. */
const judging = fc
  .record({
    host: fc.constantFrom(...HOSTS, '*.a.test'),
    path: fc.constantFrom(...PATHS, '/v1/**'),
    name: fc.constantFrom('/a', '/b'),
    value: fc.constantFrom(1, 2),
  })
  .map(({ host, path, name, value }) => ({ host, paths: [path], body: { json: { [name]: value } } }));
const rule = fc.oneof(short, judging);
const rules = fc.uniqueArray(rule, { maxLength: 6, selector: (each) => JSON.stringify(each) });
const BODIES = [
  { kind: 'none' } as const,
  wholeBody('{"a":1}'),
  wholeBody('{"a":2,"b":1}'),
  wholeBody('{"a":1,"a":2}'),
  wholeBody('a', 'text/plain'),
  { kind: 'too-large', limit: 1 } as const,
];
const ask = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    host: fc.constantFrom(...HOSTS, 'z.test'),
    path: fc.constantFrom(...PATHS),
    body: fc.constantFrom(...BODIES),
  })
  .map(({ method, host, path, body }) => request(method, `https://${host}${path}`, [], body));
type Written = string | object;
const policyOf = (allow: readonly Written[], deny: readonly Written[]): ReturnType<typeof loadFiles>['policy'] => {
  const list = (items: readonly Written[]): string => JSON.stringify(items);
  return loadFiles({
    'a.yaml': `version: 1\nagents:\n  bot:\n    identity: { token: "sha256:${HASH}" }\n    allow: ${list(allow)}\n    deny: ${list(deny)}\n`,
  }).policy;
};

describe('properties of decide()', () => {
  it('the order of rules never changes a decision', () => {
    fc.assert(
      fc.property(rules, rules, ask, fc.func(fc.integer()), (allow, deny, facts, key) => {
        const shuffled = [...allow].sort((a, b) => key(JSON.stringify(a)) - key(JSON.stringify(b)));
        const one = policyOf(allow, deny);
        const two = policyOf(shuffled, [...deny].reverse());
        expect(two === null).toBe(one === null);
        if (one === null || two === null) return;
        const text = (decision: ReturnType<typeof decide>): unknown =>
          decision.kind === 'allow' ? decision.rule.text : decision.reason;
        expect(text(decide(facts, two))).toEqual(text(decide(facts, one)));
      }),
      { numRuns: 200 },
    );
  });

  it('adding a deny never allows', () => {
    fc.assert(
      fc.property(rules, rules, rule, ask, (allow, deny, more, facts) => {
        const before = policyOf(allow, deny);
        const after = policyOf(allow, deny.some((each) => isDeepStrictEqual(each, more)) ? deny : [...deny, more]);
        if (before === null || after === null || decide(facts, before).kind === 'allow') return;
        expect(decide(facts, after).kind).toBe('deny');
      }),
      { numRuns: 200 },
    );
  });

  it('what a connection is refused, no request on it is allowed', () => {
    fc.assert(
      fc.property(rules, rules, ask, (allow, deny, facts) => {
        const policy = policyOf(allow, deny);
        if (policy === null || decideConnection('bot', facts.target, policy).kind === 'allow') return;
        expect(decide(facts, policy).kind).toBe('deny');
      }),
      { numRuns: 200 },
    );
  });
});

describe('a policy', () => {
  it('printed and read again decides the same', () => {
    fc.assert(
      fc.property(rules, rules, ask, (allow, deny, facts) => {
        const one = policyOf(allow, deny);
        const agents = { bot: { identity: { token: `sha256:${HASH}` }, allow, deny } };
        const printed = stringify(rulesFile.parse({ version: 1, agents }));
        const two = loadFiles({ 'a.yaml': printed }).policy;
        expect(two === null).toBe(one === null);
        if (one === null || two === null) return;
        const said = (decision: ReturnType<typeof decide>): unknown =>
          decision.kind === 'allow' ? decision.rule.text : [decision.reason, decision.detail];
        expect(said(decide(facts, two))).toEqual(said(decide(facts, one)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('a WebSocket', () => {
  const policy = botPolicy(
    '    allow:\n      - GET https://a.test/plain\n      - { host: a.test, methods: [GET], paths: [/ws], websocket: {} }\n    deny: ["GET https://a.test/ws/no", "GET https://b.test/**"]\n',
  );
  it('needs a rule that says so; a rule that allows GET is none', () => {
    expect(decide(request('GET', 'wss://a.test/ws'), policy)).toMatchObject({
      kind: 'allow',
      obligations: { websocket: { messages: null, max: 1024 * 1024 } },
    });
    expect(decide(request('GET', 'wss://a.test/plain'), policy)).toMatchObject({
      kind: 'deny',
      reason: 'method-not-allowed',
      detail: 'a WebSocket is not allowed on a.test/plain',
      remedy: expect.stringContaining('websocket: {}') as string,
    });
    expect(decide(request('GET', 'https://a.test/ws'), policy).kind).toBe('allow');
  });
  it('is denied by a rule that denies its method', () => {
    expect(decide(request('GET', 'wss://a.test/ws/no'), policy)).toMatchObject({ reason: 'path-not-allowed' });
  });
});

describe('decideConnection()', () => {
  it('admits a host when some request on it might be allowed', () => {
    const policy = botPolicy(
      '    allow: ["GET https://a.test/x", "* tcp://mail.test:25"]\n    deny: ["* https://no.test/**"]\n',
    );
    const says = (url: string): string => {
      const decision = decideConnection('bot', request('GET', url).target, policy);
      return decision.kind === 'allow' ? (decision.obligations.opaque ? 'opaque' : 'allow') : decision.reason;
    };
    expect([
      says('https://a.test/'),
      says('https://a.test:8443/'),
      says('https://mail.test:25/'),
      says('https://no.test/'),
    ]).toEqual(['allow', 'host-not-allowed', 'opaque', 'host-not-allowed']);
  });

  it('lets TLS pass only where nothing on the host needs to be read to be judged', () => {
    const passes = (lines: string): boolean | null => {
      const decision = decideConnection('bot', request('GET', 'https://a.test/').target, botPolicy(lines));
      return decision.kind === 'allow' ? decision.obligations.passThrough : null;
    };
    const pinned = '    allow:\n      - { host: a.test, intercept: false }\n';
    expect(passes(pinned)).toBe(true);
    expect(passes(`${pinned}      - GET https://a.test/x\n`)).toBe(false);
    expect(passes(`${pinned}    deny: ["* https://a.test/x"]\n`)).toBe(false);
    expect(passes(`${pinned}    deny: ["* https://**.b.test/x"]\n`)).toBe(true);
    expect(passes('    allow: ["GET https://a.test/x"]\n')).toBe(false);
  });
});
