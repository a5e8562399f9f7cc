import type { ClientHttp2Session } from 'node:http2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OutcomeEvent } from '../../src/model/audit-event.ts';
import { TestCa } from '../support/certificates.ts';
import { answered, openTls } from '../support/client.ts';
import { startGate, type TestGate } from '../support/gate.ts';
import { askHttp2, openSession } from '../support/http2-client.ts';
import { startOrigin, type SeenRequest } from '../support/origin.ts';
import { until } from '../support/until.ts';

/** The same requests over each pair of protocols: what is decided, told and recorded must not depend on the pair. */
const RULES = `
    allow:
      - GET,HEAD https://api.test/read/**
      - POST,PUT https://api.test/write/*/items
      - { host: api.test, methods: [GET], paths: [/search], query: { q: { max-length: 5 }, closed: true } }
      - { host: api.test, methods: [GET], paths: [/typed], headers: { x-kind: { one-of: [a, b] } } }
    deny:
      - "* https://api.test/read/secret/**"
`;

interface Question {
  readonly method: string;
  readonly path: string;
  readonly fields: ReadonlyArray<readonly [string, string]>;
  readonly body: string | null;
}

/** Two hundred questions from a fixed seed. */
function questions(): Question[] {
  let seed = 20_261_121;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const paths = [
    '/read/a',
    '/read/a%7eb',
    '/read/%2e%2e/x',
    '/read/a%2fb',
    '/read//a',
    '/read/secret/x',
    '/read/%73ecret/x',
    '/write/1/items',
    '/write/1/other',
    '/search?q=abc',
    '/search?q=abcdef',
    '/search?q=a&q=b',
    '/search?z=1',
    '/typed',
    '/none',
    '/read/a?x=1&y=%20z&flag',
  ];
  return Array.from({ length: 200 }, () => {
    const method = pick(['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
    const fields: Array<readonly [string, string]> = [['accept', '*/*']];
    if (random(3) === 0) fields.push(['x-kind', pick(['a', 'b', 'c'])]);
    if (random(4) === 0) fields.push(['cookie', 'one=1; two=2']);
    if (random(4) === 0) fields.push(['x-latin', 'caf\u00e9']);
    const body = ['POST', 'PUT', 'PATCH'].includes(method) ? 'x'.repeat(pick([0, 1, 500, 70_000])) : null;
    return { method, path: pick(paths), fields, body };
  });
}

interface Seen {
  readonly status: number;
  readonly reason: string | null;
  readonly problem: unknown;
  readonly body: string | null;
  readonly upstream: unknown;
  readonly record: unknown;
}

let ca: TestCa;
const open: Array<() => Promise<void>> = [];
beforeAll(async () => void (ca = await TestCa.create()));
afterAll(async () => {
  for (const close of open) await close();
});

/** What was seen of each question by an agent of one protocol with an upstream of another. */
async function run(agent: 'h1' | 'h2', upstream: 'h1' | 'h2'): Promise<Seen[]> {
  const origin = await startOrigin({
    tls: await ca.leaf(['api.test']),
    ...(upstream === 'h2' ? { protocols: 'h2' as const } : {}),
    answer: (request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.setHeader('X-Latin', 'caf\u00e9');
      const body = Buffer.from(`${request.method} ${request.url} ${request.body.length}`);
      response.setHeader('Content-Length', body.length);
      response.end(request.method === 'HEAD' ? '' : body);
    },
  });
  const gate = await startGate({
    more: RULES.slice(1),
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
  const session = agent === 'h2' ? await openSession(gate) : null;
  open.push(async () => {
    session?.destroy();
    await gate.close();
    await origin.close();
  });
  const seen: Array<Omit<Seen, 'record'>> = [];
  for (const question of questions()) {
    const before = origin.requests.length;
    const answer = session === null ? await overHttp1(question, gate) : await overHttp2(question, session);
    seen.push({ ...answer, upstream: origin.requests.slice(before).map(viewOf) });
  }
  expect(origin.requests.every((request) => request.httpVersion === (upstream === 'h2' ? '2.0' : '1.1'))).toBe(true);
  const outcomes = await until(() => {
    const all = gate.events().filter((event): event is OutcomeEvent => event.kind === 'outcome');
    return all.length === seen.length ? all : null;
  }, 'an outcome for each');
  return seen.map((each, index) => ({ ...each, record: factsOf(outcomes[index] as OutcomeEvent) }));
}

async function overHttp1(question: Question, gate: TestGate) {
  const { method, path, fields, body } = question;
  const length = body === null ? '' : `Content-Length: ${body.length}\r\n`;
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const client = await openTls(gate, 'api.test:443');
  client.send(`${method} ${path} HTTP/1.1\r\nHost: api.test\r\n${lines}${length}\r\n${body ?? ''}`);
  await (method === 'HEAD' ? client.see('\r\n\r\n') : answered(client));
  const text = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
  const latin = /^x-latin: (.*)$/im.exec(client.received)?.[1] ?? null;
  await client.close();
  return view(client.status, client.reason, text, latin);
}

async function overHttp2(question: Question, session: ClientHttp2Session) {
  const { method, path, fields, body } = question;
  const headers = { ':method': method, ':path': path, ...Object.fromEntries(fields) };
  const answer = await askHttp2(
    session,
    body === null ? headers : { ...headers, 'content-length': String(body.length) },
    body === null ? {} : { body },
  );
  const reason = answer.headers['sallyport-reason'];
  const latin = answer.headers['x-latin'];
  return view(
    answer.status,
    typeof reason === 'string' ? reason : null,
    answer.text,
    typeof latin === 'string' ? latin : null,
  );
}

function view(status: number, reason: string | null, text: string, latin: string | null) {
  if (reason === null || text === '') return { status, reason, problem: null, body: text, latin };
  const { exchange: _exchange, ...problem } = JSON.parse(text) as Record<string, unknown>;
  return { status, reason, problem, body: null, latin };
}

/** What of a request must reach the origin alike. */
function viewOf(request: SeenRequest): unknown {
  const { accept, cookie } = request.headers;
  return {
    method: request.method,
    url: request.url,
    size: request.body.length,
    accept,
    cookie,
    kind: request.headers['x-kind'],
    latin: request.headers['x-latin'],
    host: request.headers[':authority'] ?? request.headers.host,
    length: request.headers['content-length'],
  };
}

/** What of the record must not depend on how it came. */
function factsOf(event: OutcomeEvent): unknown {
  const {
    exchange: _e,
    time: _t,
    tunnel: _n,
    microseconds: _m,
    timing: _timing,
    protocol: _p,
    address: _a,
    policy: _g,
    ...facts
  } = event;
  return facts;
}

it('two hundred requests are decided, told and recorded alike over each pair of protocols', async () => {
  const plain = await run('h1', 'h1');
  expect(new Set(plain.map((each) => each.reason)).size).toBeGreaterThan(5);
  expect(plain.filter((each) => each.status === 200).length).toBeGreaterThan(20);
  for (const [agent, upstream] of [
    ['h1', 'h2'],
    ['h2', 'h1'],
    ['h2', 'h2'],
  ] as const)
    expect({ agent, upstream, seen: await run(agent, upstream) }).toEqual({ agent, upstream, seen: plain });
});
