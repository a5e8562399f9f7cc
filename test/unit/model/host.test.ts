import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { addressBytes, parseAddress, parseHost, uriHost, type Host } from '../../../src/model/host.ts';

const FOLDS: Array<[string, string, string]> = [
  ['API.Example.COM', 'api.example.com', 'name'],
  ['example.com.', 'example.com', 'name'],
  ['bücher.example', 'xn--bcher-kva.example', 'name'],
  ['ｅｘａｍｐｌｅ．com', 'example.com', 'name'],
  ['example。com', 'example.com', 'name'],
  ['under_score.example', 'under_score.example', 'name'],
  ['127.0.0.1', '127.0.0.1', 'ipv4'],
  ['127.1', '127.0.0.1', 'ipv4'],
  ['2852039166', '169.254.169.254', 'ipv4'],
  ['0xA9FEA9FE', '169.254.169.254', 'ipv4'],
  ['0251.0376.0251.0376', '169.254.169.254', 'ipv4'],
  ['0xa9.254.0251.254', '169.254.169.254', 'ipv4'],
  ['１２７.1', '127.0.0.1', 'ipv4'],
  ['0', '0.0.0.0', 'ipv4'],
  ['[::1]', '::1', 'ipv6'],
  ['[2001:DB8:0:0::1]', '2001:db8::1', 'ipv6'],
  ['[::ffff:1.2.3.4]', '1.2.3.4', 'ipv4'],
  ['[::FFFF:102:304]', '1.2.3.4', 'ipv4'],
];

describe('parseHost()', () => {
  it.each(FOLDS)('folds %s to %s', (text, folded, kind) => {
    expect(parseHost(text)).toMatchObject({ text: folded, kind });
  });

  it.each([
    '',
    '.',
    '..',
    'a\u037eb.test',
    'a\uff1bb.test',
    'a\uff0ab.test',
    'xn--',
    'xn--a.test',
    'a..b',
    '.a',
    'a..',
    'a b',
    'a%62',
    'a\0b',
    'a\nb',
    'a/b',
    'a@b',
    'a:b',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}com`,
    '1.2.3.256',
    '1.2.3.4.5',
    '09.1.1.1',
    '1.2.3.08',
    '[::1',
    '[a.b]',
    '[::1%eth0]',
    '[1.2.3.4]',
    '*',
    '*.a',
  ])('refuses %j', (text) => {
    expect(parseHost(text)).toBeNull();
  });

  it('is idempotent on whatever it accepts', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.domain(),
          fc.ipV4Extended(),
          fc.ipV6().map((ip) => `[${ip}]`),
          fc.string(),
        ),
        (text) => {
          const once = parseHost(text);
          if (once !== null) expect(parseHost(uriHost(once))).toEqual(once);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('parseAddress() takes addresses as systems print them, and no costume', () => {
    expect(parseAddress('::ffff:10.0.0.1')?.text).toBe('10.0.0.1');
    expect(parseAddress('127.1')).toBeNull();
    expect(parseAddress('example.com')).toBeNull();
  });
});

describe('addressBytes()', () => {
  it.each([
    ['1.2.3.4', '01020304'],
    ['[::]', '0'.repeat(32)],
    ['[2001:db8::ff:1]', '20010db80000000000000000'.padEnd(24, '0') + '00ff0001'],
    ['[1:2:3:4:5:6:7:8]', '00010002000300040005000600070008'],
  ])('of %s', (text, hex) => {
    expect(addressBytes(parseHost(text) as Host).toString('hex')).toBe(hex);
  });

  it('are not there for a name', () => {
    expect(() => addressBytes(parseHost('a.test') as Host)).toThrow('no bytes');
  });
});
