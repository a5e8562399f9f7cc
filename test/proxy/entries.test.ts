import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../src/tls/authority.ts';
import { TestCa, type Pair } from '../support/certificates.ts';
import { RawClient, answered } from '../support/client.ts';
import { BASIC, TOKEN, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const SPIFFE = 'spiffe://acme/agent/bot';
let ca: TestCa;
let origin: Origin;
let plain: Origin;
let gate: TestGate;
let folder: string;
let bot: Pair;
let stranger: Pair;
let forged: Pair;
beforeAll(async () => {
  ca = await TestCa.create();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-entries-'));
  writeFileSync(join(folder, 'clients.pem'), ca.certificate);
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
  plain = await startOrigin();
  bot = await ca.leaf([SPIFFE], { purpose: 'client' });
  stranger = await ca.leaf(['spiffe://acme/agent/other'], { purpose: 'client' });
  forged = await (await TestCa.create()).leaf([SPIFFE], { purpose: 'client' });
  gate = await startGate({
    rules: {
      'a.yaml': `version: 1
agents:
  bot:
    identity: { token: "${TOKEN_HASH}", certificate: "${SPIFFE}" }
    allow: ["GET https://api.test/ok/**", "GET http://plain.test/ok/**"]
  here:
    identity: { networks: [127.0.0.1] }
    allow: ["GET https://api.test/ok/**", "GET http://plain.test/ok/**"]
`,
    },
    pins: [`api.test:443=127.0.0.1:${origin.port}`, `plain.test:80=127.0.0.1:${plain.port}`],
    upstreamCa: ca.certificate,
    flags: {
      'listen.https': '127.0.0.1:0',
      'listen.names': 'gate.test',
      'listen.client-ca': join(folder, 'clients.pem'),
      'listen.socks': '127.0.0.1:0',
      'listen.transparent': '127.0.0.1:0',
      'listen.unix': join(folder, 'gate.sock'),
    },
  });
});
afterAll(async () => {
  await gate.close();
  await Promise.all([origin.close(), plain.close()]);
  rmSync(folder, { recursive: true });
});

const portOf = (way: string): number => Number(gate.gate.entries[way]?.split(':').at(-1));
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`;

/** TLS to the origin, through whatever `socket` has become. */
async function inside(socket: Socket, servername = 'api.test'): Promise<RawClient> {
  socket.removeAllListeners('data');
  const tls = connectTls({ socket, ca: gate.ca, servername, ALPNProtocols: ['http/1.1'] });
  await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  return new RawClient(tls);
}

function open(way: string): Promise<Socket> {
  const socket = connect(portOf(way), '127.0.0.1');
  return new Promise((resolve, reject) => socket.once('connect', () => resolve(socket)).once('error', reject));
}

describe('the HTTPS listener', () => {
  function dial(more: ConnectionOptions): Promise<TLSSocket> {
    const socket = connectTls({
      port: portOf('https'),
      host: '127.0.0.1',
      servername: 'gate.test',
      ca: gate.ca,
      ...more,
    });
    return new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(socket)).once('error', reject));
  }
  async function tunnel(more: ConnectionOptions, fields = ''): Promise<RawClient> {
    const client = new RawClient(await dial(more));
    client.send(`CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n${fields}\r\n`);
    await until(() => client.received.includes('\r\n\r\n') || client.closed, 'an answer to CONNECT');
    return client;
  }

  it('knows an agent by its certificate, and serves it like every other', async () => {
    const outer = await tunnel({ cert: bot.certificate, key: bot.key });
    expect(outer.status).toBe(200);
    const client = await inside(outer.socket);
    client.send(get('/ok/certificate'));
    await answered(client);
    expect(client.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/ok/certificate')).toMatchObject({ agent: 'bot' });
    await client.close();
  });

  it('takes a token without a certificate', async () => {
    const outer = await tunnel({}, `Proxy-Authorization: ${BASIC}\r\n`);
    const client = await inside(outer.socket);
    client.send(get('/no'));
    await answered(client);
    expect([client.status, client.reason]).toEqual([403, 'path-not-allowed']);
    await client.close();
  });

  it('a certificate that names no agent proves nothing, whatever the source address would', async () => {
    const outer = await tunnel({ cert: stranger.certificate, key: stranger.key });
    expect([outer.status, outer.reason]).toEqual([407, 'agent-unknown']);
    await outer.close();
  });

  it('a certificate of another CA is cut off', async () => {
    const outer = await tunnel({ cert: forged.certificate, key: forged.key }).catch(() => null);
    expect(outer?.received ?? '').toBe('');
    expect(await gate.outcome((event) => event.detail === 'the client certificate does not verify')).toMatchObject({
      agent: null,
      reason: 'agent-unknown',
    });
  });

  it('shows a certificate of the new CA as soon as the CA is rotated', async () => {
    const own = await startGate({ allow: [], flags: { 'listen.https': '127.0.0.1:0', 'listen.names': 'gate.test' } });
    const issuer = createAuthority(join(own.folder, 'certs'), new Date()).certificatePem;
    const port = Number(own.gate.entries['https']?.split(':').at(-1));
    await expect(dial({ port, ca: issuer })).rejects.toThrow(/certificate/);
    own.gate.reloadAuthority();
    const socket = await dial({ port, ca: issuer });
    expect(socket.authorized).toBe(true);
    socket.destroy();
    await own.close();
  });

  it('what is no TLS is cut off, and on record', async () => {
    const client = new RawClient(await open('https'));
    client.send('GET / HTTP/1.1\r\n\r\n');
    await client.gone();
    expect(await gate.outcome((event) => event.detail?.startsWith('the TLS handshake failed') === true)).toBeDefined();
  });

  it('curl comes in by it', async () => {
    writeFileSync(join(folder, 'gate-ca.pem'), gate.ca);
    const { stdout: out } = await promisify(execFile)(
      'curl',
      [
        [
          '-sS',
          '--proxy',
          `https://gate.test:${portOf('https')}`,
          '--resolve',
          `gate.test:${portOf('https')}:127.0.0.1`,
        ],
        ['--proxy-cacert', join(folder, 'gate-ca.pem'), '--cacert', join(folder, 'gate-ca.pem')],
        ['--proxy-user', `bot:${TOKEN}`, 'https://api.test/ok/curl-https'],
      ].flat(),
      { encoding: 'utf8', env: { PATH: process.env['PATH'] }, timeout: 10_000 },
    );
    expect(out).toContain('/ok/curl-https');
  });
});

