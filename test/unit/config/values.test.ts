import { describe, expect, it } from 'vitest';
import {
  parseConnections,
  parseDataPath,
  parseFieldName,
  parseListen,
  parseOpaUrl,
  parsePercentage,
  parseRecipient,
  parseWorkers,
} from '../../../src/config/values.ts';

// Listeners, pins, parents and resolvers are tested through their settings, in settings.test.ts.
describe('values of settings', () => {
  it.each<[string, number | 'auto' | null]>([
    ['auto', 'auto'],
    ['10', 10],
    ['9', null],
    ['1000001', null],
    ['many', null],
  ])('connections %s', (text, value) => {
    expect(parseConnections(text)).toBe(value);
  });

  it('recipients of age: Bech32 in lower case', () => {
    const recipient = `age1${'q'.repeat(58)}`;
    expect([recipient, `${recipient}q`, recipient.toUpperCase(), `age1${'b'.repeat(58)}`].map(parseRecipient)).toEqual([
      recipient,
      null,
      null,
      null,
    ]);
  });

  it('workers: a number, or as many as there are cores', () => {
    expect(['1', '256', '0', '257', 'x'].map(parseWorkers)).toEqual([1, 256, null, null, null]);
    expect(parseWorkers('auto')).toBeGreaterThanOrEqual(1);
  });

  it.each<[string, number | null]>([
    ['10%', 0.1],
    ['0.5 %', 0.005],
    ['100%', 1],
    ['0%', null],
    ['101%', null],
    ['10', null],
    ['-1%', null],
  ])('percentage %s', (text, value) => {
    expect(parsePercentage(text)).toBe(value);
  });

  it.each([
    ['http://127.0.0.1:8181', true],
    ['https://opa.test/prefix/', true],
    ['opa.test:8181', false],
    ['http://user:pw@opa.test', false],
    ['http://opa.test/?x=1', false],
    ['http://', false],
  ])('OPA at %s', (text, right) => {
    expect(parseOpaUrl(text) !== null).toBe(right);
  });

  it.each([
    ['sallyport/allow', true],
    ['a', true],
    ['/a', false],
    ['a//b', false],
    ['a b', false],
  ])('data path %s', (text, right) => {
    expect(parseDataPath(text) !== null).toBe(right);
  });

  it('field names are tokens, listeners have an address', () => {
    expect([parseFieldName('X-Team'), parseFieldName('X Team')]).toEqual(['X-Team', null]);
    expect([parseListen('localhost:80'), parseListen('example.com:80')]).toEqual([
      { host: '127.0.0.1', port: 80 },
      null,
    ]);
  });
});
