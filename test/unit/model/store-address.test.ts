import { describe, expect, it } from 'vitest';
import { parseStoreAddress } from '../../../src/model/store-address.ts';

const plain = { kind: 'single', master: '', username: null, password: null, database: 0, secure: false };

describe('parseStoreAddress()', () => {
  it.each([
    ['redis://cache.test', { ...plain, nodes: [{ host: 'cache.test', port: 6379 }] }],
    ['redis://127.0.0.1:7000/3', { ...plain, nodes: [{ host: '127.0.0.1', port: 7000 }], database: 3 }],
    [
      'rediss://u:p%40ss@[::1]',
      { ...plain, nodes: [{ host: '::1', port: 6379 }], username: 'u', password: 'p@ss', secure: true },
    ],
    ['redis://:p@h', { ...plain, nodes: [{ host: 'h', port: 6379 }], password: 'p' }],
    [
      'redis+cluster://a,b:7001',
      {
        ...plain,
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7001 },
        ],
      },
    ],
    [
      'redis+sentinel://a,b/main/1',
      {
        ...plain,
        kind: 'sentinel',
        master: 'main',
        database: 1,
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_379 },
        ],
      },
    ],
  ])('%s', (text, expected) => {
    expect(parseStoreAddress(text)).toEqual(expected);
  });

  it.each([
    '',
    'redis:',
    'http://h',
    'redis://',
    'redis://a,b',
    'redis://h:0',
    'redis://h/x',
    'redis://h/1/2',
    'redis+sentinel://a',
    'redis+cluster://a/1',
    'redis://%zz:p@h',
  ])('refuses "%s"', (text) => {
    expect(parseStoreAddress(text)).toBeNull();
  });
});
