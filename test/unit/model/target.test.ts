import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseHost } from '../../../src/model/host.ts';
import { makeTarget, parseAuthority, parsePort } from '../../../src/model/target.ts';

describe('parseAuthority()', () => {
  it.each([
    ['example.com', 'example.com', null],
    ['example.com:443', 'example.com', 443],
    ['[::1]:8080', '::1', 8080],
    ['127.1:80', '127.0.0.1', 80],
  ])('reads %s', (text, host, port) => {
    expect(parseAuthority(text)).toMatchObject({ host: { text: host }, port });
  });

  it.each([
    '',
    ':80',
    'a:',
    'a:b',
    'a:1:2',
    'u@a',
    'u:p@a:1',
    '[::1]80',
    '[::1',
    'a:080',
    'a:0',
    'a:65536',
    'a:-1',
    'a: 1',
    'a/b',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeNull();
  });

  it('refuses names whose bytes are not UTF-8', () => {
    expect(parseAuthority('\xff\xfe.com:1')).toBeNull();
  });
});

it('parsePort() takes plain decimal numbers only', () => {
  expect(['1', '65535', '0', '01', '+1', '65536', '1e3', ''].map(parsePort)).toEqual([
    1,
    65535,
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});

it("authority leaves out the scheme's own port", () => {
  const host = parseHost('[::1]');
  if (host === null) throw new Error('no host');
  expect(makeTarget('https', host, 443).authority).toBe('[::1]');
  expect(makeTarget('http', host, 443).authority).toBe('[::1]:443');
  expect(makeTarget('https', host, 443).key).toBe('https://[::1]:443');
});

describe('parseAuthority() (fuzz)', () => {
  /** Pieces that authorities are made and broken with. */
  const piece = fc.oneof(
    fc.constantFrom(
      '.',
      ':',
      '[',
      ']',
      '@',
      '%',
      '%25eth0',
      '::',
      'xn--',
      '0x',
      '127',
      '443',
      'a',
      'EXAMPLE',
      '\u00c3\u00a9',
      '\uff0e',
      '\0',
      ' ',
      '\r\n',
      '\\',
      '/',
      '_',
      '-',
      '0',
      '65536',
      '::ffff:127.0.0.1',
      '2852039166',
      '0300.0250.1.1',
    ),
    fc.string({ maxLength: 6 }),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));

  it('never throws, and what it reads it reads the same way again', () => {
    fc.assert(
      fc.property(text, (given) => {
        const parsed = parseAuthority(given);
        if (parsed === null) return;
        const { host, port } = parsed;
        // Nothing of what makes two parsers disagree is left in the one form everything after this uses.
        expect(host.text).toMatch(/^[a-z0-9_.:-]+$/);
        const { authority, key } = makeTarget('https', host, port ?? 443);
        const again = parseAuthority(authority);
        expect([again?.host, again?.port ?? 443]).toEqual([host, port ?? 443]);
        expect(new URL(key).protocol).toBe('https:');
        // WHATWG's parser, which upstreams and libraries use, sees the same host (underscores and all).
        expect(new URL(key).hostname.replaceAll(/[[\]]/g, '')).toBe(host.text);
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 3000) },
    );
  });
});
