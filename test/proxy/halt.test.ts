import { constants } from 'node:http2';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { TestCa } from '../support/certificates.ts';
import { openTls, openTunnel } from '../support/client.ts';
import { TOKEN, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { openSession } from '../support/http2-client.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

let ca: TestCa;
let origin: Origin;
let websockets: WebSocketServer;
let gate: TestGate;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({
    tls: await ca.leaf(['api.test']),
    streaming: (request, response) => {
      if (request.url === '/never') return;
      response.write('first');
    },
  });
  websockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => websockets.once('listening', resolve));
  const { port } = websockets.address() as { port: number };
  gate = await startGate({
    rules: {
      'a.yaml': `version: 1
agents:
  bot:
    identity: { token: "${TOKEN_HASH}" }
    allow:
      - "* https://api.test/**"
      - { scheme: http, host: ws.test, methods: [GET], websocket: {} }
      - "* tcp://raw.test:4000"
  other:
    identity: { token: "sha256:${'0'.repeat(64)}" }
`,
    },
    pins: [`api.test:443=127.0.0.1:${origin.port}`, `ws.test:80=127.0.0.1:${port}`, `raw.test:4000=127.0.0.1:${port}`],
    upstreamCa: ca.certificate,
  });
});
afterAll(async () => {
  await gate.close();
  websockets.close();
  for (const socket of websockets.clients) socket.terminate();
  await origin.close();
});

describe('halting an agent ends what it has under way', () => {
  it('a request that waits for its answer is told, and the connection closes', async () => {
    const client = await openTls(gate, 'api.test:443');
    client.send('GET /never HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await until(() => gate.events().some((event) => event.path === '/never'), 'the intent');
    expect(gate.gate.halt('other')).toBe(0);
    expect(gate.gate.halt('bot')).toBe(1);
    await client.gone();
    expect([client.status, client.reason]).toEqual([403, 'halted']);
    expect(await gate.outcome((event) => event.path === '/never')).toMatchObject({
      outcome: 'refused',
      reason: 'halted',
    });
  });

  it('an answer that has begun is cut, and looks cut', async () => {
    const client = await openTls(gate, 'api.test:443');
    client.send('GET /stream HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await client.see('first');
    gate.gate.halt('bot');
    await client.gone();
    expect(client.received).not.toContain('0\r\n\r\n');
    expect(await gate.outcome((event) => event.path === '/stream')).toMatchObject({
      outcome: 'truncated',
      reason: 'halted',
    });
  });

  it('an upload that is still being sent is cut', async () => {
    const client = await openTls(gate, 'api.test:443');
    client.send('POST /upload HTTP/1.1\r\nHost: api.test\r\nContent-Length: 100\r\n\r\nabc');
    await until(() => gate.gate.halt('bot') === 1, 'the exchange');
    await client.gone();
    expect(await gate.outcome((event) => event.path === '/upload')).toMatchObject({ reason: 'halted' });
  });

  it('HTTP/2: GOAWAY, and every stream ends', async () => {
    const session = await openSession(gate);
    let goaway: number | null = null;
    session.on('goaway', (code) => (goaway = code));
    const begun = session.request({ ':path': '/stream' });
    const waiting = session.request({ ':path': '/never' });
    const statuses: unknown[] = [];
    for (const stream of [begun, waiting]) stream.on('error', () => undefined);
    waiting.on('response', (headers) => statuses.push(headers['sallyport-reason']));
    waiting.resume();
    await new Promise((resolve) => begun.once('data', resolve));
    await until(() => gate.gate.halt('bot') === 2, 'both exchanges');
    await until(() => session.destroyed || session.closed, 'the session to end');
    await until(() => begun.destroyed && waiting.destroyed, 'the streams to end');
    expect([goaway, statuses]).toEqual([constants.NGHTTP2_NO_ERROR, ['halted']]);
    expect(begun.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    session.destroy();
  });

  it('WebSocket: 1008 and the reason, on either side', async () => {
    const agent = new HttpsProxyAgent(`http://bot:${TOKEN}@127.0.0.1:${gate.port}`);
    const socket = new WebSocket('ws://ws.test/', { agent });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const end = new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));
    const upstream = [...websockets.clients].at(-1);
    const upstreamEnd = new Promise((resolve) => upstream?.once('close', (code) => resolve(code)));
    expect(gate.gate.halt('bot')).toBe(1);
    expect(await end).toEqual([1008, 'halted']);
    expect(await upstreamEnd).toBe(1008);
  });

  it('an opaque tunnel, and a tunnel nothing was asked in', async () => {
    const opaque = await openTunnel(gate, 'raw.test:4000');
    const idle = await openTunnel(gate, 'api.test:443');
    await until(() => gate.gate.halt('bot') === 1, 'the opaque exchange');
    await Promise.all([opaque.gone(), idle.gone()]);
  });
});
