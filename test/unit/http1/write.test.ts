import { describe, expect, it } from 'vitest';

import { CHUNKED, UNTIL_CLOSE } from '../../../src/http1/head.ts';
import { fieldLine } from '../../../src/http1/fields.ts';
import { chunk, chunkLine, headText, headWith, lastChunk, requestLine } from '../../../src/http1/write.ts';

describe('writing', () => {
  it.each([
    [CHUNKED, 'A\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [UNTIL_CLOSE, 'A\r\nX: y\r\n\r\n'],
    [null, 'A\r\nX: y\r\n\r\n'],
    [0, 'A\r\nX: y\r\nContent-Length: 0\r\n\r\n'],
  ])('a head framed %s', (framing, text) => {
    expect(headText('A', '\r\nX: y', framing)).toBe(text);
  });

  it('refuses to write what would be a second message', () => {
    expect(() => fieldLine('X', 'a\r\nY: b')).toThrow(/unsafe/);
    expect(() => fieldLine('X\r\n', 'a')).toThrow(/unsafe/);
    expect(() => requestLine('GET', '/a HTTP/1.1\r\nX: y')).toThrow(/unsafe/);
    expect(fieldLine('X', 'y')).toBe('\r\nX: y');
  });

  it('chunks', () => {
    expect(chunk(Buffer.from('hello')).toString()).toBe('5\r\nhello\r\n');
    expect(chunkLine(255)).toBe('ff\r\n');
    expect([lastChunk('').toString(), lastChunk('\r\nX: y').toString()]).toEqual(['0\r\n\r\n', '0\r\nX: y\r\n\r\n']);
    expect(headWith('ab', Buffer.from('cd')).toString()).toBe('abcd');
  });
});
