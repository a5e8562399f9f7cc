import { createConnection, type AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseRequestHead } from '../../../src/http1/head.ts';
import { MessageReader } from '../../../src/http1/reader.ts';

/**
 * Differential test against llhttp, Node's own parser: whatever we accept, llhttp reads the same way. The other direction is
 * free: we refuse much that llhttp repairs.
 */
interface Reading {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

const server = createServer();
const readings = new Map<number, { readings: Reading[]; done: (readings: Reading[]) => void }>();
let port = 0;

beforeAll(async () => {
  server.on('request', (request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (bytes: Buffer) => pieces.push(bytes));
    request.on('end', () => {
      readings.get(request.socket.remotePort ?? 0)?.readings.push({
        method: request.method ?? '',
        url: request.url ?? '',
        body: Buffer.concat(pieces).toString('latin1'),
      });
      response.end();
    });
  });
  for (const event of ['upgrade', 'connect'] as const) server.on(event, (_request, socket) => socket.destroy());
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

/** What llhttp makes of the bytes. */
async function theirs(bytes: Buffer): Promise<Reading[]> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  await new Promise((resolve) => socket.once('connect', resolve));
  const entry = { readings: [] as Reading[], done: () => undefined };
  const own = socket.localPort ?? 0;
  readings.set(own, entry);
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  readings.delete(own);
  return entry.readings;
}

/** What we make of them; null when we refuse any of it. */
function ours(bytes: Buffer): Reading[] | null {
  const reader = new MessageReader(parseRequestHead);
  const found: Reading[] = [];
  let current = { method: '', url: '', body: '' };
  let keepAlive = true;
  reader.push(bytes);
  try {
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type === 'head') current = { method: event.head.method, url: event.head.target, body: '' };
      if (event.type === 'head') keepAlive = event.head.keepAlive;
      if (event.type === 'head' && (event.head.upgrade !== null || event.head.method === 'CONNECT')) return null;
      if (event.type === 'body') current.body += event.bytes.toString('latin1');
      if (event.type === 'end') {
        found.push(current);
        // What stands behind the last request of a connection is nobody's: the gate drops it, llhttp calls it an error.
        if (!keepAlive) return reader.buffered === 0 ? found : null;
        if (reader.buffered === 0) return found;
        reader.proceed();
      }
    }
    return reader.resting ? found : null;
  } catch {
    return null;
  }
}

const plainLine = fc.constantFrom('GET / HTTP/1.1', 'POST /x?y HTTP/1.1', 'PUT /%41 HTTP/1.1');
const oddLine = fc.constantFrom(
  'GET / HTTP/1.1',
  'POST /x?y HTTP/1.1',
  'PUT /%41 HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/1.2',
  'DELETE /a;b HTTP/1.1',
  'GET /\x80 HTTP/1.1',
  'get / HTTP/1.1',
  'GET /a#b HTTP/1.1',
  'GET http://h/ HTTP/1.1',
);
const line = fc.oneof({ weight: 4, arbitrary: plainLine }, { weight: 1, arbitrary: oddLine });
const plainField = fc.constantFrom(
  'X: y',
  'Accept: */*',
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'Connection: keep-alive',
  'X:',
  'X: \xe9',
);
const oddField = fc.constantFrom(
  'Content-Length: 3',
  'Content-Length: 03',
  'Content-Length: 3, 3',
  'Content-Length:3',
  'content-length: 0',
  'Content-Length : 3',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: chunked ',
  'X: y',
  'X : y',
  ' X: y',
  'X: \x01',
  'X:',
  ': y',
  'X: y\x00z',
  'Connection: close',
  'Expect: 100-continue',
  'X-\xe9: y',
  'X: \xe9',
  'Host: h2',
  'Connection: keep-alive, Upgrade',
);
const field = fc.oneof({ weight: 3, arbitrary: plainField }, { weight: 1, arbitrary: oddField });
const ending = fc.oneof(
  { weight: 19, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r') },
);
const body = fc.constantFrom(
  '',
  'abc',
  '3\r\nabc\r\n0\r\n\r\n',
  '3;x\r\nabc\r\n0\r\nT: u\r\n\r\n',
  '3\nabc\n0\n\n',
  '3 \r\nabc\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '03\r\nabc\r\n00\r\n\r\n',
  '+3\r\nabc\r\n0\r\n\r\n',
  '3\r\nabcd\r\n0\r\n\r\n',
  'GET /second HTTP/1.1\r\nHost: h\r\n\r\n',
  '3\r\nabc\r\n0\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n',
);

const message = fc
  .record({ line, fields: fc.array(fc.tuple(field, ending), { maxLength: 3 }), lineEnd: ending, body })
  .map(({ line: first, fields, lineEnd, body: rest }) =>
    Buffer.from(
      `${first}${lineEnd}Host: h\r\n${fields.map(([text, end]) => text + end).join('')}\r\n${rest}`,
      'latin1',
    ),
  );

describe('the codec and llhttp', () => {
  it('read the same in whatever the codec accepts', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(message, async (bytes) => {
        const mine = ours(bytes);
        if (mine === null) return;
        accepted++;
        expect({ bytes: bytes.toString('latin1'), readings: await theirs(bytes) }).toEqual({
          bytes: bytes.toString('latin1'),
          readings: mine,
        });
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(200);
  }, 60_000);

  it('both refuse this corpus', async () => {
    const corpus = [
      'GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n',
      'GET / HTTP/3.1\r\nHost: h\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n',
    ];
    for (const text of corpus) {
      const bytes = Buffer.from(text, 'latin1');
      expect([text, ours(bytes), await theirs(bytes)]).toEqual([text, null, []]);
    }
  });
});
