import { describe, expect, it } from 'vitest';
import { needsOf, type Needs } from '../../../src/pattern/needs.ts';
import { parsePattern } from '../../../src/pattern/parse.ts';

/** Lower case; marks left out; no line breaks; anything for `@`. */
const spell = (byte: number): string | null | undefined => {
  const char = String.fromCharCode(byte).toLowerCase();
  if (char === '@') return undefined;
  if (char === '\n') return null;
  return char === '*' ? '' : char;
};
const needs = (pattern: string): readonly Needs[] | null => needsOf(parsePattern(pattern), spell);

describe('needsOf()', () => {
  it.each<readonly [string, readonly Needs[] | null]>([
    ['secret', [[['secret']]]],
    ['(?i:Secret)', [[['secret']]]],
    ['one|three', [[['one']], [['three']]]],
    ['(?:tell|show) (?:the )?user', [[['tell user', 'tell the use', 'show user', 'show the use']]]],
    ['forget.{0,80}rules', [[['forget'], ['rules']]]],
    ['rules.{0,80}forget', [[['forget'], ['rules']]]],
    ['a{2}b?', [[['aa']]]],
    ['x(?:abc)+y', [[['abc'], ['x']]]],
    ['i\\*gnore', [[['ignore']]]],
    // What cannot be written at all is no alternative, and takes what needs it along.
    ['a\\nb|other', [[['other']]]],
    ['(?:\\n|other)more', [[['othermore']]]],
    // Of what may be written as anything, nothing is known.
    ['un@known', [[['known'], ['un']]]],
    ['[ab@]cd', [[['cd']]]],
    // Some part of every alternative within another must be known.
    ['(?:abc\\d+|def\\w+)', [[['abc']], [['def']]]],
    ['x?(?:abc\\w+|def\\w+)', [[['abc', 'def']]]],
    ['(?:abc|\\w+)', null],
    ['\\w+', null],
    ['(?:abc)?', null],
    ['.*', null],
  ])('of %s', (pattern, expected) => expect(needs(pattern)).toEqual(expected));

  it('takes what is longer for rarer, and few texts for rarer than many', () => {
    expect(needs('(?:of|to|in).{9}important')).toEqual([[['important'], ['of', 'to', 'in']]]);
    expect(needs('(?:ab|ac|ad).{9}ae')).toEqual([[['ae'], ['ab', 'ac', 'ad']]]);
  });

  it('gives up where there are too many texts to write down', () => {
    expect(needs('[a-z]{2}[a-z]')?.[0]?.[0]).toHaveLength(26);
    expect(needs('[a-z][a-z][a-z]')?.[0]?.[0]).toHaveLength(26);
  });
});
