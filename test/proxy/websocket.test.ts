import type { ClientHttp2Stream } from 'node:http2';
import { createServer as createHttps, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Receiver, Sender, WebSocket, WebSocketServer } from 'ws';
import { TestCa } from '../support/certificates.ts';
import { ask, openTls, type RawClient } from '../support/client.ts';
import { TOKEN, startGate, type TestGate } from '../support/gate.ts';
import { openSession } from '../support/http2-client.ts';
import { until } from '../support/until.ts';

interface Upstream {
  readonly port: number;
  readonly sockets: WebSocket[];
  readonly closes: Array<readonly [number, string]>;
  close(): Promise<void>;
}

/** A WebSocket server that echoes; `quiet` paths do not. */
async function startUpstream(ca: TestCa): Promise<Upstream> {
  const { certificate, key } = await ca.leaf(['ws.test']);
  const server: Server = createHttps({ cert: certificate, key }, (_request, response) => response.end('plain'));
  const sockets: WebSocket[] = [];
  const closes: Array<readonly [number, string]> = [];
  const websockets = new WebSocketServer({
    server,
    perMessageDeflate: true,
    handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
  });
  websockets.on('connection', (socket, request) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => closes.push([code, reason.toString()]));
    if (request.url === '/quiet') return;
    socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    closes,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.terminate();
        websockets.close();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

let ca: TestCa;
let upstream: Upstream;
let gate: TestGate;
beforeAll(async () => {
  ca = await TestCa.create();
  upstream = await startUpstream(ca);
  gate = await startGate({
    allow: [
      '{ host: ws.test, methods: [GET], paths: [/echo, /quiet], websocket: { max: 64 KiB } }',
      '{ host: ws.test, methods: [GET], paths: [/slow], websocket: { messages: 3/minute } }',
      'GET https://ws.test/plain',
    ],
    pins: [`ws.test:443=127.0.0.1:${upstream.port}`],
    upstreamCa: ca.certificate,
  });
});
afterAll(async () => {
  await gate.close();
  await upstream.close();
});

/** A real client, through the gate. */
async function open(path: string, protocols: string[] = []): Promise<WebSocket> {
  const agent = new HttpsProxyAgent(`http://bot:${TOKEN}@127.0.0.1:${gate.port}`);
  const socket = new WebSocket(`wss://ws.test${path}`, protocols, { agent, ca: gate.ca, maxPayload: 1024 * 1024 });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}
const message = (socket: WebSocket): Promise<[Buffer, boolean]> =>
  new Promise((resolve) => socket.once('message', (data, binary) => resolve([data as Buffer, binary])));
const closed = (socket: WebSocket): Promise<[number, string]> =>
  new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));

