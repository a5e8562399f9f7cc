import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  PathTrie,
  parsePathPattern,
  pathCovers,
  pathsOverlap,
  type PathPattern,
} from '../../../src/policy/path-pattern.ts';

const pattern = (text: string): PathPattern => {
  const parsed = parsePathPattern(text, false);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
};
const matches = (text: string, path: string): boolean => {
  const trie = new PathTrie<string>();
  trie.add(pattern(text), text);
  return trie.match(path).length > 0;
};

describe('path patterns', () => {
  it.each(['a', '/a?b', '/a#b', '/a/b**', '/a/../b', '/%2f', '/a//b'])('%j is refused', (text) => {
    expect(parsePathPattern(text, false).ok).toBe(false);
  });

  it('a raw pattern may name what has no canonical form', () => {
    expect(parsePathPattern('/a%2fb/**', true)).toMatchObject({ ok: true });
  });

  it('match as the expression they stand for', () => {
    const segment = fc.constantFrom('a', 'b', '*', '**', 'a*');
    const word = fc.constantFrom('a', 'b', 'ab', '');
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.array(word, { minLength: 1, maxLength: 5 }),
        (segments, words) => {
          const path = `/${words.join('/')}`;
          const source = segments
            .map((each) =>
              each === '**' ? '(?:/[^/]*)*' : `/${each === '*' ? '[^/]+' : each.replaceAll('*', '[^/]*')}`,
            )
            .join('');
          expect([segments, path, matches(`/${segments.join('/')}`, path)]).toEqual([
            segments,
            path,
            new RegExp(`^${source}$`).test(path),
          ]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('a thousand patterns on one host are walked together', () => {
    const trie = new PathTrie<number>();
    for (let i = 0; i < 1000; i++) trie.add(pattern(`/v1/items/${i}/**`), i);
    expect(trie.match('/v1/items/512/x')).toEqual([512]);
  });

  it.each([
    ['/**', '/a/b', true],
    ['/a/**', '/a', true],
    ['/a/**', '/a/**', true],
    ['/a/**', '/b/**', false],
    ['/*/**', '/b/c', true],
    ['/*/**', '/**', false],
    ['/a', '/a/**', false],
  ])('%s covers %s: %s', (outer, inner, covers) => {
    expect(pathCovers(pattern(outer), pattern(inner))).toBe(covers);
  });

  it.each([
    ['/a/*', '/*/b', true],
    ['/a/**', '/**/b', true],
    ['/a/*', '/b/*', false],
    ['/a*', '/*b', true],
  ])('%s and %s overlap: %s', (a, b, overlap) => {
    expect(pathsOverlap(pattern(a).segments, pattern(b).segments)).toBe(overlap);
  });
});
