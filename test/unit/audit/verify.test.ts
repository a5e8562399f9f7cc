import { describe, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../src/audit/chain.ts';
import { tailHash, verifySegment } from '../../../src/audit/verify.ts';

function write(previous: string, ...events: string[]): { text: string; seal: string } {
  const lines = events.map((event) => `${event}\n`).join('');
  const seal = sealOf(previous, Buffer.from(lines));
  return { text: lines + sealLine(events.length, seal), seal };
}
const one = write(GENESIS, '{"n":1}', '{"n":"é"}');
const two = write(one.seal, '{"n":3}');

it('accepts a chain and says what it ends with', () => {
  expect(verifySegment(one.text + two.text)).toEqual({ ok: true, events: 3, last: two.seal, problem: null });
  expect(verifySegment(two.text, one.seal).ok).toBe(true);
});

it.each([
  ['a changed event', one.text.replace('1', '4') + two.text, /^lines 1 to 3: the seal does not fit/],
  ['a missing event', one.text.replace('{"n":1}\n', '') + two.text, /^lines 1 to 2: 1 events under a seal for 2/],
  ['a missing write', two.text, /^lines 1 to 2: the seal does not fit/],
  ['swapped writes', two.text + one.text, /^lines 1 to 2: the seal does not fit/],
  ['swapped events', one.text.replace('{"n":1}\n{"n":"é"}', '{"n":"é"}\n{"n":1}'), /^lines 1 to 3:/],
  ['a seal of nothing', one.text + sealLine(1, one.seal), /^line 4: 0 events under a seal for 1/],
  ['a torn last write', one.text + two.text.slice(0, -5), /^line 4: \d+ bytes behind the last seal/],
  ['a foreign line', `${one.text}hello\n`, /^line 4: 6 bytes behind the last seal/],
])('finds %s', (_name, text, problem) => {
  expect(verifySegment(text)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) as string });
});

describe('what a crash left behind the last seal', () => {
  it('is part of what the next segment continues, so it cannot be taken away', () => {
    const torn = '{"n":4}\n{"n":';
    const { last } = verifySegment(one.text + torn);
    expect(last).toBe(tailHash(one.seal, Buffer.from(torn)));
    expect(last).not.toBe(one.seal);
    expect(verifySegment(one.text).last).toBe(one.seal);
  });
});
