import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonicalPath, splitTarget } from '../../../src/model/path.ts';

describe('canonicalPath()', () => {
  it.each([
    ['/', '/'],
    ['/a/b/', '/a/b/'],
    ['/%41%7e', '/A~'],
    ['/a%2b%3d', '/a%2B%3D'],
    ['/a%252f', '/a%252f'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a;b=c/d', '/a;b=c/d'],
    ['/...', '/...'],
    ['/%E2%82%AC', '/%E2%82%AC'],
  ])('%s is sent as %s', (raw, canonical) => {
    expect(canonicalPath(raw)).toMatchObject({ canonical, flaw: null });
  });

  it.each([
    '',
    'a',
    '/a/../b',
    '/a/./b',
    '/..',
    '/.',
    '/%2e%2e',
    '/a/..;x/b',
    '/a//b',
    '//',
    '/a\\b',
    '/%2f',
    '/%5C',
    '/%00',
    '/%1f',
    '/%7F',
    '/%',
    '/%1',
    '/%gg',
    '/%c0%ae',
    '/a b',
    '/\x80',
    '/a#b',
  ])('%j has no canonical form', (raw) => {
    expect(canonicalPath(raw).canonical).toBeNull();
  });

  it('is idempotent: what is sent is what would be judged again', () => {
    const character = fc.constantFrom('/', '.', '%', '2', 'e', 'E', 'f', 'F', 'a', ';', '\\', '5', 'c', '~', '*');
    fc.assert(
      fc.property(
        fc.array(character, { maxLength: 24 }).map((list) => `/${list.join('')}`),
        (raw) => {
          const { canonical } = canonicalPath(raw);
          if (canonical !== null) expect(canonicalPath(canonical).canonical).toBe(canonical);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('agrees with the WHATWG URL parser about where an accepted path leads', () => {
    const character = fc.constantFrom('/', '.', '%2e', '%2E', '%41', 'a', 'b', ';', '~', '%7e');
    fc.assert(
      fc.property(
        fc.array(character, { maxLength: 16 }).map((list) => `/${list.join('')}`),
        (raw) => {
          const { canonical } = canonicalPath(raw);
          if (canonical !== null) expect(new URL(`http://h${canonical}`).pathname).toBe(canonical);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

it('splitTarget() cuts at the first question mark and keeps the query byte for byte', () => {
  expect(splitTarget('/a?b?c=%zz')).toEqual({ path: '/a', query: 'b?c=%zz' });
  expect(splitTarget('/a?')).toEqual({ path: '/a', query: '' });
  expect(splitTarget('/a')).toEqual({ path: '/a', query: null });
});
