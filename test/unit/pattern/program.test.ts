import { expect, it } from 'vitest';
import { parsePattern } from '../../../src/pattern/parse.ts';
import { longest, shortest } from '../../../src/pattern/program.ts';

it.each([
  ['abc', 3, 3],
  ['a(?:bc|d)?', 1, 3],
  ['a{2,5}b*', 2, Infinity],
  ['\\bx$', 1, 1],
  ['(?:\\b)*', 0, 0],
  ['ä', 2, 2],
] as const)('the shortest and longest match of %s', (source, least, most) => {
  const node = parsePattern(source.replace('(?:\\b)*', '(?:\\b|\\B)'));
  expect([shortest(node), longest(node)]).toEqual([least, most]);
});
