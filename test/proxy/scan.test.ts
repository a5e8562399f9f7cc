import { HttpsProxyAgent } from 'https-proxy-agent';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TestCa } from '../support/certificates.ts';
import { answered, ask, openTls, type RawClient } from '../support/client.ts';
import { TOKEN, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { fillIn } from '../support/samples.ts';
import { until } from '../support/until.ts';

/** Made up anew in each run, from pieces. */
const GITHUB = fillIn('ghp_{{AN:36}}', 11);
const STRIPE = fillIn('sk_live_{{AN:48}}', 12);
const JWT = fillIn('{{jwt}}', 13);
const CARD = fillIn('{{card}}', 14);
const SSN = fillIn('{{ssn}}', 15);

const RULES = `version: 1
defaults:
  scan: { personal-data: redact }
detectors:
  acme-record:
    description: Record number of Acme
    family: personal-data
    severity: medium
    pattern: 'ACME-\\d{6}'
agents:
  bot:
    identity: { token: "TOKEN_HASH" }
    capabilities: [api, github, lax, unscanned]
capabilities:
  api:
    endpoints: [ "* https://api.test/**", "* https://stream.test/**", { host: socket.test, websocket: {} } ]
  github:
    endpoints: [ "* https://api.github.com/**" ]
  lax:
    endpoints: [ "* https://lax.test/**" ]
    scan: { secrets: alert, personal-data: off }
  unscanned:
    endpoints: [ "* https://blind.test/**" ]
    scan: off
`;

let ca: TestCa;
let origin: Origin;
let gate: TestGate;
const closers: Array<() => Promise<void> | void> = [];
beforeAll(async () => {
  ca = await TestCa.create();
  const hosts = ['api.test', 'api.github.com', 'lax.test', 'blind.test'];
  origin = await startOrigin({ tls: await ca.leaf(hosts) });
  const socketPort = await startSocketServer();
  const streamPort = await startStreamingOrigin();
  gate = await startGate({
    rules: { 'rules.yaml': RULES.replace('TOKEN_HASH', TOKEN_HASH) },
    pins: [
      ...hosts.map((host) => `${host}:443=127.0.0.1:${origin.port}`),
      `socket.test:443=127.0.0.1:${socketPort}`,
      `stream.test:443=127.0.0.1:${streamPort}`,
    ],
    upstreamCa: ca.certificate,
    flags: { 'inspect.buffer': '64 KiB' },
  });
});
afterAll(async () => {
  for (const close of closers) await close();
  await gate.close();
  await origin.close();
});

const heard: string[] = [];

/** An origin that tells what has come of a body before it is over. */
const stream = { pieces: [] as string[], text: () => stream.pieces.join(''), received: () => stream.text().length };

async function startStreamingOrigin(): Promise<number> {
  const { certificate, key } = await ca.leaf(['stream.test']);
  const server = createHttps({ cert: certificate, key }, (request, response) => {
    stream.pieces = [];
    request.on('error', () => undefined);
    request.on('data', (bytes: Buffer) => stream.pieces.push(bytes.toString('latin1')));
    request.on('end', () => response.end('done'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function startSocketServer(): Promise<number> {
  const { certificate, key } = await ca.leaf(['socket.test']);
  const server = createHttps({ cert: certificate, key });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => heard.push((data as Buffer).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function send(
  host: string,
  target: string,
  body: string | Buffer | null = null,
  fields: Record<string, string> = {},
): Promise<RawClient> {
  const bytes = body === null ? null : Buffer.from(body);
  const all =
    bytes === null ? fields : { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length), ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const client = await openTls(gate, `${host}:443`);
  client.send(`${bytes === null ? 'GET' : 'POST'} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`);
  if (bytes !== null) client.send(bytes);
  await answered(client);
  await client.close();
  return client;
}

/** Nothing of it reached the origin: neither as it is, nor in an encoding. */
function leaked(secret: string): boolean {
  return origin.requests.some(({ url, headers, body }) =>
    JSON.stringify([url, headers, body.toString('latin1')]).includes(secret),
  );
}

describe('a secret on its way out', () => {
  const base64 = Buffer.from(`token ${GITHUB}`).toString('base64');
  it.each<readonly [string, string, string | Buffer | null, Record<string, string>, string]>([
    ['in a query', `/q?state=open&note=${GITHUB}`, null, {}, 'query parameter note'],
    ['in a path', `/files/${GITHUB}/x`, null, {}, 'the path'],
    ['in an escaped query', `/q?note=${GITHUB.replace('_', '%255F')}`, null, {}, 'query parameter note'],
    ['in a header', '/h', null, { 'X-Note': GITHUB }, 'header x-note'],
    [
      'in the Authorization of somebody else',
      '/h',
      null,
      { Authorization: `Bearer ${GITHUB}` },
      'header authorization',
    ],
    ['in a JSON body', '/j', JSON.stringify({ a: [1, { note: `see ${GITHUB}` }] }), {}, '/a/1/note'],
    ['in Base64 in a JSON body', '/j', JSON.stringify({ note: base64 }), {}, '/note'],
    ['in a form', '/f', `a=1&b=${GITHUB}`, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'field b'],
    ['in a text body', '/t', `line\n${GITHUB}\n`, { 'Content-Type': 'text/plain' }, 'byte 5 of the body'],
    ['in a compressed body', '/z', gzipSync(JSON.stringify({ note: GITHUB })), { 'Content-Encoding': 'gzip' }, '/note'],
    [
      'cut up over a JSON body',
      '/j',
      JSON.stringify({ a: GITHUB.slice(0, 12), b: GITHUB.slice(12, 25), c: GITHUB.slice(25) }),
      {},
      'parts of the body',
    ],
    [
      'cut up over a query',
      `/q?a=${GITHUB.slice(0, 15)}&b=${GITHUB.slice(15)}`,
      null,
      {},
      'parts of the path or query',
    ],
  ])('%s is refused, and the refusal says where and not what', async (_name, target, body, fields, where) => {
    const client = await send('api.test', target, body, fields);
    expect(client.status).toBe(403);
    expect(client.received).toContain('Sallyport-Reason: secret-found');
    expect(client.received).toContain(`secrets in ${where} (github-pat)`);
    expect(client.received).not.toContain(GITHUB);
    expect(leaked(GITHUB)).toBe(false);
  });

  it('is on record by detector and place, without itself', async () => {
    await send('api.test', '/record', JSON.stringify({ record: STRIPE }));
    const event = await gate.outcome(({ path }) => path === '/record');
    expect(event).toMatchObject({
      decision: 'deny',
      reason: 'secret-found',
      findings: [
        {
          action: 'deny',
          detector: 'stripe-secret-key',
          family: 'secrets',
          where: '/record',
          via: [],
          direction: 'to-upstream',
        },
      ],
    });
    expect(gate.auditText()).not.toContain(STRIPE);
    const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
    expect(metrics).toContain(
      'sallyport_findings_total{family="secrets",action="deny",direction="to-upstream",agent="bot"}',
    );
  });

  it('passes where it belongs, and where somebody authenticates with a token of no one provider', async () => {
    expect((await send('api.github.com', '/user', null, { Authorization: `token ${GITHUB}` })).status).toBe(200);
    expect((await send('api.test', '/me', null, { Authorization: `Bearer ${JWT}` })).status).toBe(200);
    expect((await send('api.test', '/me', JSON.stringify({ jwt: JWT }))).status).toBe(403);
    expect((await send('api.github.com', '/gists', JSON.stringify({ content: GITHUB }))).status).toBe(403);
  });

  it('passes where a capability says so, and is told of', async () => {
    expect((await send('lax.test', '/lax', JSON.stringify({ note: GITHUB, card: CARD }))).status).toBe(200);
    const event = await gate.outcome(({ path }) => path === '/lax');
    expect(event.findings).toMatchObject([{ action: 'alert', detector: 'github-pat' }]);
    expect(event.findings).toHaveLength(1);
  });

  it('is not looked for where scanning is off, which the record says', async () => {
    expect((await send('blind.test', `/blind?x=${GITHUB}`)).status).toBe(200);
    const event = await gate.outcome(({ path }) => path === '/blind');
    expect(event).toMatchObject({ unscanned: true });
  });
});

describe('personal data under redact', () => {
  it('is taken out of JSON, and what is left is JSON of the right length', async () => {
    expect(
      (await send('api.test', '/r1', JSON.stringify({ card: CARD, name: 'x', text: `his SSN is ${SSN}, ok` }))).status,
    ).toBe(200);
    const seen = origin.requests.find(({ url }) => url === '/r1');
    expect(JSON.parse(seen?.body.toString() ?? '')).toEqual({
      card: '[redacted personal-data]',
      name: 'x',
      text: 'his SSN is [redacted personal-data], ok',
    });
    const event = await gate.outcome(({ path }) => path === '/r1');
    expect(event.findings?.map(({ action, detector }) => [action, detector])).toEqual([
      ['redact', 'payment-card'],
      ['redact', 'us-ssn'],
    ]);
  });

  it('is taken out of numbers, forms and compressed bodies', async () => {
    const digits = CARD.replaceAll(' ', '');
    await send('api.test', '/r2', `{"card":${digits},"n":1}`);
    expect(origin.requests.find(({ url }) => url === '/r2')?.body.toString()).toBe('{"card":0,"n":1}');
    await send('api.test', '/r3', `a=1&card=${digits}&b=2`, { 'Content-Type': 'application/x-www-form-urlencoded' });
    expect(origin.requests.find(({ url }) => url === '/r3')?.body.toString()).toBe(
      'a=1&card=[redacted personal-data]&b=2',
    );
    await send('api.test', '/r4', gzipSync(JSON.stringify({ card: CARD })), { 'Content-Encoding': 'gzip' });
    const seen = origin.requests.find(({ url }) => url === '/r4');
    expect(seen?.body.toString()).toBe('{"card":"[redacted personal-data]"}');
    expect(JSON.stringify(seen?.headers)).not.toContain('gzip');
  });

  it('finds what a detector of the rules’ own describes', async () => {
    await send('api.test', '/own', JSON.stringify({ record: 'ACME-123456' }));
    expect(origin.requests.find(({ url }) => url === '/own')?.body.toString()).toBe(
      '{"record":"[redacted personal-data]"}',
    );
  });

  it('is refused where it cannot be taken out', async () => {
    const client = await send('api.test', `/q?card=${CARD.replaceAll(' ', '')}`);
    expect(client.received).toContain('Sallyport-Reason: personal-data-found');
  });
});

describe('a body that streams', () => {
  it('is passed on as it comes, and cut off before a secret is out', async () => {
    const filler = `${'nothing to see here, '.repeat(50)}\n`;
    const client = await openTls(gate, 'stream.test:443');
    client.send('POST /stream HTTP/1.1\r\nHost: stream.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = (text: string): void => void client.send(`${text.length.toString(16)}\r\n${text}\r\n`);
    for (let i = 0; i < 100; i++) chunk(filler);
    await until(() => stream.received() > filler.length * 90, 'the stream at the origin');
    for (const char of GITHUB) chunk(char);
    chunk(filler);
    await client.see('Sallyport-Reason: secret-found');
    await client.close();
    expect(stream.text()).not.toContain(GITHUB.slice(0, 8));
  });

  it('does not let go of what is encoded when its sender pauses', async () => {
    const client = await openTls(gate, 'stream.test:443');
    client.send('POST /pausing HTTP/1.1\r\nHost: stream.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = (text: string): void => void client.send(`${text.length.toString(16)}\r\n${text}\r\n`);
    chunk('some text. ');
    await until(() => stream.text().includes('some text'), 'the stream at the origin');
    chunk(Buffer.from(`the token is ${GITHUB}`).toString('base64'));
    await client.see('Sallyport-Reason: secret-found');
    await client.close();
    expect(stream.text().trim()).toBe('some text.');
  });

  it('arrives whole where nothing is in it', async () => {
    const body = Buffer.from(`${'all is well, row 17; '.repeat(20_000)}end tok`);
    expect((await send('api.test', '/whole', body, { 'Content-Type': 'text/plain' })).status).toBe(200);
    expect(origin.requests.find(({ url }) => url === '/whole')?.body.toString()).toBe(body.toString());
  });

  it('reaches an upstream that waits for what was sent so far, however it ends', async () => {
    const client = await openTls(gate, 'stream.test:443');
    client.send('POST /pause HTTP/1.1\r\nHost: stream.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await until(() => stream.text().endsWith('hello'), 'what was sent so far');
    client.send('0\r\n\r\n');
    await answered(client);
    await client.close();
  });
});

describe('a WebSocket', () => {
  it('ends at the message that holds a secret, also where it is cut up over several', async () => {
    for (const messages of [
      [`first`, `second ${GITHUB}`],
      ['first', GITHUB.slice(0, 14), GITHUB.slice(14)],
    ]) {
      heard.length = 0;
      const socket = new WebSocket('wss://socket.test/', {
        agent: new HttpsProxyAgent(`http://bot:${TOKEN}@127.0.0.1:${gate.port}`),
        ca: gate.ca,
      });
      const closed = new Promise<readonly [number, string]>((resolve) =>
        socket.on('close', (code, reason) => resolve([code, reason.toString()])),
      );
      socket.on('open', () => messages.forEach((message) => socket.send(message)));
      socket.on('error', () => undefined);
      expect(await closed).toEqual([1008, 'secret-found']);
      expect(heard.join('')).not.toContain(GITHUB);
      expect(heard[0]).toBe('first');
    }
  });
});

describe('in observe mode', () => {
  it('nothing is stopped, and what would have been is on record', async () => {
    const observing = await startGate({
      allow: ['* https://api.test/**'],
      mode: 'observe',
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const client = await ask(observing, 'api.test:443', `GET /observed?x=${GITHUB} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
    expect(client.status).toBe(200);
    const event = await observing.outcome(({ path }) => path === '/observed');
    expect(event).toMatchObject({ decision: 'would-deny', reason: 'secret-found' });
    await client.close();
    await observing.close();
  });
});
