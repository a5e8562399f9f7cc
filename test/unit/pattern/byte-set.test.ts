import { expect, it } from 'vitest';
import { WORD, complement, foldSet, rangeSet, setOf, setSize, union } from '../../../src/pattern/byte-set.ts';

it('sets of bytes are made of ranges and texts, joined, turned round and folded', () => {
  expect(setSize(union(rangeSet(0x30, 0x39), setOf('ab')))).toBe(12);
  expect(setSize(complement(setOf('ab')))).toBe(254);
  expect(
    [...foldSet(setOf('aZ_')).entries()].filter(([, has]) => has === 1).map(([byte]) => String.fromCharCode(byte)),
  ).toEqual(['A', 'Z', '_', 'a', 'z']);
  expect(setSize(WORD)).toBe(63);
});
