import { Agent, request as requestHttp } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BodyFacts } from '../../src/model/facts.ts';
import { decide } from '../../src/policy/decide.ts';
import { factsOfRequest } from '../../src/policy/request.ts';
import { BASIC, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

/** Something of everything the language has, close enough together that requests fall between. */
const RULES = `
    allow:
      - GET,HEAD http://api.test/x
      - GET,HEAD http://api.test/*/*/**
      - GET http://api.test/write/**
      - POST http://api.test/write/*/items
      - { scheme: http, host: api.test, methods: [GET], paths: [/search], query: { q: { max-length: 5 }, closed: true } }
      - { scheme: http, host: api.test, methods: [PUT], paths: [/typed/**], headers: { x-kind: { one-of: [a, b] } } }
      - { scheme: http, host: api.test, methods: [POST], paths: [/pay], body: { json: { /amount: { maximum: 100 }, "/to/*": { glob: "*@a.test" }, closed: true } } }
      - { scheme: http, host: api.test, methods: [POST], paths: [/form], body: { form: { a: { matches: "[0-9]+" }, b: { optional: true, equals: x } } } }
      - { scheme: http, host: api.test, paths: [/rpc], jsonrpc: { methods: [read, "list.*"] } }
      - { scheme: http, host: api.test, paths: [/graphql], graphql: { operations: [query], fields: [viewer.login], max-depth: 2 } }
      - { scheme: http, host: api.test, methods: [DELETE], paths: [/raw/**], paths-raw: true }
      - POST http://*.wild.test/x
    deny:
      - "* http://api.test/secret/**"
      - { scheme: http, host: api.test, query: { debug: "1" } }
      - { scheme: http, host: api.test, methods: [POST], body: { json: { /admin: true } } }
`;

let origin: Origin;
let gate: TestGate;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
beforeAll(async () => {
  origin = await startOrigin();
  const pins = ['api.test', 'a.wild.test', 'other.test'].map((host) => `${host}:80=127.0.0.1:${origin.port}`);
  gate = await startGate({ more: RULES, pins });
});
afterAll(async () => {
  agent.destroy();
  await gate.close();
  await origin.close();
});

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: string | null;
  readonly type: string;
}

const segment = fc.oneof(
  fc.constantFrom(
    'write',
    'items',
    'search',
    'typed',
    'secret',
    'raw',
    '..',
    '.',
    '',
    '%2e%2e',
    '%7Ea',
    '~a',
    '%2F',
    'a%00',
  ),
  fc.webSegment({ size: 'xsmall' }),
);
const path = fc.oneof(
  fc.constantFrom(
    '/search',
    '/pay',
    '/form',
    '/rpc',
    '/graphql',
    '/write/1/items',
    '/typed/x',
    '/x',
    '/secret/a',
    '/raw/a//b',
  ),
  fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
);
const query = fc.oneof(
  fc.constantFrom(
    '',
    '?',
    '?q=abc',
    '?q=abcdef',
    '?q=a&q=b',
    '?q=a&x=1',
    '?debug=1',
    '?debug=0',
    '?query=%7Bviewer%7Blogin%7D%7D',
    '?%zz=1',
  ),
  fc.webQueryParameters({ size: 'xsmall' }).map((text) => `?${text}`),
);
const json = fc.oneof(
  fc.constantFrom(
    '{"amount":1,"to":["x@a.test"]}',
    '{"amount":100.000000000000000001,"to":["x@a.test"]}',
    '{"amount":1,"to":["x@b.test"]}',
    '{"amount":1,"amount":2,"to":["x@a.test"]}',
    '{"amount":1,"to":["x@a.test"],"admin":true}',
    '{"admin":true}',
    '{"query":"{viewer{login}}"}',
    '{"query":"mutation{a}"}',
    '{"query":"{viewer{login{x}}}"}',
    '{"jsonrpc":"2.0","id":1,"method":"read"}',
    '{"jsonrpc":"2.0","id":1,"method":"list.all"}',
    '[{"jsonrpc":"2.0","id":1,"method":"read"},{"jsonrpc":"2.0","id":2,"method":"write"}]',
    '{"amount":',
    '',
  ),
  fc.json({ maxDepth: 2 }),
);
const asked: fc.Arbitrary<Asked> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH'),
    host: fc.constantFrom('api.test', 'api.test', 'api.test', 'api.test', 'a.wild.test', 'other.test', 'api.test:8080'),
    path,
    query,
    headers: fc.subarray([
      ['X-Kind', 'a'],
      ['x-kind', 'c'],
      ['X-Other', 'y'],
    ] as const),
    json,
    form: fc.constantFrom('a=1', 'a=1&b=x', 'a=x', 'a=1&a=2', 'b=x', 'a=1&b=y'),
    kind: fc.constantFrom('json', 'json', 'form', 'mislabelled', 'none'),
  })
  .map(({ method, host, path: where, query: what, headers, json: text, form, kind }) => ({
    method,
    url: `http://${host}${where}${what}`,
    headers,
    body:
      kind === 'none' || text === '' || method === 'GET' || method === 'HEAD' ? null : kind === 'form' ? form : text,
    type: kind === 'json' ? 'application/json' : kind === 'form' ? 'application/x-www-form-urlencoded' : 'text/plain',
  }));

