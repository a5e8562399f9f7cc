import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { TestCa } from '../support/certificates.ts';
import { RawClient, answered, ask, dialGate } from '../support/client.ts';
import { BASIC, TOKEN, startGate, type GateOptions, type TestGate } from '../support/gate.ts';
import { askHttp2, openSession } from '../support/http2-client.ts';
import { startOrigin, startRawOrigin, type Origin } from '../support/origin.ts';
import {
  PARENT_LOGIN,
  freePort,
  startMicrosocks,
  startSquid,
  type Microsocks,
  type Squid,
} from '../support/parents.ts';
import { until } from '../support/until.ts';

let ca: TestCa;
let secure: Origin;
let http2: Origin;
let plain: Origin;
let squid: Squid;
let microsocks: Microsocks;
beforeAll(async () => {
  ca = await TestCa.create();
  secure = await startOrigin({ tls: await ca.leaf(['api.test', '127.0.0.1']) });
  http2 = await startOrigin({ tls: await ca.leaf(['h2.test']), protocols: 'h2' });
  plain = await startOrigin();
  squid = await startSquid(['api.test', 'h2.test', 'plain.test', 'ws.test'], await ca.leaf(['127.0.0.1']));
  microsocks = await startMicrosocks();
});
afterAll(() => Promise.all([secure.close(), http2.close(), plain.close(), squid.close(), microsocks.close()]));

const opened: TestGate[] = [];
afterEach(async () => {
  for (const gate of opened.splice(0)) await gate.close();
});

const allow = (): string[] => [
  `GET,POST https://api.test:${secure.port}/**`,
  `GET,POST https://h2.test:${http2.port}/**`,
  `GET,POST http://plain.test:${plain.port}/**`,
  `GET https://127.0.0.1:${secure.port}/**`,
];

/** A gate whose names all lead nowhere but through the parents it is told. */
async function gateWith(proxies: readonly string[], more: GateOptions = {}): Promise<TestGate> {
  const gate = await startGate({
    allow: allow(),
    upstreamCa: ca.certificate,
    ...more,
    flags: { 'upstream.proxies': proxies, 'upstream.resolvers': '127.0.0.1:9', ...more.flags },
  });
  opened.push(gate);
  return gate;
}

const get = (host: string, path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** A plain request to the proxy port. */
async function askPlain(gate: TestGate, path: string, fields = ''): Promise<RawClient> {
  const client = await dialGate(gate);
  const host = `plain.test:${plain.port}`;
  client.send(`GET http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: ${BASIC}\r\n${fields}\r\n`);
  return answered(client);
}

describe('a parent proxy that speaks HTTP (Squid)', () => {
  for (const protocol of ['http', 'https'] as const) {
    const at = (): string => `${protocol}://${PARENT_LOGIN}@${protocol === 'http' ? squid.plain : squid.secure}`;

    it(`carries TLS in a tunnel, over ${protocol}, and its name is on record in place of an address`, async () => {
      const gate = await gateWith([`**=${at()}`]);
      const authority = `api.test:${secure.port}`;
      const client = await ask(gate, authority, get(authority, `/${protocol}`));
      expect(client.status).toBe(200);
      expect(secure.requests.at(-1)?.url).toBe(`/${protocol}`);
      const parent = protocol === 'http' ? squid.plain : squid.secure;
      expect(await gate.outcome((event) => event.path === `/${protocol}`)).toMatchObject({
        address: `unchecked ${parent}`,
        outcome: 'delivered',
      });
      await until(() => squid.log().includes(`CONNECT ${authority}`), 'a line in the log of Squid');
      await client.close();
    });

    it(`carries HTTP/2 to upstreams that have it, over ${protocol}`, async () => {
      const gate = await gateWith([`**=${at()}`]);
      const session = await openSession(gate, `h2.test:${http2.port}`);
      const answers = await Promise.all(['/1', '/2', '/3'].map((path) => askHttp2(session, { ':path': path })));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(http2.requests.at(-1)?.httpVersion).toBe('2.0');
      session.destroy();
    });

    it(`is handed plain requests as they are, over ${protocol}, and never sees the gate's own credentials`, async () => {
      const gate = await gateWith([`*.test=${at()}`]);
      const client = await askPlain(gate, `/plain-${protocol}?a=b`);
      expect(client.status).toBe(200);
      const seen = plain.requests.at(-1);
      expect(seen?.url).toBe(`/plain-${protocol}?a=b`);
      expect(seen?.headers['proxy-authorization']).toBeUndefined();
      expect(seen?.headers['host']).toBe(`plain.test:${plain.port}`);
      // The second one finds the connection of the first.
      const again = await askPlain(gate, `/again-${protocol}`);
      expect(again.status).toBe(200);
      await until(() => squid.log().includes(`GET http://plain.test:${plain.port}/again-`), 'the log of Squid');
      expect(await gate.outcome((event) => event.path === `/again-${protocol}`)).toMatchObject({
        address: expect.stringMatching(/^unchecked /) as string,
      });
      await Promise.all([client.close(), again.close()]);
    });
  }

  it('gives a WebSocket in the clear a tunnel of its own', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (socket) => socket.on('message', (bytes, binary) => socket.send(bytes, { binary })));
    const { port } = server.address() as AddressInfo;
    const rule = `{ host: ws.test, scheme: http, port: ${port}, methods: [GET], paths: ["/**"], websocket: {} }`;
    const gate = await gateWith([`**=http://${PARENT_LOGIN}@${squid.plain}`], { allow: [rule] });
    const client = await dialGate(gate);
    client.send(
      `GET http://ws.test:${port}/ HTTP/1.1\r\nHost: ws.test:${port}\r\nProxy-Authorization: ${BASIC}\r\n` +
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await client.see('\r\n\r\n');
    expect(client.status).toBe(101);
    client.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    await client.see('\x81\x02hi');
    await client.close();
    await until(() => squid.log().includes(`CONNECT ws.test:${port}`), 'a line in the log of Squid');
    server.close();
    for (const socket of server.clients) socket.terminate();
  });

  it('that wants other credentials is unreachable, and the agent is not asked for them', async () => {
    const gate = await gateWith([`**=http://stranger:x@${squid.plain}`]);
    const authority = `api.test:${secure.port}`;
    const tunnelled = await ask(gate, authority, get(authority, '/'));
    expect([tunnelled.status, tunnelled.reason]).toEqual([502, 'upstream-unreachable']);
    expect(tunnelled.received).toContain('asks for other credentials');
    const forwarded = await askPlain(gate, '/');
    expect([forwarded.status, forwarded.reason]).toEqual([502, 'upstream-unreachable']);
    expect(forwarded.received).not.toMatch(/^proxy-authenticate/im);
    expect(gate.auditText()).not.toContain('stranger:x');
    await Promise.all([tunnelled.close(), forwarded.close()]);
  });

  it('must show a certificate that is trusted, where it is reached over TLS', async () => {
    const gate = await gateWith([`**=https://${PARENT_LOGIN}@${squid.secure}`], {
      upstreamCa: (await TestCa.create()).certificate,
    });
    const authority = `api.test:${secure.port}`;
    const client = await ask(gate, authority, get(authority, '/'));
    expect([client.status, client.reason]).toEqual([502, 'upstream-untrusted']);
    expect(client.received).toContain(`the certificate of the parent proxy ${squid.secure} is not trusted`);
    await client.close();
  });
});

