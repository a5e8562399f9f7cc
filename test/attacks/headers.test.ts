import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { answered, ask, openTls } from '../support/client.ts';
import { TestCa } from '../support/certificates.ts';
import { startRawOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';
import { useStage } from './stage.ts';

const stage = useStage();

describe('request fields', () => {
  it('hop-by-hop ones and those Connection names do not pass; Host and framing cannot be named away', async () => {
    const client = await ask(
      stage.gate,
      'api.test:443',
      'POST /h HTTP/1.1\r\nHost: api.test\r\nConnection: keep-alive, X-Hop, Host, Content-Length, Via\r\nX-Hop: 1\r\nX-Keep: 2\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTrailer: X\r\nVia: 1.0 before\r\nContent-Length: 2\r\n\r\nok',
    );
    const seen = stage.secure.requests.at(-1);
    expect(client.status).toBe(200);
    expect(seen?.headers).toMatchObject({ host: 'api.test', 'x-keep': '2', 'content-length': '2' });
    for (const name of ['x-hop', 'te', 'keep-alive', 'proxy-connection', 'trailer'])
      expect(seen?.headers[name]).toBeUndefined();
    expect(seen?.headers.via).toMatch(/^1\.0 before, 1\.1 sallyport-[0-9a-f]{8}$/);
    expect(seen?.body.toString()).toBe('ok');
    await client.close();
  });

  it('keep their case, order and bytes', async () => {
    const client = await ask(
      stage.gate,
      'api.test:443',
      'GET /h HTTP/1.1\r\nX-b: \xe9t\xe9\r\nHost: api.test\r\nx-A: 1\r\nX-b: 2\r\n\r\n',
    );
    const raw = stage.secure.requests.at(-1)?.rawHeaders ?? [];
    expect(raw.filter((_, index) => index % 2 === 0)).toEqual([
      'Host',
      'X-b',
      'x-A',
      'X-b',
      'Via',
      ...raw.filter((_, index) => index % 2 === 0).slice(5),
    ]);
    expect(raw[3]).toBe('\xe9t\xe9');
    await client.close();
  });

  it('that have been through this gate are a loop', async () => {
    const first = await ask(stage.gate, 'api.test:443', 'GET /h HTTP/1.1\r\nHost: api.test\r\n\r\n');
    const via = String(stage.secure.requests.at(-1)?.headers.via);
    const second = await ask(stage.gate, 'api.test:443', `GET /h HTTP/1.1\r\nHost: api.test\r\nVia: ${via}\r\n\r\n`);
    expect(second.reason).toBe('address-forbidden');
    await Promise.all([first.close(), second.close()]);
  });
});

describe('Expect: 100-continue', () => {
  it('a denied upload sends no body', async () => {
    const client = await openTls(stage.gate, 'other.test:443');
    client.send('POST /x HTTP/1.1\r\nHost: other.test\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n');
    await answered(client);
    expect(client.reason).toBe('host-not-allowed');
    expect(client.received).not.toContain('100 Continue');
    await client.close();
  });

  it('is answered after the decision', async () => {
    const client = await openTls(stage.gate, 'api.test:443');
    client.send('POST /x HTTP/1.1\r\nHost: api.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    await client.see('100 Continue');
    client.received = '';
    client.send('hello');
    await answered(client);
    expect(client.status).toBe(200);
    expect(stage.secure.requests.at(-1)?.headers.expect).toBeUndefined();
    await client.close();
  });
});

it('a refusal during an upload arrives before the connection closes', async () => {
  const client = await openTls(stage.gate, 'other.test:443');
  client.send(`POST /x HTTP/1.1\r\nHost: other.test\r\nContent-Length: 3000000\r\n\r\n${'x'.repeat(500_000)}`);
  await client.see('sallyport-reason: host-not-allowed'.replace('s', 'S').replace('reason', 'Reason'));
  await client.gone();
  expect(client.status).toBe(403);
  await client.close();
});

/** Answers of an upstream, as bytes; what the agent sees of each. */
const ANSWERS: Record<
  string,
  { bytes: string; status: number; reason?: string; sees?: RegExp; not?: RegExp; destroyed?: boolean }
> = {
  'a truncated length': { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', status: 200, destroyed: true },
  'truncated chunks': {
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    status: 200,
    destroyed: true,
    not: /\r\n0\r\n\r\n$/,
  },
  'a close-delimited body': { bytes: 'HTTP/1.1 200 OK\r\n\r\nabc', status: 200, sees: /3\r\nabc\r\n0\r\n\r\n$/ },
  'a reset before the head': { bytes: '', status: 502, reason: 'upstream-unreachable' },
  'half a head': { bytes: 'HTTP/1.1 200 OK\r\nX: y\r\n', status: 502, reason: 'upstream-unreachable' },
  garbage: { bytes: 'hello there\r\n\r\n', status: 502, reason: 'upstream-malformed' },
  'both framings': {
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 502,
    reason: 'upstream-malformed',
  },
  'two lengths': {
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    status: 502,
    reason: 'upstream-malformed',
  },
  'a bare line feed': {
    bytes: 'HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n',
    status: 502,
    reason: 'upstream-malformed',
  },
  'an unsolicited 101': {
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    status: 502,
    reason: 'upstream-malformed',
  },
  'our own header names': {
    bytes:
      'HTTP/1.1 200 OK\r\nSallyport-Reason: forged\r\nSallyport-Warning: forged\r\nProxy-Status: forged\r\nContent-Length: 0\r\n\r\n',
    status: 200,
    not: /forged/,
  },
  'early hints': {
    bytes: 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    status: 103,
    sees: /103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*ok$/,
  },
  'a field outside ASCII': {
    bytes: 'HTTP/1.1 200 OK\r\nX-Name: \xe9t\xe9\r\nContent-Length: 0\r\n\r\n',
    status: 200,
    sees: /X-Name: \xe9t\xe9/,
  },
  trailers: {
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nSallyport-Reason: forged\r\n\r\n',
    status: 200,
    sees: /0\r\nX-Sum: 1\r\n\r\n$/,
    not: /forged/,
  },
  'no content': {
    bytes: 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n',
    status: 204,
    sees: /X: y\r\n/,
    not: /content-length|transfer-encoding/i,
  },
  'an answer without a phrase': { bytes: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', status: 200, sees: /ok$/ },
};

describe('an upstream answers with', () => {
  for (const [name, expected] of Object.entries(ANSWERS)) {
    it(name, async () => {
      const ca = await TestCa.create();
      const origin = await startRawOrigin(
        (socket) => {
          socket.once('data', () => socket.end(Buffer.from(expected.bytes, 'latin1')));
        },
        await ca.leaf(['raw.test']),
      );
      const gate = await startGate({
        allow: ['* https://raw.test/**'],
        pins: [`raw.test:443=127.0.0.1:${origin.port}`],
        upstreamCa: ca.certificate,
      });
      const client = await openTls(gate, 'raw.test:443');
      client.send('GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n');
      if (expected.destroyed === true) await until(() => client.closed, 'the cut connection');
      else if (expected.sees !== undefined) await client.see(expected.sees);
      else await answered(client);
      expect(client.status).toBe(expected.status);
      if (expected.reason !== undefined) expect(client.reason).toBe(expected.reason);
      if (expected.not !== undefined) expect(client.received).not.toMatch(expected.not);
      if (expected.destroyed === true) expect((await gate.outcome()).outcome).toBe('truncated');
      await client.close();
      await gate.close();
      await origin.close();
    });
  }

  it('a second answer nobody asked for, which ends the connection', async () => {
    const ca = await TestCa.create();
    let connections = 0;
    const origin = await startRawOrigin(
      (socket) => {
        connections++;
        socket.on('data', () =>
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
          ),
        );
      },
      await ca.leaf(['raw.test']),
    );
    const gate = await startGate({
      allow: ['* https://raw.test/**'],
      pins: [`raw.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const client = await openTls(gate, 'raw.test:443');
    for (let i = 0; i < 2; i++) {
      client.received = '';
      client.send('GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n');
      await answered(client);
      expect(client.received).toMatch(/\r\n\r\nok$/);
    }
    expect(connections).toBe(2);
    await client.close();
    await gate.close();
    await origin.close();
  });
});

it('HEAD keeps the length that is announced, and the connection', async () => {
  const ca = await TestCa.create();
  const origin = await startRawOrigin(
    (socket) => {
      socket.on('data', (bytes: Buffer) =>
        socket.write(
          bytes.toString().startsWith('HEAD')
            ? 'HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n'
            : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter',
        ),
      );
    },
    await ca.leaf(['raw.test']),
  );
  const gate = await startGate({
    allow: ['* https://raw.test/**'],
    pins: [`raw.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
  const client = await openTls(gate, 'raw.test:443');
  client.send('HEAD /x HTTP/1.1\r\nHost: raw.test\r\n\r\n');
  await client.see('\r\n\r\n');
  expect(client.received).toMatch(/Content-Length: 77\r\n/);
  client.received = '';
  client.send('GET /after HTTP/1.1\r\nHost: raw.test\r\n\r\n');
  await answered(client);
  expect(client.received).toMatch(/\r\n\r\nafter$/);
  expect(origin.connections()).toBe(1);
  await client.close();
  await gate.close();
  await origin.close();
});