interface Answer {
  readonly status: number;
  readonly reason: string | null;
  readonly text: string;
}

function ask({ method, url, headers, body, type }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fields = [
      ['Host', new URL(url).host],
      ['Proxy-Authorization', BASIC],
      ...headers,
      // Without a length the client would send an empty body in chunks.
      ...(body === null ? [] : [['Content-Type', type]]),
      ...(method === 'GET' || method === 'HEAD' ? [] : [['Content-Length', String(Buffer.byteLength(body ?? ''))]]),
    ].flat();
    const request = requestHttp(
      { host: '127.0.0.1', port: gate.port, agent, method, path: url, headers: fields },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('error', reject);
        response.on('end', () => {
          const reason = response.headers['sallyport-reason'];
          resolve({ status: response.statusCode ?? 0, reason: typeof reason === 'string' ? reason : null, text });
        });
      },
    );
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}

/** What `sallyport explain` says, in the words the gate would use. */
function explained({ method, url, headers, body, type }: Asked): {
  reason: string | null;
  detail: string;
  sent: string;
} {
  const facts: BodyFacts =
    body === null ? { kind: 'none' } : { kind: 'whole', bytes: Buffer.from(body), contentType: [type] };
  const fields = [...headers.flat(), ...(body === null ? [] : ['Content-Type', type])];
  const written = factsOfRequest({ agent: 'bot', method, url, headers: fields, body: facts });
  if (!written.ok) throw new Error(written.message);
  const decision = decide(written.value, gate.gate.snapshot().policy);
  const { path: judged, query: asks } = written.value;
  if (decision.kind === 'deny') return { reason: decision.reason, detail: decision.detail, sent: '' };
  const target = decision.obligations.rawPath ? judged.raw : (judged.canonical ?? '');
  return { reason: null, detail: '', sent: asks === null ? target : `${target}?${asks}` };
}

it('explain says what the gate does, and the path it judged is the path that is sent, on 10,000 random requests', async () => {
  const all = fc.sample(asked, { numRuns: 10_000, seed: 20_261_121 });
  const said = new Map<string, number>();
  for (let at = 0; at < all.length; at += 16) {
    const batch = all
      .slice(at, at + 16)
      .map((each, index) => ({ ...each, headers: [...each.headers, ['X-Number', String(at + index)] as const] }));
    const answers = await Promise.all(batch.map(ask));
    for (const [index, each] of batch.entries()) {
      const expected = explained(each);
      const answer = answers[index] as Answer;
      said.set(expected.reason ?? 'allow', (said.get(expected.reason ?? 'allow') ?? 0) + 1);
      const seen = origin.requests.find((request) => request.headers['x-number'] === String(at + index));
      const where = `${each.method} ${each.url} ${each.body ?? ''}`;
      expect([where, answer.reason, seen?.url]).toEqual([
        where,
        expected.reason,
        expected.reason === null ? expected.sent : undefined,
      ]);
      if (expected.reason !== null && each.method !== 'HEAD' && answer.status !== 200)
        expect([where, (JSON.parse(answer.text) as { detail: string }).detail]).toEqual([where, expected.detail]);
    }
    origin.requests.splice(0);
  }
  // A test in which everything is denied would show little.
  const reasons = [
    'allow',
    'path-not-allowed',
    'method-not-allowed',
    'query-not-allowed',
    'header-not-allowed',
    'body-not-allowed',
    'path-malformed',
    'host-not-allowed',
  ];
  for (const reason of reasons) expect([reason, (said.get(reason) ?? 0) > 20]).toEqual([reason, true]);
}, 120_000);
