import { describe, expect, it } from 'vitest';
import { nextBytes } from '../../../src/pattern/next-bytes.ts';
import { parsePattern } from '../../../src/pattern/parse.ts';
import { compileProgram } from '../../../src/pattern/program.ts';

/** Bytes that may follow; `all` where any may. */
function next(pattern: string, text: string): string {
  const bytes = nextBytes(compileProgram(parsePattern(pattern)), text);
  if (bytes.every((may) => may === 1)) return 'all';
  return [...bytes.entries()].flatMap(([byte, may]) => (may === 1 ? [String.fromCharCode(byte)] : [])).join('');
}

describe('nextBytes()', () => {
  it.each([
    ['sk[0-9a-c]{4}', 'sk', '0123456789abc'],
    ['(?i:Key)[=:]', 'key', ':='],
    ['ab?c', 'a', 'bc'],
    ['a(?:x|y\\d)', 'ay', '0123456789'],
    ['a+b', 'aa', 'ab'],
    ['a\\bz', 'a', 'z'],
    ['token', 'token', 'all'],
    ['token\\d*', 'token', 'all'],
    ['token', 'other', ''],
  ])('of %s behind %s: %s', (pattern, text, expected) => expect(next(pattern, text)).toBe(expected));
});
