import { describe, expect, it } from 'vitest';

import { CHUNKED, UNTIL_CLOSE, parseRequestHead, parseResponseHead, parseTrailers } from '../../../src/http1/head.ts';

describe('parseRequestHead()', () => {
  it.each([
    ['', 0],
    ['\r\nContent-Length: 5', 5],
    ['\r\nContent-Length: 0', 0],
    ['\r\nTransfer-Encoding: Chunked', CHUNKED],
  ])('frames a body by %j', (fields, framing) => {
    expect(parseRequestHead(`POST / HTTP/1.1\r\nHost: a${fields}`).framing).toBe(framing);
  });

  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', '\r\nConnection: close', false],
    ['HTTP/1.1', '\r\nConnection: Keep-Alive, Close', false],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', '\r\nConnection: keep-alive', true],
  ])('%s with %j keeps the connection: %s', (version, fields, keepAlive) => {
    expect(parseRequestHead(`GET / ${version}\r\nHost: a${fields}`).keepAlive).toBe(keepAlive);
  });

  it('takes an empty value and one of spaces', () => {
    expect(parseRequestHead('GET / HTTP/1.1\r\nHost:\r\nX:   ').fields.values('x')).toEqual(['']);
  });
});

describe('parseResponseHead()', () => {
  it.each([
    ['GET', 200, '', UNTIL_CLOSE],
    ['GET', 200, '\r\nContent-Length: 3', 3],
    ['HEAD', 200, '\r\nContent-Length: 3', 0],
    ['GET', 204, '', 0],
    ['GET', 304, '\r\nContent-Length: 3', 0],
    ['GET', 103, '', 0],
    ['GET', 200, '\r\nTransfer-Encoding: chunked', CHUNKED],
  ])('%s answered %i with %j is framed', (method, status, fields, framing) => {
    expect(parseResponseHead(`HTTP/1.1 ${status} OK${fields}`, method).framing).toBe(framing);
  });

  it.each([
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 600 OK',
    'HTTP/2 200 OK',
    'HTTP/1.1  200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1 200 O\x01K',
  ])('refuses %j', (line) => {
    expect(() => parseResponseHead(line, 'GET')).toThrow(/malformed|control/);
  });
});

it('parseTrailers() holds trailers to the grammar of fields', () => {
  expect(parseTrailers('X-Sum: 1').values('x-sum')).toEqual(['1']);
  expect(() => parseTrailers('bad trailer')).toThrow(/token|colon/);
});
