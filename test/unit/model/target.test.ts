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
