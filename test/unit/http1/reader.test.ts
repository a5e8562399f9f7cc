import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseRequestHead, parseResponseHead } from '../../../src/http1/head.ts';
import { MAX_HEAD, MessageReader, type MessageEvent } from '../../../src/http1/reader.ts';

type Said = string | [string, string];

/** What a reader says of bytes that arrive in these pieces. */
function readAll(pieces: readonly Buffer[]): Said[] {
  const reader = new MessageReader(parseRequestHead);
  const said: Said[] = [];
  const take = (): void => {
    for (
      let event: MessageEvent<ReturnType<typeof parseRequestHead>> | null = reader.next();
      event !== null;
      event = reader.next()
    ) {
      if (event.type === 'head') said.push(['head', `${event.head.method} ${event.head.target}`]);
      if (event.type === 'body') {
        const last = said.at(-1);
        if (Array.isArray(last) && last[0] === 'body') last[1] += event.bytes.toString('latin1');
        else said.push(['body', event.bytes.toString('latin1')]);
      }
      if (event.type === 'end') {
        said.push('end');
        reader.proceed();
      }
    }
  };
  try {
    for (const piece of pieces) {
      reader.push(piece);
      take();
    }
  } catch (error) {
    said.push((error as Error).message);
  }
  return said;
}

const STREAM = Buffer.from(
  'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n',
  'latin1',
);
const EXPECTED: Said[] = [
  ['head', 'POST /a'],
  ['body', 'hello'],
  'end',
  ['head', 'POST /b'],
  ['body', 'abc0123456789'],
  'end',
  ['head', 'GET /c'],
  'end',
];

describe('MessageReader', () => {
  it('reads requests one after another', () => {
    expect(readAll([STREAM])).toEqual(EXPECTED);
  });

  it('reads the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: STREAM.length }), { maxLength: 20 }), (cuts) => {
        const points = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
        const pieces = points
          .slice(1)
          .map((end, index) => STREAM.subarray(points[index], end))
          .filter((piece) => piece.length > 0);
        expect(readAll(pieces)).toEqual(EXPECTED);
      }),
    );
  });

  it('refuses a head as soon as it is too large, not when it ends', () => {
    expect(readAll([Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(MAX_HEAD)}`)])).toEqual(['the head is too large']);
  });

  it('refuses bare line feeds at once, though the head never ends', () => {
    expect(readAll([Buffer.from('GET / HTTP/1.1\nHost: h\n\n')])).toEqual(['a line ends in a bare line feed']);
    expect(readAll([Buffer.from('GET / HTTP/1.1\r'), Buffer.from('\nHost: h\r\n')])).toEqual([]);
  });

  it('rests after a message until it is told to go on', () => {
    const reader = new MessageReader(parseRequestHead);
    reader.push(Buffer.from('GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n'));
    expect([reader.next()?.type, reader.next()?.type, reader.next()]).toEqual(['head', 'end', null]);
    reader.proceed();
    expect(reader.next()?.type).toBe('head');
    expect(() => reader.proceed()).toThrow(/before the message ended/);
  });

  it('tells an orderly end from a cut message', () => {
    const reader = new MessageReader((text) => parseResponseHead(text, 'GET'));
    expect(reader.finish()).toBeNull();
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nabc'));
    expect([reader.next()?.type, reader.next()?.type, reader.finish()?.type]).toEqual(['head', 'body', 'end']);
    const cut = new MessageReader((text) => parseResponseHead(text, 'GET'));
    cut.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'));
    cut.next();
    cut.next();
    expect(() => cut.finish()).toThrow(/within a message/);
  });

  it('gives back what stands behind a CONNECT', () => {
    const reader = new MessageReader(parseRequestHead);
    reader.push(Buffer.from('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n\x16\x03'));
    reader.next();
    expect(reader.takeRest().toString('latin1')).toBe('\x16\x03');
  });
});
