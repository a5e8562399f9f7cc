import { expect, it } from 'vitest';
import { link, GENESIS } from '../../../src/audit/chain.ts';
import { verifySegment } from '../../../src/audit/verify.ts';

const one = link('{"n":1}', GENESIS);
const two = link('{"n":2}', one.hash);

it('accepts a chain and says what it ends with', () => {
  expect(verifySegment(one.line + two.line)).toEqual({ ok: true, events: 2, last: two.hash, problem: null });
  expect(verifySegment(two.line, one.hash).ok).toBe(true);
});

it.each([
  ['a changed event', one.line.replace('1', '3') + two.line, 1],
  ['a missing line', two.line, 1],
  ['swapped lines', two.line + one.line, 1],
  ['a torn last line', one.line + two.line.slice(0, -5), 2],
  ['a foreign line', `${one.line}hello\n`, 2],
])('finds %s', (_name, text, line) => {
  expect(verifySegment(text)).toMatchObject({ ok: false, problem: expect.stringMatching(`^line ${line}:`) as string });
});
