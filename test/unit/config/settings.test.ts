import { describe, expect, it } from 'vitest';

import { SETTINGS, flagOf, variableOf } from '../../../src/config/settings.ts';

describe('settings', () => {
  it('parse their own defaults', () => {
    for (const setting of SETTINGS)
      if (setting.default !== '')
        expect([setting.key, setting.parse(setting.default)]).not.toEqual([setting.key, null]);
  });

  it('give flags and variables their names', () => {
    const pins = SETTINGS.find((setting) => setting.key === 'upstream.pins');
    if (pins === undefined) throw new Error('no pins');
    expect([flagOf(pins), variableOf(pins)]).toEqual(['--upstream-pin', 'SALLYPORT_UPSTREAM_PINS']);
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
