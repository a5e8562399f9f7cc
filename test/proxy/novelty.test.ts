import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from 'ws';
import { TestCa } from '../support/certificates.ts';
import { answered, openTls, type RawClient } from '../support/client.ts';
import { TOKEN, startGate, type TestGate } from '../support/gate.ts';
import { randomOf } from '../support/samples.ts';

let ca: TestCa;
let port: number;
let close: () => void;
const gates: TestGate[] = [];
/** What the origin answers next. */
let answer: { type: string; body: string | Buffer; coding?: string } = { type: 'text/plain', body: 'ok' };

beforeAll(async () => {
  ca = await TestCa.create();
  const { certificate, key } = await ca.leaf(['api.test', 'socket.test']);
  const server = createServer({ cert: certificate, key }, (request, response) => {
    request.on('error', () => undefined);
    request.resume();
    request.on('end', () => {
      const { type, body, coding } = answer;
      response.writeHead(200, {
        'Content-Type': type,
        ...(coding === undefined ? {} : { 'Content-Encoding': coding }),
      });
      response.end(body);
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => socket.send((data as Buffer).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  close = () => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  };
});
afterAll(() => close());
afterEach(async () => {
  answer = { type: 'text/plain', body: 'ok' };
  for (const gate of gates.splice(0)) await gate.close();
});

/** A gate through which so much may leave that is new. */
async function gateWith(limit: string, more = ''): Promise<TestGate> {
  const gate = await startGate({
    allow: ['* https://api.test/**', '* https://gone.test/**', '{ host: socket.test, websocket: {} }'],
    more: `    limits: { novel-upload: ${limit} }\n${more}`,
    pins: [`api.test:443=127.0.0.1:${port}`, `socket.test:443=127.0.0.1:${port}`, 'gone.test:443=127.0.0.1:1'],
    upstreamCa: ca.certificate,
    flags: { 'inspect.buffer': '64 KiB' },
  });
  gates.push(gate);
  return gate;
}

/** A text that repeats nothing. */
function novel(size: number, seed: number): string {
  const next = randomOf(seed);
  let text = '';
  while (text.length < size) text += `${next().toString(36).slice(2, 8)} `;
  return text.slice(0, size);
}

async function send(gate: TestGate, body: string | null, host = 'api.test', path = '/chat'): Promise<RawClient> {
  const client = await openTls(gate, `${host}:443`);
  const fields =
    body === null ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  client.send(`${body === null ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
  if (body !== null) client.send(Buffer.from(body));
  await answered(client);
  await client.close();
  return client;
}

const json = (text: string): string => JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] });

describe('a limit on what leaves and is new', () => {
  it('counts what an agent makes up, and not what it says again', async () => {
    const gate = await gateWith('10 KB/hour');
    const history = novel(6000, 1);
    for (let turn = 0; turn < 10; turn++) expect((await send(gate, json(history))).status).toBe(200);
    const refused = await send(gate, json(novel(6000, 2)));
    expect(refused.status).toBe(429);
    expect(refused.reason).toBe('budget-exhausted');
    expect(refused.received).toContain('novel-upload: 10 KB/hour');
    expect((await send(gate, json(history))).status).toBe(200);
  });

  it('does not know what was refused, nor what never left', async () => {
    const gate = await gateWith('4 KB/hour');
    const text = novel(6000, 3);
    for (let round = 0; round < 2; round++) expect((await send(gate, json(text))).reason).toBe('budget-exhausted');
    const other = novel(3000, 4);
    expect((await send(gate, json(other), 'gone.test')).status).toBe(502);
    expect((await send(gate, json(other))).status).toBe(200);
    expect((await send(gate, json(other + novel(2500, 5)))).reason).toBe('budget-exhausted');
  });

  const page = novel(20_000, 6);
  const deltas = (page.match(/.{1,13}/g) ?? [])
    .map((content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
    .join('');
  it.each<readonly [string, typeof answer]>([
    ['as text', { type: 'text/plain', body: page }],
    ['in JSON', { type: 'application/json', body: JSON.stringify({ page }) }],
    ['compressed', { type: 'text/plain', body: gzipSync(page), coding: 'gzip' }],
    ['in deltas of a model', { type: 'text/event-stream', body: deltas }],
    ['as a file', { type: 'application/octet-stream', body: page }],
  ])('does not count what it received %s', async (_name, given) => {
    const gate = await gateWith('4 KB/hour');
    answer = given;
    expect((await send(gate, null)).status).toBe(200);
    expect((await send(gate, json(page))).status).toBe(200);
    expect((await send(gate, json(novel(4000, 7)))).reason).toBe('budget-exhausted');
  });

  it('counts paths, queries and fields too', async () => {
    const gate = await gateWith('2 KB/hour');
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++)
      statuses.push((await send(gate, null, 'api.test', `/q?d=${novel(300, 20 + i).replaceAll(' ', '.')}`)).status);
    expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200]);
    expect(statuses.at(-1)).toBe(429);
  });

  it.each([
    ['held', 4000],
    ['streamed', 100_000],
  ])('counts trailers of a body that is %s', async (_name, size) => {
    const gate = await gateWith('4 KB/hour');
    const body = 'a'.repeat(size);
    const client = await openTls(gate, 'api.test:443');
    client.send('POST /t HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\nTrailer: note\r\n\r\n');
    client.send(`${body.length.toString(16)}\r\n${body}\r\n0\r\nNote: ${novel(6000, 50)}\r\n\r\n`);
    expect((await gate.outcome(({ path }) => path === '/t')).reason).toBe('budget-exhausted');
    await client.close();
  });

  it('ends a body that streams once it is used up', async () => {
    const gate = await gateWith('100 KB/hour');
    const client = await openTls(gate, 'api.test:443');
    const body = novel(300_000, 30);
    client.send(`POST /s HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const event = await gate.outcome(({ path }) => path === '/s');
    expect(event.reason).toBe('budget-exhausted');
    expect(event.bytes.sent).toBeLessThanOrEqual(100_000);
    await client.close();
  });

  it('ends a WebSocket once it is used up, and counts nothing twice', async () => {
    const gate = await gateWith('6 KB/hour');
    const socket = new WebSocket('wss://socket.test/', {
      agent: new HttpsProxyAgent(`http://bot:${TOKEN}@127.0.0.1:${gate.port}`),
      ca: gate.ca,
    });
    socket.on('error', () => undefined);
    const echoed = (): Promise<void> => new Promise((resolve) => socket.once('message', () => resolve()));
    await new Promise<void>((resolve) => socket.once('open', () => resolve()));
    const closed = new Promise<string>((resolve) =>
      socket.once('close', (_code, reason) => resolve(reason.toString())),
    );
    for (let round = 0; round < 5; round++) {
      const echo = echoed();
      socket.send(novel(4000, 40));
      await echo;
    }
    socket.send(novel(4000, 41));
    expect(await closed).toBe('budget-exhausted');
  });
});