describe('a WebSocket over HTTP/1', () => {
  it('carries text, binary, pings and the goodbye, and keeps the subprotocol', async () => {
    const socket = await open('/echo', ['other', 'chat']);
    expect([socket.protocol, socket.extensions]).toEqual(['chat', '']);
    socket.send('héllo');
    expect((await message(socket)).map(String)).toEqual(['héllo', 'false']);
    socket.send(Buffer.from([0, 255, 1]));
    expect(await message(socket)).toEqual([Buffer.from([0, 255, 1]), true]);
    socket.ping('p');
    expect(String(await new Promise((resolve) => socket.once('pong', resolve)))).toBe('p');
    const end = closed(socket);
    socket.close(4001, 'enough');
    expect(await end).toEqual([4001, 'enough']);
    await until(() => upstream.closes.some(([code, reason]) => code === 4001 && reason === 'enough'), 'the goodbye');
    expect(await gate.outcome((event) => event.path === '/echo')).toMatchObject({
      decision: 'allow',
      outcome: 'delivered',
      status: 101,
      bytes: { sent: 10, received: 10 },
    });
  });

  it('reassembles fragments before they go on', async () => {
    const socket = await open('/echo');
    socket.send('one ', { fin: false });
    socket.send('message', { fin: true });
    expect((await message(socket)).map(String)).toEqual(['one message', 'false']);
    socket.terminate();
  });

  it('a message from the upstream that is too long ends both sides with the right code', async () => {
    const socket = await open('/quiet');
    const end = closed(socket);
    upstream.sockets.at(-1)?.send('x'.repeat(70_000));
    expect((await end)[0]).toBe(1001);
    await until(() => upstream.closes.some(([code]) => code === 1009), '1009 for the upstream');
  });

  it('a message from the agent that is too long is told so', async () => {
    const socket = await open('/echo');
    const end = closed(socket);
    socket.send('x'.repeat(70_000));
    expect((await end)[0]).toBe(1009);
    expect(
      await gate.outcome((event) => event.reason === 'request-malformed' && /max payload/i.test(event.detail ?? '')),
    ).toMatchObject({
      outcome: 'truncated',
      reason: 'request-malformed',
    });
  });

  it('more messages than the rule allows end it with 1008 and the reason', async () => {
    const socket = await open('/slow');
    const end = closed(socket);
    for (let i = 0; i < 4; i++) socket.send(String(i));
    expect(await end).toEqual([1008, 'rate-exceeded']);
    expect(await gate.outcome((event) => event.path === '/slow')).toMatchObject({ reason: 'rate-exceeded' });
  });

  it('pings are no way around the count: a flood of them ends it too', async () => {
    const socket = await open('/quiet');
    const end = closed(socket);
    for (let i = 0; i < 61; i++) socket.ping('x'.repeat(125));
    expect(await end).toEqual([1008, 'rate-exceeded']);
    expect(await gate.outcome((event) => /control messages/.test(event.detail ?? ''))).toMatchObject({
      bytes: { sent: 60 * 125 },
    });
  });

  it('an agent that is gone without a goodbye is gone for the upstream too', async () => {
    const socket = await open('/quiet');
    const before = upstream.closes.length;
    socket.terminate();
    await until(() => upstream.closes.length > before, 'the upstream to notice');
    expect(upstream.closes.at(-1)?.[0]).toBe(1006);
  });

  it('is refused where the rule allows GET and no WebSocket, and the remedy would allow it', async () => {
    const before = upstream.sockets.length;
    const client = await ask(gate, 'ws.test:443', handshake('/plain'));
    expect([client.status, client.reason]).toEqual([403, 'method-not-allowed']);
    expect(client.received).toContain('a WebSocket is not allowed on ws.test/plain');
    expect(client.received).toContain('websocket: {}');
    expect(upstream.sockets.length).toBe(before);
    await client.close();
  });
});

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
function handshake(path: string, more: Record<string, string | null> = {}): string {
  const fields: Record<string, string | null> = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...more,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\r\n`]));
  return `GET ${path} HTTP/1.1\r\nHost: ws.test\r\n${lines.join('')}\r\n`;
}

describe('a handshake that is no handshake', () => {
  it.each<[string, Record<string, string | null>, number]>([
    ['no key', { 'Sec-WebSocket-Key': null }, 400],
    ['a short key', { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, 400],
    ['another version', { 'Sec-WebSocket-Version': '8' }, 426],
    ['no version', { 'Sec-WebSocket-Version': null }, 426],
    ['Connection that does not name it', { Connection: 'keep-alive' }, 400],
    ['h2c', { Upgrade: 'h2c' }, 400],
    ['two protocols to upgrade to', { Upgrade: 'websocket, h2c' }, 400],
    ['a body', { 'Content-Length': '3' }, 400],
  ])('%s is request-malformed', async (_name, fields, status) => {
    const before = upstream.sockets.length;
    const client = await ask(gate, 'ws.test:443', `${handshake('/echo', fields)}abc`);
    expect([client.status, client.reason]).toEqual([status, 'request-malformed']);
    expect(upstream.sockets.length).toBe(before);
    await client.close();
  });
});

describe('frames that break the protocol', () => {
  async function raw(): Promise<RawClient> {
    const client = await openTls(gate, 'ws.test:443');
    client.send(handshake('/echo'));
    await client.see('\r\n\r\n');
    expect(client.status).toBe(101);
    expect(client.received).toMatch(/Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
    client.received = '';
    return client;
  }
  const MASK = [0, 0, 0, 0];
  it.each<[string, number[], number]>([
    ['no mask', [0x81, 1, 0x61], 1002],
    ['RSV1 without an extension', [0xc1, 0x81, ...MASK, 0x61], 1002],
    ['invalid UTF-8', [0x81, 0x82, ...MASK, 0xc3, 0x28], 1007],
    ['a fragmented ping', [0x09, 0x80, ...MASK], 1002],
    ['an unknown opcode', [0x83, 0x80, ...MASK], 1002],
    ['a continuation of nothing', [0x80, 0x81, ...MASK, 0x61], 1002],
    ['a length over the limit', [0x82, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, ...MASK], 1009],
  ])('%s is closed with its code', async (_name, bytes, code) => {
    const client = await raw();
    client.send(Buffer.from(bytes));
    await client.gone();
    const frame = Buffer.from(client.received, 'latin1');
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, code]);
    await client.close();
  });
});

describe('a WebSocket over HTTP/2 (RFC 8441)', () => {
  function join(stream: ClientHttp2Stream) {
    const messages: string[] = [];
    const closes: number[] = [];
    const receiver = new Receiver({ isServer: false, maxPayload: 1024 * 1024, skipUTF8Validation: false });
    receiver.on('message', (data: Buffer) => messages.push(data.toString()));
    receiver.on('conclude', (code: number) => closes.push(code));
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => receiver.write(bytes));
    const sender = new Sender(stream, {});
    const send = (text: string): void =>
      sender.send(Buffer.from(text), { binary: false, compress: false, fin: true, mask: true });
    return { messages, closes, send, sender };
  }
  const connect = (path: string) => ({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'https',
    ':authority': 'ws.test',
    ':path': path,
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'chat',
  });

  it('is judged and carried as one over HTTP/1', async () => {
    const session = await openSession(gate, 'ws.test:443');
    await until(() => session.remoteSettings.enableConnectProtocol === true, 'SETTINGS_ENABLE_CONNECT_PROTOCOL');
    const stream = session.request(connect('/echo'), { endStream: false });
    const answer = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    expect([answer[':status'], answer['sec-websocket-protocol']]).toEqual([200, 'chat']);
    const { messages, closes, send, sender } = join(stream);
    send('over h2');
    await until(() => messages.length === 1, 'the echo');
    expect(messages).toEqual(['over h2']);
    sender.close(1000, '', true);
    await until(() => closes.length === 1, 'the goodbye');
    expect(await gate.outcome((event) => event.protocol === 'h2' && event.path === '/echo')).toMatchObject({
      method: 'GET',
      outcome: 'delivered',
      status: 101,
    });
    session.destroy();
  });

  it('is refused alike', async () => {
    const session = await openSession(gate, 'ws.test:443');
    await until(() => session.remoteSettings.enableConnectProtocol === true, 'SETTINGS_ENABLE_CONNECT_PROTOCOL');
    const stream = session.request(connect('/plain'), { endStream: false });
    stream.on('error', () => undefined);
    const answer = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    expect([answer[':status'], answer['sallyport-reason']]).toEqual([403, 'method-not-allowed']);
    session.destroy();
  });
});

describe('an upstream whose 101 is not to be believed', () => {
  it.each<[string, string]>([
    [
      'another accept',
      'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n',
    ],
    ['no upgrade', 'Connection: keep-alive\r\n'],
  ])('%s is upstream-malformed', async (_name, fields) => {
    const { startRawOrigin } = await import('../support/origin.ts');
    const origin = await startRawOrigin(
      (socket: Socket) => socket.once('data', () => socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`)),
      await ca.leaf(['ws.test']),
    );
    const own = await startGate({
      allow: ['{ host: ws.test, methods: [GET], websocket: {} }'],
      pins: [`ws.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const client = await ask(own, 'ws.test:443', handshake('/'));
    expect([client.status, client.reason]).toEqual([502, 'upstream-malformed']);
    await client.close();
    await own.close();
    await origin.close();
  });
});
