import { describe, expect, it } from 'vitest';
import { PatternError, parsePattern } from '../../../src/pattern/parse.ts';
import { compileProgram } from '../../../src/pattern/program.ts';

const WRONG: ReadonlyArray<readonly [string, string, number]> = [
  ['a(?=b)', 'look-around is not supported', 1],
  ['(?<!a)b', 'look-around is not supported', 0],
  ['(a)\\1', 'back-references are not supported', 3],
  ['a)', 'a ")" without its "("', 1],
  ['(a', 'a "(" without its ")"', 0],
  ['x[a', 'a "[" without its "]"', 1],
  ['*a', '"*" repeats nothing', 0],
  ['a**', 'a repetition of a repetition', 0],
  ['a{2000}', 'a repetition of more than 1000', 1],
  ['a{3,2}', 'a repetition whose most is less than its least', 1],
  ['[z-a]', 'a range whose end comes before its start', 1],
  ['[ä]', 'a character beyond ASCII in brackets', 1],
  ['\\q', '"\\q" is not supported', 0],
  ['\\pL', '"\\p" is not supported', 0],
  ['a\\', 'a backslash at the end', 1],
  ['(?x:a)', 'an unknown kind of group', 0],
  ['[[:nope:]]', 'no set is called nope', 1],
];

describe('parsePattern()', () => {
  it.each(WRONG)('refuses %s: %s', (source, message, at) => {
    let thrown: unknown;
    try {
      parsePattern(source);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PatternError);
    expect(thrown).toMatchObject({ message, at });
  });

  it('refuses what would become too large', () => {
    expect(() => compileProgram(parsePattern('(?:(?:a{100}){100}){100}'))).toThrow('too large');
    expect(() => parsePattern('('.repeat(200))).toThrow('brackets more than 100 deep');
  });
});