describe('a SOCKS5 parent proxy', () => {
  it('takes addresses, by user and password (microsocks), and they are judged all the same', async () => {
    const proxies = [`**=socks5://${PARENT_LOGIN}@${microsocks.at}`];
    const authority = `127.0.0.1:${secure.port}`;
    const refusing = await gateWith(proxies);
    const refused = await ask(refusing, authority, get(authority, '/'));
    expect([refused.status, refused.reason]).toEqual([403, 'address-forbidden']);
    const gate = await gateWith(proxies, {
      more: '    networks: [here]\nnetworks: { here: [127.0.0.0/8] }\n',
    });
    const client = await ask(gate, authority, get(authority, '/socks'));
    expect(client.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/socks')).toMatchObject({
      address: `unchecked ${microsocks.at}`,
    });
    await Promise.all([refused.close(), client.close()]);
  });

  it('takes names without looking them up (another gate)', async () => {
    const parent = await startGate({
      allow: [`GET https://api.test:${secure.port}/**`, `GET http://plain.test:${plain.port}/**`],
      pins: [`api.test:${secure.port}=127.0.0.1:${secure.port}`, `plain.test:${plain.port}=127.0.0.1:${plain.port}`],
      upstreamCa: ca.certificate,
      flags: { 'listen.socks': '127.0.0.1:0' },
    });
    opened.push(parent);
    const at = parent.gate.entries['socks'] ?? '';
    const gate = await gateWith([`**=socks5://bot:${TOKEN}@${at}`], { upstreamCa: parent.ca });
    const authority = `api.test:${secure.port}`;
    const client = await ask(gate, authority, get(authority, '/two-gates'));
    expect(client.status).toBe(200);
    const unencrypted = await askPlain(gate, '/two-gates');
    expect(unencrypted.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/two-gates')).toMatchObject({ address: `unchecked ${at}` });
    expect(await parent.outcome((event) => event.path === '/two-gates')).toMatchObject({ agent: 'bot' });
    await Promise.all([client.close(), unencrypted.close()]);
  });

  it('that wants other credentials is unreachable', async () => {
    for (const login of ['', 'stranger:x@']) {
      const gate = await gateWith([`**=socks5://${login}${microsocks.at}`]);
      const authority = `api.test:${secure.port}`;
      const client = await ask(gate, authority, get(authority, '/'));
      expect([client.status, client.reason]).toEqual([502, 'upstream-unreachable']);
      expect(client.received).toContain('asks for other credentials');
      await client.close();
    }
  });
});

