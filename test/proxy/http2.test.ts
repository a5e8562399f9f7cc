import { createSecureServer, constants, type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { startGate, type TestGate } from '../support/gate.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  block,
  frame,
  openFrames,
  type FrameClient,
} from '../support/http2-frames.ts';
import { askHttp2, openSession } from '../support/http2-client.ts';
import { startOrigin, startRawOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

let ca: TestCa;
beforeAll(async () => void (ca = await TestCa.create()));

for (const upstream of ['http/1.1', 'h2'] as const) {
  describe(`HTTP/2 to the agent, ${upstream} to the upstream`, () => {
    let origin: Origin;
    let gate: TestGate;
    let session: ClientHttp2Session;
    beforeAll(async () => {
      origin = await startOrigin({
        tls: await ca.leaf(['api.test']),
        ...(upstream === 'h2' ? { protocols: 'h2' as const } : {}),
      });
      gate = await startGate({
        allow: ['GET,POST,HEAD https://api.test/ok/**'],
        pins: [`api.test:443=127.0.0.1:${origin.port}`],
        upstreamCa: ca.certificate,
      });
      session = await openSession(gate);
    });
    afterAll(async () => {
      session.destroy();
      await gate.close();
      await origin.close();
    });

    it('carries what is allowed, and records it', async () => {
      const { status, text } = await askHttp2(session, { ':path': '/ok/a?b=c' });
      expect([status, JSON.parse(text)]).toEqual([200, { method: 'GET', url: '/ok/a?b=c', size: 0 }]);
      expect(origin.requests.at(-1)?.httpVersion).toBe(upstream === 'h2' ? '2.0' : '1.1');
      expect(await gate.outcome((event) => event.path === '/ok/a')).toMatchObject({
        decision: 'allow',
        outcome: 'delivered',
        protocol: 'h2',
        status: 200,
      });
    });

    it('refuses the rest with the reason, and the next stream goes on', async () => {
      const seen = origin.requests.length;
      const [refused, allowed] = await Promise.all([
        askHttp2(session, { ':path': '/no' }),
        askHttp2(session, { ':path': '/ok/b', ':method': 'POST' }, { body: 'body' }),
      ]);
      expect([refused.status, refused.headers['sallyport-reason']]).toEqual([403, 'path-not-allowed']);
      expect(JSON.parse(refused.text)).toMatchObject({ reason: 'path-not-allowed' });
      expect([allowed.status, JSON.parse(allowed.text)]).toEqual([200, { method: 'POST', url: '/ok/b', size: 4 }]);
      expect(origin.requests.length).toBe(seen + 1);
    });

    it('refuses an upload without taking it, and says so properly', async () => {
      const refused = await askHttp2(session, { ':path': '/no', ':method': 'POST' }, { body: Buffer.alloc(2_000_000) });
      expect([refused.status, refused.headers['sallyport-reason']]).toEqual([403, 'path-not-allowed']);
      expect(refused.code).toBe(constants.NGHTTP2_NO_ERROR);
    });

    it('uploads more than its windows', async () => {
      const body = Buffer.alloc(5 * 1024 * 1024, 'z');
      const { text } = await askHttp2(session, { ':path': '/ok/big', ':method': 'POST' }, { body });
      expect(JSON.parse(text)).toMatchObject({ size: body.length });
    });

    it('serves many streams at once, each its own answer', async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => askHttp2(session, { ':path': `/ok/many/${index}` })),
      );
      expect(answers.map((answer) => (JSON.parse(answer.text) as { url: string }).url)).toEqual(
        Array.from({ length: 100 }, (_, index) => `/ok/many/${index}`),
      );
      // Many streams, one session: what HTTP/2 is for.
      if (upstream === 'h2') expect(origin.connections()).toBe(1);
    });

    it('HEAD has no body, and keeps its length', async () => {
      const answer = await askHttp2(session, { ':path': '/ok/head', ':method': 'HEAD' });
      expect([answer.status, answer.text, answer.code]).toEqual([200, '', 0]);
    });

    it('joins cookie crumbs, and keeps the rest as it came', async () => {
      await askHttp2(session, { ':path': '/ok/cookies', cookie: ['a=1', 'b=2'], 'x-one': ['1', '2'] });
      const seen = origin.requests.at(-1);
      expect(seen?.headers.cookie).toBe('a=1; b=2');
      expect(seen?.headers['x-one']).toBe('1, 2');
      expect(seen?.headers.via).toMatch(/^(?:1\.1|2) sallyport-/);
    });
  });
}

