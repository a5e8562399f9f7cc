import { describe, expect, it } from 'vitest';
import { parseParentProxy } from '../../../src/model/parent-proxy.ts';

const PASSWORD = ['pass', 'word'].join('');

describe('parseParentProxy()', () => {
  it.each<[string, string, string | null]>([
    ['http://proxy.test:3128', 'http proxy.test:3128', null],
    ['http://proxy.test', 'http proxy.test:80', null],
    ['https://proxy.test/', 'https proxy.test:443', null],
    ['socks5://10.0.0.7', 'socks5 10.0.0.7:1080', null],
    ['socks5h://[2001:db8::1]:9050', 'socks5 [2001:db8::1]:9050', null],
    ['http://PROXY.test.:3128', 'http proxy.test:3128', null],
    [`http://me:${PASSWORD}@proxy.test:3128`, 'http proxy.test:3128', `me/${PASSWORD}`],
    ['http://me@proxy.test:3128', 'http proxy.test:3128', 'me/'],
    ['socks5://a%40b:c%3Ad%2f@proxy.test', 'socks5 proxy.test:1080', 'a@b/c:d/'],
    ['http://me:a:b@proxy.test', 'http proxy.test:80', 'me/a:b'],
  ])('reads %s', (text, where, credentials) => {
    const proxy = parseParentProxy(text);
    expect(proxy === null ? null : `${proxy.protocol} ${proxy.authority}`).toBe(where);
    expect(proxy?.credentials == null ? null : `${proxy.credentials.user}/${proxy.credentials.password}`).toBe(
      credentials,
    );
  });

  it.each([
    '',
    'proxy.test:3128',
    'ftp://proxy.test',
    'socks4://proxy.test',
    'HTTP://proxy.test',
    'http://',
    'http://proxy.test/path',
    'http://proxy.test?x',
    'http://proxy.test:0',
    'http://proxy.test:99999',
    'http://:x@proxy.test',
    'http://a%3Ab:x@proxy.test',
    'http://a%zz:x@proxy.test',
    'http://a%0d%0a:x@proxy.test',
    'http://a@b@proxy.test',
    `http://me:${'x'.repeat(256)}@proxy.test`,
  ])('has no place for %s', (text) => {
    expect(parseParentProxy(text)).toBeNull();
  });
});
