import { describe, expect, it } from 'vitest';
import { anchorsOf } from '../../../src/pattern/anchor.ts';
import { parsePattern } from '../../../src/pattern/parse.ts';

function literals(pattern: string, least = 2): string[] | null {
  return anchorsOf(parsePattern(pattern), least)?.flatMap((each) => each.literals) ?? null;
}

describe('anchorsOf()', () => {
  it.each<readonly [string, string[] | null]>([
    ['ghp_[A-Za-z0-9]{36}', ['ghp_']],
    ['(?:AKIA|ASIA)[A-Z2-7]{16}', ['akia', 'asia']],
    ['xox[bpa]-\\d+', ['xoxb-', 'xoxp-', 'xoxa-'].sort()],
    ['[a-z]{3}-secret-\\d+', ['-secret-']],
    ['(?:key){2}\\d', ['keykey']],
    ['foo|ba[rz]', ['bar', 'baz', 'foo']],
    ['\\d{9}', null],
    ['abc|\\d+', null],
    ['\\d*abc', null],
    ['a?b?', null],
    ['(?:jdbc:[a-z]+|server)=\\w+', ['jdbc:', 'server']],
    ['(?:ab|\\d+)x', null],
  ])('of %s: %j', (pattern, expected) => {
    expect(literals(pattern)?.sort() ?? null).toEqual(expected);
  });

  it('takes a single byte where one is enough', () => {
    expect(literals('[^x]{3}-[^y]+', 1)).toEqual(['-']);
    expect(literals('[^x]{3}-[^y]+', 2)).toBeNull();
  });
});
