import { describe, expect, it } from 'vitest';

import { parseEndpoint } from '../../../src/policy/endpoint.ts';

describe('parseEndpoint()', () => {
  it('reads the short form', () => {
    expect(parseEndpoint('GET,POST https://a.test:8443/v1/**')).toMatchObject({
      ok: true,
      value: { scheme: 'https', port: 8443, host: { host: 'a.test' }, paths: [{ text: '/v1/**' }] },
    });
    expect(parseEndpoint('* http://a.test')).toMatchObject({
      ok: true,
      value: { methods: null, port: 80, paths: [{ text: '/**' }] },
    });
    expect(parseEndpoint('GET https://[::1]/')).toMatchObject({ ok: true, value: { host: { host: '[::1]' } } });
  });

  it('reads the long form, and shows it short', () => {
    expect(parseEndpoint({ host: '*.a.test', methods: ['GET'], paths: ['/a', '/b'] })).toMatchObject({
      ok: true,
      value: { text: 'GET https://*.a.test/a (+1 paths)' },
    });
  });

  it.each([
    ['GET https://a.test/?q', /holds a query/],
    ['https://a.test/', /not an endpoint/],
    ['GET https://a.test:0/', /not a port/],
    ['GET https://a.test:/', /not a port/],
    ['FOO https://a.test/', /not a method/],
    ['CONNECT https://a.test/', /CONNECT/],
    ['* tcp://a.test', /needs a port/],
    ['GET tcp://a.test:22', /no methods/],
  ])('%s is refused', (text, message) => {
    const parsed = parseEndpoint(text);
    expect(parsed.ok ? '' : parsed.message).toMatch(message);
  });

  it('takes only "closed" as a switch among predicates', () => {
    expect(parseEndpoint({ host: 'a.test', query: { closed: true, x: 'y' } })).toMatchObject({
      ok: true,
      value: { query: { closed: true } },
    });
    expect(parseEndpoint({ host: 'a.test', query: { x: true } })).toMatchObject({ ok: false });
  });

  it('reads the bounds of WebSockets, and has defaults', () => {
    const terms = (websocket: { messages?: string; max?: string | number }) => {
      const parsed = parseEndpoint({ host: 'a.test', websocket });
      return parsed.ok ? parsed.value.websocket : parsed.message;
    };
    expect(terms({})).toEqual({ messages: null, max: 1024 * 1024 });
    expect(terms({ messages: '600/minute', max: '4 MiB' })).toEqual({
      messages: { count: 600, window: 60_000 },
      max: 4 * 1024 * 1024,
    });
    expect(terms({ messages: 'many' })).toBe('"many" is not a rate');
    expect(terms({ max: 'big' })).toBe('"big" is not a size');
    expect(parseEndpoint({ host: 'a.test', scheme: 'tcp', port: 1, websocket: {} })).toMatchObject({ ok: false });
  });

  it('that is not intercepted judges host and port alone', () => {
    expect(parseEndpoint({ host: 'a.test', port: 8443, intercept: false })).toMatchObject({
      ok: true,
      value: { intercept: false, port: 8443 },
    });
    for (const more of [
      { methods: ['GET'] },
      { paths: ['/a'] },
      { query: {} },
      { websocket: {} },
      { scheme: 'http' as const },
    ])
      expect(parseEndpoint({ host: 'a.test', intercept: false, ...more })).toMatchObject({ ok: false });
  });
});
