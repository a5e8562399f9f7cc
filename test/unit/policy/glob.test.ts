import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { globMatches, globsOverlap } from '../../../src/policy/glob.ts';

describe('globMatches()', () => {
  it.each([
    ['*', '', true],
    ['*', 'abc', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abbd', false],
    ['*:run', 'x:run', true],
    ['a*b*c', 'a-b-b-c', true],
    ['', 'a', false],
    ['abc', 'abc', true],
  ])('%s on %s is %s', (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  it('agrees with the regular expression it stands for', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((list) => list.join(''));
    fc.assert(
      fc.property(
        letters,
        fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }).map((list) => list.join('')),
        (pattern, text) => {
          expect(globMatches(pattern, text)).toBe(new RegExp(`^${pattern.replaceAll(/\*+/g, '.*')}$`).test(text));
        },
      ),
    );
  });
});

describe('globsOverlap()', () => {
  it.each([
    ['a*', '*b', true],
    ['a*', 'b*', false],
    ['*', '', true],
    ['a', 'a', true],
    ['a*c', 'ab', false],
  ])('%s and %s: %s', (a, b, overlap) => {
    expect(globsOverlap(a, b)).toBe(overlap);
  });
});
