import { describe, expect, it } from 'vitest';

import { SETTINGS, flagOf, variableOf } from '../../../src/config/settings.ts';

describe('settings', () => {
  it('parse their own defaults', () => {
    for (const setting of SETTINGS)
      if (setting.default !== '')
        expect([setting.key, setting.parse(setting.default)]).not.toEqual([setting.key, null]);
  });

  it('give flags and variables their names', () => {
    const names = ['upstream.pins', 'upstream.proxies', 'upstream.ca'].map((key) => {
      const setting = SETTINGS.find((each) => each.key === key);
      if (setting === undefined) throw new Error(`no ${key}`);
      return [flagOf(setting), variableOf(setting)];
    });
    expect(names).toEqual([
      ['--upstream-pin', 'SALLYPORT_UPSTREAM_PINS'],
      ['--upstream-proxy', 'SALLYPORT_UPSTREAM_PROXIES'],
      ['--upstream-ca', 'SALLYPORT_UPSTREAM_CA'],
    ]);
  });

  it.each([
    ['**=http://proxy.test:3128', '** proxy.test:3128'],
    ['*.Corp.Test=socks5://10.0.0.7', '*.corp.test 10.0.0.7:1080'],
    ['**.corp.test.=direct', '**.corp.test direct'],
    ['10.0.0.1=https://proxy.test', '10.0.0.1 proxy.test:443'],
    ['2001:db8::1=direct', '2001:db8::1 direct'],
    ['a.test=', null],
    ['a.test', null],
    ['=http://proxy.test', null],
    ['*=http://proxy.test', null],
    ['a*.test=http://proxy.test', null],
    ['*.10.0.0.1=http://proxy.test', null],
    ['a.test=proxy.test:3128', null],
  ])('the parent %s', (text, expected) => {
    const parsed = SETTINGS.find((setting) => setting.key === 'upstream.proxies')?.parse(text) as
      [string, { authority: string } | null] | null;
    expect(parsed === null ? null : `${parsed[0]} ${parsed[1]?.authority ?? 'direct'}`).toBe(expected);
  });

  it.each([
    ['a.test:443=127.0.0.1:8443', ['a.test:443', { host: '127.0.0.1', port: 8443 }]],
    ['**:443=[::1]:1', ['**:443', { host: '::1', port: 1 }]],
    ['A.Test.:443=10.0.0.1:1', ['a.test:443', { host: '10.0.0.1', port: 1 }]],
    ['a.test=127.0.0.1:1', null],
    ['a.test:443=other.test:1', null],
    ['a.test:443', null],
  ])('the pin %s', (text, pin) => {
    expect(SETTINGS.find((setting) => setting.key === 'upstream.pins')?.parse(text)).toEqual(pin);
  });

  it.each([
    ['127.0.0.1:0', 0],
    ['[::1]:80', 80],
    ['localhost:1', 1],
    ['0.0.0.0:65535', 65535],
  ])('listens on %s', (text, port) => {
    expect(SETTINGS[0]?.parse(text)).toMatchObject({ port });
  });
  it.each(['80', ':80', 'name:80', '127.0.0.1:99999', '127.0.0.1'])('does not listen on %s', (text) => {
    expect(SETTINGS[0]?.parse(text)).toBeNull();
  });
});
