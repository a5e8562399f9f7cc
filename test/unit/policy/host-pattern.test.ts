import { describe, expect, it } from 'vitest';

import {
  hostCovers,
  hostPatternText,
  hostRank,
  parseHostPattern,
  type HostPattern,
} from '../../../src/policy/host-pattern.ts';

const pattern = (text: string): HostPattern => {
  const parsed = parseHostPattern(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
};

describe('host patterns', () => {
  it.each(['a.test', '*.a.test', '**.a.test', '**', '[::1]', '10.0.0.1'])('%s is written as it is read', (text) => {
    expect(hostPatternText(pattern(text))).toBe(text);
  });

  it.each(['*', 'a.*', '*a.test', '*.*.test', '*.10.0.0.1', '', 'a b', '***.test'])('%j is refused', (text) => {
    expect(parseHostPattern(text).ok).toBe(false);
  });

  it('rank exact over suffix, long suffix over short, one label over several, all over **', () => {
    const ranked = ['a.test', '*.b.a.test', '**.b.a.test', '*.a.test', '**.a.test', '**'].map((text) =>
      hostRank(pattern(text)),
    );
    expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
    expect(new Set(ranked).size).toBe(ranked.length);
  });

  it.each([
    ['**', 'a.test', true],
    ['**', '10.0.0.1', false],
    ['**.test', '*.a.test', true],
    ['**.test', '**.test', true],
    ['*.test', 'a.test', true],
    ['*.test', 'b.a.test', false],
    ['*.test', '**.test', false],
    ['a.test', '*.test', false],
    ['a.test', 'a.test', true],
  ])('%s covers %s: %s', (outer, inner, covers) => {
    expect(hostCovers(pattern(outer), pattern(inner))).toBe(covers);
  });
});
