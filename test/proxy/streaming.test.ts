import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { answered, dialGate, openTls, openTunnel } from '../support/client.ts';
import { BASIC, startGate, type GateOptions, type TestGate } from '../support/gate.ts';
import { startOrigin, startRawOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

async function gateTo(port: number, ca: TestCa, more: GateOptions = {}): Promise<TestGate> {
  return startGate({
    allow: ['* https://api.test/**'],
    pins: [`api.test:443=127.0.0.1:${port}`],
    upstreamCa: ca.certificate,
    ...more,
  });
}

describe('a body', () => {
  it('of 64 MiB arrives with the same checksum, both ways', async () => {
    const ca = await TestCa.create();
    const piece = randomBytes(1024 * 1024);
    const expected = createHash('sha256');
    for (let i = 0; i < 64; i++) expected.update(piece);
    const sum = expected.digest('hex');
    const origin = await startOrigin({
      tls: await ca.leaf(['api.test']),
      streaming: (request, response) => {
        if (request.method === 'POST') {
          const hash = createHash('sha256');
          request.on('data', (bytes: Buffer) => hash.update(bytes));
          request.on('end', () => response.end(hash.digest('hex')));
          return;
        }
        let left = 64;
        const more = (): void => {
          while (left-- > 0) if (!response.write(piece)) return void response.once('drain', more);
          response.end();
        };
        more();
      },
    });
    const gate = await gateTo(origin.port, ca);
    const up = await openTls(gate, 'api.test:443');
    up.send(`POST /up HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
    for (let i = 0; i < 64; i++)
      if (!up.socket.write(piece)) await new Promise((resolve) => up.socket.once('drain', resolve));
    await answered(up);
    expect(up.received).toContain(sum);

    const down = await openTls(gate, 'api.test:443');
    const hash = createHash('sha256');
    let raw = Buffer.alloc(0);
    let size = 0;
    down.socket.removeAllListeners('data');
    const done = new Promise<void>((resolve) => {
      let head = true;
      down.socket.on('data', (bytes: Buffer) => {
        raw = Buffer.concat([raw, bytes]);
        if (head) {
          const end = raw.indexOf('\r\n\r\n');
          if (end === -1) return;
          raw = raw.subarray(end + 4);
          head = false;
        }
        for (;;) {
          const line = raw.indexOf('\r\n');
          if (line === -1) return;
          const length = Number.parseInt(raw.toString('latin1', 0, line), 16);
          if (raw.length < line + 2 + length + 2) return;
          if (length === 0) return resolve();
          hash.update(raw.subarray(line + 2, line + 2 + length));
          size += length;
          raw = raw.subarray(line + 2 + length + 2);
        }
      });
    });
    down.send('GET /down HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await done;
    expect([size, hash.digest('hex')]).toEqual([64 * 1024 * 1024, sum]);
    await Promise.all([up.close(), down.close()]);
    await gate.close();
    await origin.close();
  });

  it('up to inspect.buffer is held whole before the first byte leaves', async () => {
    const ca = await TestCa.create();
    const origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
    const gate = await gateTo(origin.port, ca, { flags: { 'inspect.buffer': '10 KiB' } });
    const client = await openTls(gate, 'api.test:443');
    client.send('POST /held HTTP/1.1\r\nHost: api.test\r\nContent-Length: 10\r\n\r\n12345');
    // A whole exchange on another connection, so that the gate has surely read what is here of the first.
    const other = await openTls(gate, 'api.test:443');
    other.send('GET /other HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await answered(other);
    expect([origin.requests.map((each) => each.url), origin.connections()]).toEqual([['/other'], 1]);
    expect(gate.events().filter((each) => each.kind === 'intent')).toHaveLength(1);
    client.send('67890');
    await answered(client);
    expect(origin.requests[1]?.body.toString()).toBe('1234567890');
    await other.close();
    await client.close();
    await gate.close();
    await origin.close();
  });

  it('beyond inspect.buffer streams, of known and of unknown length', async () => {
    const ca = await TestCa.create();
    let arrived = 0;
    const origin = await startOrigin({
      tls: await ca.leaf(['api.test']),
      streaming: (request, response) => {
        request.on('data', (bytes: Buffer) => (arrived += bytes.length));
        request.on('end', () => response.end('done'));
      },
    });
    const gate = await gateTo(origin.port, ca, { flags: { 'inspect.buffer': '1 KiB' } });
    const known = await openTls(gate, 'api.test:443');
    known.send(`POST /known HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4000\r\n\r\n${'x'.repeat(2000)}`);
    await until(() => arrived === 2000, 'the first half upstream');
    known.send('x'.repeat(2000));
    await answered(known);
    arrived = 0;
    const unknown = await openTls(gate, 'api.test:443');
    unknown.send(
      `POST /unknown HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2000)}\r\n`,
    );
    await until(() => arrived === 2000, 'the first chunk upstream');
    unknown.send('3\r\nend\r\n0\r\n\r\n');
    await answered(unknown);
    expect(arrived).toBe(2003);
    await Promise.all([known.close(), unknown.close()]);
    await gate.close();
    await origin.close();
  });

  it('is held back by a slow reader instead of filling memory', async () => {
    const ca = await TestCa.create();
    let written = 0;
    const origin = await startOrigin({
      tls: await ca.leaf(['api.test']),
      streaming: (_request, response) => {
        const piece = Buffer.alloc(256 * 1024);
        const more = (): void => {
          while (written < 200 * 1024 * 1024) {
            written += piece.length;
            if (!response.write(piece)) return void response.once('drain', more);
          }
          response.end();
        };
        more();
      },
    });
    const gate = await gateTo(origin.port, ca);
    const client = await openTls(gate, 'api.test:443');
    client.send('GET /big HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await client.see('\r\n\r\n');
    client.socket.pause();
    let before = -1;
    await until(() => {
      const still = before === written;
      before = written;
      return still;
    }, 'the origin to be held back');
    expect(written).toBeLessThan(40 * 1024 * 1024);
    await client.close();
    await gate.close();
    await origin.close();
  });
});

describe('events of a stream', () => {
  it('reach the agent one by one', async () => {
    const ca = await TestCa.create();
    let send: (text: string) => void = () => undefined;
    const origin = await startOrigin({
      tls: await ca.leaf(['api.test']),
      streaming: (_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
        send = (text) => void response.write(`data: ${text}\n\n`);
      },
    });
    const gate = await gateTo(origin.port, ca);
    const client = await openTls(gate, 'api.test:443');
    client.send('GET /events HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await client.see('text/event-stream');
    for (const text of ['one', 'two', 'three']) {
      send(text);
      await client.see(`data: ${text}`);
    }
    await client.close();
    await gate.close();
    await origin.close();
  });
});

describe('when one side goes away', () => {
  it('an agent that leaves cancels the upstream', async () => {
    const ca = await TestCa.create();
    let closed = false;
    const origin = await startOrigin({
      tls: await ca.leaf(['api.test']),
      streaming: (request, response) => {
        response.writeHead(200).flushHeaders();
        request.socket.on('close', () => (closed = true));
      },
    });
    const gate = await gateTo(origin.port, ca);
    const client = await openTls(gate, 'api.test:443');
    client.send('GET /forever HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await client.see('200 OK');
    await client.close();
    await until(() => closed, 'the upstream to be cancelled');
    expect(await gate.outcome()).toMatchObject({ outcome: 'aborted', decision: 'allow' });
    await gate.close();
    await origin.close();
  });

  it('an agent that half-closes in the clear still gets its answer', async () => {
    const origin = await startOrigin();
    const gate = await startGate({
      allow: ['* http://plain.test/**'],
      pins: [`plain.test:80=127.0.0.1:${origin.port}`],
    });
    const client = await dialGate(gate);
    client.socket.end(
      `GET http://plain.test/half HTTP/1.1\r\nHost: plain.test\r\nProxy-Authorization: ${BASIC}\r\n\r\n`,
    );
    await client.see('"url":"/half"');
    await client.gone();
    await gate.close();
    await origin.close();
  });

  it('an upstream that is silent is upstream-timeout', async () => {
    const ca = await TestCa.create();
    const origin = await startRawOrigin(() => undefined, await ca.leaf(['api.test']));
    const gate = await gateTo(origin.port, ca, { flags: { 'upstream.timeouts.first-byte': '1s' } });
    const client = await openTls(gate, 'api.test:443');
    client.send('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await answered(client);
    expect([client.status, client.reason]).toEqual([504, 'upstream-timeout']);
    await client.close();
    await gate.close();
    await origin.close();
  });

  it('an upstream that refuses connections is upstream-unreachable', async () => {
    const ca = await TestCa.create();
    const origin = await startRawOrigin(() => undefined);
    await origin.close();
    const gate = await gateTo(origin.port, ca);
    const client = await openTls(gate, 'api.test:443');
    client.send('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await answered(client);
    expect([client.status, client.reason]).toEqual([502, 'upstream-unreachable']);
    await client.close();
    await gate.close();
  });
});

describe('pipelined requests', () => {
  it('are answered in order, each judged alone', async () => {
    const ca = await TestCa.create();
    const origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
    const gate = await gateTo(origin.port, ca, { allow: ['GET https://api.test/ok/**'] });
    const client = await openTls(gate, 'api.test:443');
    client.send(['/ok/1', '/no/2', '/ok/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`).join(''));
    await client.see('"/ok/3"');
    expect(client.received.indexOf('"/ok/1"')).toBeLessThan(client.received.indexOf('path-not-allowed'));
    expect(client.received.indexOf('path-not-allowed')).toBeLessThan(client.received.indexOf('"/ok/3"'));
    expect(origin.requests.map((request) => request.url)).toEqual(['/ok/1', '/ok/3']);
    await client.close();
    await gate.close();
    await origin.close();
  });
});

describe('an opaque tunnel (scheme: tcp)', () => {
  it('carries any bytes both ways, ends each way in turn, and is recorded as uninspected', async () => {
    const origin = await startRawOrigin((socket) => {
      socket.write('220 ready\r\n');
      socket.on('data', (bytes: Buffer) => socket.write(`echo ${bytes.toString()}`));
      socket.on('end', () => socket.end('bye\r\n'));
    });
    const gate = await startGate({ allow: ['* tcp://mail.test:25'], pins: [`mail.test:25=127.0.0.1:${origin.port}`] });
    const client = await openTunnel(gate, 'mail.test:25');
    await client.see('220 ready');
    client.send('EHLO me\r\n');
    await client.see('echo EHLO me');
    client.socket.end();
    await client.see('bye');
    expect(await gate.outcome()).toMatchObject({
      inspected: false,
      scheme: 'tcp',
      outcome: 'delivered',
      host: 'mail.test',
    });
    await gate.close();
    await origin.close();
  });
});