describe('which way is taken', () => {
  it('the nearest pattern decides, and a pin goes before all', async () => {
    const gate = await gateWith(
      ['**=http://127.0.0.1:9', `*.test=http://${PARENT_LOGIN}@${squid.plain}`, 'plain.test=direct'],
      { pins: [`plain.test:${plain.port}=127.0.0.1:${plain.port}`] },
    );
    const authority = `api.test:${secure.port}`;
    const through = await ask(gate, authority, get(authority, '/near'));
    expect(through.status).toBe(200);
    const pinned = await askPlain(gate, '/pinned');
    expect(pinned.status).toBe(200);
    expect(await gate.outcome((event) => event.path === '/pinned')).toMatchObject({
      address: `pinned 127.0.0.1:${plain.port}`,
    });
    await Promise.all([through.close(), pinned.close()]);
  });

  it('never through a listener of the gate itself', async () => {
    const port = await freePort();
    const gate = await gateWith([`**=http://127.0.0.1:${port}`], { flags: { 'listen.proxy': `127.0.0.1:${port}` } });
    const authority = `api.test:${secure.port}`;
    const client = await ask(gate, authority, get(authority, '/'));
    expect([client.status, client.reason]).toEqual([403, 'address-forbidden']);
    await client.close();
  });
});

describe('a parent that misbehaves', () => {
  const cases: ReadonlyArray<readonly [string, 'http' | 'socks5', (socket: Socket) => void, string, string | RegExp]> =
    [
      [
        'closes at once',
        'http',
        (socket) => socket.destroy(),
        'upstream-unreachable',
        /closed the connection|ECONNRESET/,
      ],
      ['refuses', 'http', (socket) => socket.end('HTTP/1.1 403 No\r\n\r\n'), 'upstream-unreachable', 'it answered 403'],
      [
        'is late',
        'http',
        (socket) => socket.end('HTTP/1.1 504 Late\r\n\r\n'),
        'upstream-timeout',
        'took too long (504)',
      ],
      ['speaks nonsense', 'http', (socket) => socket.end('hello\r\n\r\n'), 'upstream-malformed', /parent proxy/],
      [
        'says more than its answer',
        'http',
        (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'),
        'upstream-malformed',
        'it sent more than its answer',
      ],
      [
        'never ends its head',
        'http',
        (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`),
        'upstream-malformed',
        'its answer is too large',
      ],
      [
        'answers 100 for ever',
        'http',
        (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20)),
        'upstream-malformed',
        'it never comes to an answer',
      ],
      ['says nothing', 'http', () => undefined, 'upstream-timeout', 'took too long'],
      [
        'is no SOCKS server',
        'socks5',
        (socket) => socket.write('HTTP/1.1 400 Bad\r\n\r\n'),
        'upstream-malformed',
        'SOCKS',
      ],
      [
        'cannot reach the host',
        'socks5',
        (socket) => socket.write(Buffer.from([5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0])),
        'upstream-unreachable',
        'it cannot reach the host',
      ],
      [
        'has rules of its own',
        'socks5',
        (socket) => socket.write(Buffer.from([5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0])),
        'upstream-unreachable',
        'its rules do not allow it',
      ],
      [
        'replies with an address of no kind',
        'socks5',
        (socket) => socket.write(Buffer.from([5, 0, 5, 0, 0, 9, 0, 0, 0, 0, 0, 0])),
        'upstream-malformed',
        'malformed',
      ],
      [
        'asks for a method nobody offered',
        'socks5',
        (socket) => socket.write(Buffer.from([5, 2])),
        'upstream-unreachable',
        'credentials',
      ],
    ];
  it.each(cases)('%s (%s)', async (_name, protocol, act, reason, detail) => {
    const parent = await startRawOrigin((socket) => {
      socket.once('data', () => act(socket));
    });
    const gate = await gateWith([`**=${protocol}://127.0.0.1:${parent.port}`], {
      flags: { 'upstream.timeouts.connect': '1s' },
    });
    const authority = `api.test:${secure.port}`;
    const client = await ask(gate, authority, get(authority, '/'));
    expect(client.reason).toBe(reason);
    expect(client.received).toMatch(detail instanceof RegExp ? detail : new RegExp(detail.replaceAll(/[()]/g, '\\$&')));
    await client.close();
    await parent.close();
  });

  it('is not there', async () => {
    const gate = await gateWith(['**=http://127.0.0.1:9']);
    const authority = `api.test:${secure.port}`;
    const client = await ask(gate, authority, get(authority, '/'));
    expect([client.status, client.reason]).toEqual([502, 'upstream-unreachable']);
    expect(client.received).toContain('the parent proxy 127.0.0.1:9 cannot be reached (ECONNREFUSED)');
    await client.close();
  });
});