describe('an upstream that has HTTP/2 alone', () => {
  it('is found out by an HTTP/1 agent, and reached', async () => {
    const origin = await startOrigin({ tls: await ca.leaf(['api.test']), protocols: 'h2' });
    const gate = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    for (let i = 0; i < 2; i++) {
      const client = await ask(
        gate,
        'api.test:443',
        'POST /x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2\r\n\r\nok',
      );
      expect(client.status).toBe(200);
      expect(client.received).toContain('"size":2');
      await client.close();
    }
    expect(origin.requests.map((request) => request.httpVersion)).toEqual(['2.0', '2.0']);
    await gate.close();
    await origin.close();
  });
});

/** An HTTP/2 origin that hands out its streams. */
async function startStreams(
  handle: (stream: ServerHttp2Stream, path: string) => void,
): Promise<{ port: number; close: () => Promise<void> }> {
  const { certificate, key } = await ca.leaf(['api.test']);
  const server = createSecureServer({ cert: certificate, key });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    handle(stream, headers[':path'] ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        server.close(() => resolve());
      }),
  };
}

describe('fields that HTTP/2 in Node has room for once', () => {
  const twice = async (path: string, fields: string, rest = 'Content-Length: 2\r\n\r\nok') => {
    const origin = await startRawOrigin(
      (socket) => socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${fields}${rest}`)),
      await ca.leaf(['api.test']),
    );
    const gate = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const session = await openSession(gate);
    const answer = await askHttp2(session, { ':path': path });
    session.destroy();
    await gate.close();
    await origin.close();
    return answer;
  };

  it('come once when an upstream says the same twice', async () => {
    const answer = await twice('/', 'X-Content-Type-Options: nosniff\r\nx-content-type-options: nosniff\r\n');
    expect([answer.status, answer.text, answer.headers['x-content-type-options']]).toEqual([200, 'ok', 'nosniff']);
  });

  it('are upstream-malformed when it says two things', async () => {
    const answer = await twice('/', 'ETag: "a"\r\nETag: "b"\r\n');
    expect([answer.status, answer.headers['sallyport-reason']]).toEqual([502, 'upstream-malformed']);
  });

  it('cut the stream where they are trailers, and nothing else', async () => {
    const answer = await twice(
      '/',
      '',
      'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nETag: "a"\r\nETag: "b"\r\n\r\n',
    );
    expect([answer.status, answer.text, answer.code]).toEqual([200, 'ok', constants.NGHTTP2_INTERNAL_ERROR]);
  });

  it('others come as often as they were said', async () => {
    const answer = await twice('/', 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-A: 1\r\nX-A: 2\r\n');
    expect([answer.status, answer.headers['set-cookie'], answer.headers['x-a']]).toEqual([200, ['a=1', 'b=2'], '1, 2']);
  });
});

describe('what only HTTP/2 has', () => {
  let streams: Awaited<ReturnType<typeof startStreams>>;
  let gate: TestGate;
  let session: ClientHttp2Session;
  let refusals = 0;
  let cancelled: number | null = null;
  const trailersSeen: unknown[] = [];
  beforeAll(async () => {
    streams = await startStreams((stream, path) => {
      if (path === '/trailers') {
        stream.on('trailers', (trailers) => trailersSeen.push(Object.entries(trailers)));
        stream.resume();
        stream.on('end', () => {
          stream.respond({ ':status': 200 }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'content-type': 'evil/type' }));
          stream.end('x');
        });
      } else if (path === '/hints') {
        stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
        stream.respond({ ':status': 204 }, { endStream: true });
      } else if (path === '/refused' && refusals++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else if (path === '/reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else if (path === '/cut') {
        stream.respond({ ':status': 200 });
        // destroy, not close: Node's close() sends END_STREAM first, and a cut answer would look whole.
        stream.write('half', () => stream.destroy(new Error('cut')));
      } else if (path === '/slow') {
        stream.on('close', () => (cancelled = stream.rstCode ?? -1));
        stream.respond({ ':status': 200 });
        stream.write('first');
      } else {
        stream.respond({ ':status': 200 });
        stream.end(path);
      }
    });
    gate = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${streams.port}`],
      upstreamCa: ca.certificate,
    });
    session = await openSession(gate);
  });
  afterAll(async () => {
    session.destroy();
    await gate.close();
    await streams.close();
  });

  it('trailers go both ways, but for those that would change what was judged', async () => {
    const answer = await askHttp2(
      session,
      { ':path': '/trailers', ':method': 'POST', te: 'trailers' },
      { body: 'b', trailers: { 'x-sum': '42', authorization: 'late' } },
    );
    expect([answer.status, answer.text]).toEqual([200, 'x']);
    expect({ ...answer.trailers }).toMatchObject({ 'grpc-status': '0' });
    expect(answer.trailers).not.toHaveProperty('content-type');
    expect(trailersSeen).toEqual([[['x-sum', '42']]]);
  });

  it('103 is passed on', async () => {
    const answer = await askHttp2(session, { ':path': '/hints' });
    expect([answer.interim, answer.status]).toEqual([[103], 204]);
  });

  it('REFUSED_STREAM is tried again, for nothing has been done', async () => {
    expect((await askHttp2(session, { ':path': '/refused' })).status).toBe(200);
    expect(refusals).toBe(2);
  });

  it('a reset before the head is 502, one within the body cuts the stream', async () => {
    const reset = await askHttp2(session, { ':path': '/reset' });
    expect([reset.status, reset.headers['sallyport-reason']]).toEqual([502, 'upstream-unreachable']);
    const cut = await askHttp2(session, { ':path': '/cut' });
    expect([cut.status, cut.text, cut.code]).toEqual([200, 'half', constants.NGHTTP2_INTERNAL_ERROR]);
    expect(await gate.outcome((event) => event.path === '/cut')).toMatchObject({ outcome: 'truncated' });
    expect((await askHttp2(session, { ':path': '/next' })).text).toBe('/next');
  });

  it('an agent that leaves a stream cancels it upstream, and is recorded as gone', async () => {
    const stream = session.request({ ':path': '/slow' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => cancelled !== null, 'the cancellation');
    expect(cancelled).toBe(constants.NGHTTP2_CANCEL);
    expect(await gate.outcome((event) => event.path === '/slow')).toMatchObject({ outcome: 'aborted' });
  });

  it('draining sends GOAWAY, and what is open ends in peace', async () => {
    const own = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${streams.port}`],
      upstreamCa: ca.certificate,
    });
    const other = await openSession(own);
    const stream = other.request({ ':path': '/slow' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('data', resolve));
    const goaway = new Promise<number>((resolve) => other.once('goaway', (code) => resolve(code)));
    const drained = own.gate.drain();
    expect(await goaway).toBe(constants.NGHTTP2_NO_ERROR);
    expect(stream.destroyed).toBe(false);
    stream.close(constants.NGHTTP2_CANCEL);
    await drained;
    other.destroy();
    await own.close();
  });
});

describe('an answer that is complete before its request', () => {
  it('leaves whole, however small the window of the agent, and only then is the rest declined', async () => {
    const text = 'early answer '.repeat(100);
    const origin = await startOrigin({
      tls: await ca.leaf(['api.test']),
      streaming: (request, response) => {
        request.on('error', () => undefined).resume();
        response.on('error', () => undefined).end(text);
      },
    });
    const gate = await startGate({
      allow: ['POST https://api.test/ok/**'],
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const client = await openFrames(gate);
    // SETTINGS_INITIAL_WINDOW_SIZE = 100; a request whose body goes on for ever.
    client.send(frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 100])));
    const head = block([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'api.test'],
      [':path', '/ok/early'],
    ]);
    client.send(frame(HEADERS, END_HEADERS, 1, head), frame(DATA, 0, 1, Buffer.from('the first of it')));
    await until(() => client.text(1).length === 100, 'the first of the answer');
    expect(client.ending(1)).toBeNull();
    const more = Buffer.alloc(4);
    more.writeUInt32BE(10_000);
    client.send(frame(WINDOW_UPDATE, 0, 1, more));
    expect(await client.ended(1)).toBe('answered');
    expect(client.text(1)).toBe(text);
    const reset = await until(() => client.frames.find((each) => each.type === RST_STREAM), 'the rest to be declined');
    expect([reset.stream, reset.payload.readUInt32BE(0)]).toEqual([1, constants.NGHTTP2_NO_ERROR]);
    client.close();
    await gate.close();
    await origin.close();
  });
});

describe('an agent that leaves', () => {
  it('is forgotten, said it goodbye or not', async () => {
    const origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
    const gate = await startGate({
      allow: ['GET https://api.test/ok/**'],
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const open = async (): Promise<string> => {
      const text = await (await fetch(`${gate.adminUrl}/metrics`)).text();
      return /^sallyport_connections_open (\d+)$/m.exec(text)?.[1] ?? '';
    };
    const head = block([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'api.test'],
      [':path', '/no'],
    ]);
    for (const leave of [
      (client: FrameClient) => client.socket.end(),
      (client: FrameClient) => client.socket.destroy(),
      (client: FrameClient) => client.send(frame(GOAWAY, 0, 0, Buffer.alloc(8))).socket.end(),
    ]) {
      const client = await openFrames(gate);
      client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, head));
      expect(await client.ended(1)).toBe('answered');
      expect(await open()).toBe('1');
      leave(client);
      await expect.poll(open, { timeout: 10_000 }).toBe('0');
      client.close();
    }
    await gate.close();
    await origin.close();
  });
});