describe('the SOCKS5 listener', () => {
  const hostRequest = (host: string, port: number, command = 1): Buffer =>
    Buffer.concat([
      Buffer.from([5, command, 0, 3, host.length]),
      Buffer.from(host),
      Buffer.from([port >> 8, port & 255]),
    ]);
  const login = (user: string, password: string): Buffer =>
    Buffer.concat([
      Buffer.from([1, user.length]),
      Buffer.from(user),
      Buffer.from([password.length]),
      Buffer.from(password),
    ]);
  /** Sends each piece and waits for as many bytes as its answer has. */
  async function talk(pieces: ReadonlyArray<readonly [Buffer, number]>): Promise<{ socket: Socket; seen: Buffer }> {
    const socket = await open('socks');
    let seen = Buffer.alloc(0);
    let closed = false;
    socket.on('data', (bytes: Buffer) => (seen = Buffer.concat([seen, bytes])));
    socket.on('error', () => undefined);
    socket.on('end', () => (closed = true));
    let expected = 0;
    for (const [bytes, answer] of pieces) {
      socket.write(bytes);
      expected += answer;
      const enough = expected;
      await until(() => seen.length >= enough || closed, 'the answer');
    }
    return { socket, seen };
  }
  const GREETING = Buffer.from([5, 1, 2]);

  it('takes user and password, and a name as it is', async () => {
    const { socket, seen } = await talk([
      [GREETING, 2],
      [login('bot', TOKEN), 2],
      [hostRequest('API.test', 443), 10],
    ]);
    expect([...seen.subarray(0, 6)]).toEqual([5, 2, 1, 0, 5, 0]);
    const client = await inside(socket);
    client.send(get('/ok/socks'));
    await answered(client);
    expect(client.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/ok/socks')).toMatchObject({ agent: 'bot', host: 'api.test' });
    await client.close();
  });

  it('knows an agent by its address when no method but none is offered', async () => {
    const { socket, seen } = await talk([
      [Buffer.from([5, 1, 0]), 2],
      [hostRequest('api.test', 443), 10],
    ]);
    expect([...seen.subarray(0, 4)]).toEqual([5, 0, 5, 0]);
    const client = await inside(socket);
    client.send(get('/none'));
    await answered(client);
    expect(client.reason).toBe('path-not-allowed');
    await client.close();
  });

  it('a wrong password is refused and recorded', async () => {
    const { socket, seen } = await talk([
      [GREETING, 2],
      [login('bot', 'wrong'), 2],
    ]);
    expect([...seen]).toEqual([5, 2, 1, 1]);
    expect(await gate.outcome((event) => event.reason === 'agent-unknown' && event.agent === null)).toBeDefined();
    socket.destroy();
  });

  it.each<[string, Buffer, number]>([
    ['BIND', hostRequest('api.test', 443, 2), 7],
    ['UDP ASSOCIATE', hostRequest('api.test', 443, 3), 7],
    ['an unknown address type', Buffer.from([5, 1, 0, 9, 0, 0]), 8],
    ['a malformed name', hostRequest('a..b', 443), 1],
    ['port 0', hostRequest('api.test', 0), 1],
    ['another version', Buffer.from([4, 1, 0, 3, 1, 97, 1, 1]), 1],
  ])('%s is refused with its code', async (_name, bytes, code) => {
    const { socket, seen } = await talk([
      [GREETING, 2],
      [login('bot', TOKEN), 2],
      [bytes, 10],
    ]);
    expect([seen[4], seen[5]]).toEqual([5, code]);
    socket.destroy();
  });

  it('a literal address is judged in whatever costume it comes', async () => {
    const { socket } = await talk([
      [GREETING, 2],
      [login('bot', TOKEN), 2],
      [Buffer.from([5, 1, 0, 4, ...Array.from({ length: 10 }, () => 0), 0xff, 0xff, 169, 254, 169, 254, 1, 187]), 10],
    ]);
    socket.removeAllListeners('data');
    const tls = connectTls({ socket, ca: gate.ca, rejectUnauthorized: false });
    await new Promise((resolve) => tls.once('secureConnect', resolve));
    expect(tls.getPeerCertificate().subjectaltname).toBe('IP Address:169.254.169.254');
    tls.destroy();
  });

  it('curl comes in by it', async () => {
    const { stdout: out } = await promisify(execFile)(
      'curl',
      ['-sS', '--proxy', `socks5h://bot:${TOKEN}@127.0.0.1:${portOf('socks')}`, 'http://plain.test/ok/curl-socks'],
      { encoding: 'utf8', env: { PATH: process.env['PATH'] }, timeout: 10_000 },
    );
    expect(out).toContain('/ok/curl-socks');
  });
});

describe('the transparent listener', () => {
  it('goes where the ClientHello says', async () => {
    const client = await inside(await open('transparent'));
    client.send(get('/ok/sni'));
    await answered(client);
    expect(client.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/ok/sni')).toMatchObject({ agent: 'here', host: 'api.test' });
    await client.close();
  });

  it('goes where Host says, and refuses another host inside TLS', async () => {
    const client = new RawClient(await open('transparent'));
    client.send('GET /ok/host HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await answered(client);
    expect(client.status).toBe(200);
    client.received = '';
    client.send('GET /ok/host HTTP/1.1\r\nHost: other.test\r\n\r\n');
    await answered(client);
    expect([client.status, client.reason]).toEqual([403, 'host-not-allowed']);
    await client.close();
    const secure = await inside(await open('transparent'));
    secure.send('GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await answered(secure);
    expect(secure.reason).toBe('authority-mismatch');
    await secure.close();
  });

  it('without a name in TLS or in Host there is nowhere to go', async () => {
    const socket = await open('transparent');
    const tls = connectTls({ socket, ca: gate.ca, rejectUnauthorized: false });
    await new Promise((resolve) => tls.once('error', resolve).once('close', resolve));
    expect(await gate.outcome((event) => /does not say which host/.test(event.detail ?? ''))).toBeDefined();
    const client = new RawClient(await open('transparent'));
    client.send('GET / HTTP/1.0\r\n\r\n');
    await answered(client);
    expect([client.status, client.reason]).toEqual([400, 'request-malformed']);
    await client.close();
  });
});

describe('draining', () => {
  it('does not wait for connections that have not said what they want', async () => {
    const own = await startGate({
      allow: [],
      flags: { 'listen.socks': '127.0.0.1:0', 'listen.transparent': '127.0.0.1:0', drain: '20s' },
    });
    const sockets = ['socks', 'transparent'].map((way) => {
      const socket = connect(Number(own.gate.entries[way]?.split(':').at(-1)), '127.0.0.1');
      socket.on('error', () => undefined);
      return new RawClient(socket);
    });
    sockets[0]?.send(Buffer.from([5, 1, 2]));
    await until(() => sockets[0]?.bytes === 2, 'the choice of a method');
    await own.gate.drain();
    await Promise.all(sockets.map((socket) => socket.gone()));
    await own.close();
  });
});

describe('the Unix socket', () => {
  it('is for its owner alone, takes tokens, and is no source network', async () => {
    const path = join(folder, 'gate.sock');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const ask = async (fields: string): Promise<RawClient> => {
      const socket = connect(path);
      await new Promise((resolve) => socket.once('connect', resolve));
      const client = new RawClient(socket);
      client.send(`GET http://plain.test/ok/unix HTTP/1.1\r\nHost: plain.test\r\n${fields}\r\n`);
      await answered(client);
      return client;
    };
    const known = await ask(`Proxy-Authorization: ${BASIC}\r\n`);
    expect(known.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/ok/unix' && event.agent === 'bot')).toMatchObject({
      source: 'unix',
    });
    const unknown = await ask('');
    expect([unknown.status, unknown.reason]).toEqual([407, 'agent-unknown']);
    await Promise.all([known.close(), unknown.close()]);
  });

  it('that cannot be asked is left alone', async () => {
    const path = join(folder, 'file.sock');
    writeFileSync(path, 'not a socket');
    await expect(startGate({ allow: [], flags: { 'listen.unix': path } })).rejects.toThrow(/the path is in use/);
    expect(existsSync(path)).toBe(true);
  });

  it('that a killed gate left behind is replaced; one that answers is not', async () => {
    const path = join(folder, 'stale.sock');
    const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)})`]);
    await until(() => existsSync(path), 'the socket');
    await expect(startGate({ allow: [], flags: { 'listen.unix': path } })).rejects.toThrow(/in use/);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    expect(existsSync(path)).toBe(true);
    const own = await startGate({ allow: [], flags: { 'listen.unix': path } });
    await own.close();
  });
});
