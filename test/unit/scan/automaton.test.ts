import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Automaton, makeHits } from '../../../src/scan/automaton.ts';

function naive(literals: readonly string[], text: string): string[] {
  const found: string[] = [];
  const folded = text.toLowerCase();
  for (let end = 1; end <= text.length; end++)
    for (const literal of literals) if (folded.slice(0, end).endsWith(literal)) found.push(`${end} ${literal}`);
  return found.sort();
}

function scan(literals: readonly string[], text: string, cuts: readonly number[]): string[] {
  const automaton = new Automaton(literals);
  const hits = makeHits(text.length);
  const bytes = Buffer.from(text, 'latin1');
  const found: string[] = [];
  const places = [0, ...new Set(cuts.filter((cut) => cut < bytes.length)), bytes.length].sort((a, b) => a - b);
  let state = 0;
  for (let i = 1; i < places.length; i++) {
    state = automaton.scan(bytes, places[i - 1] as number, places[i] as number, state, hits);
    const ends = [...hits.ends.subarray(0, hits.count)];
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    for (let hit = 0; hit < hits.count; hit++)
      for (const id of automaton.literalsAt(hits.states[hit] as number))
        found.push(`${ends[hit] ?? 0} ${literals[id] ?? ''}`);
  }
  return found.sort();
}

const letters = (least: number, most: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: least, maxLength: most }).map((all) => all.join(''));

describe('Automaton', () => {
  it('finds every literal wherever it ends, in order, in one lane and two, however the bytes are split', () => {
    const literals = fc.uniqueArray(letters(1, 5), { minLength: 1, maxLength: 12 });
    const text = fc.oneof(letters(0, 40), letters(1100, 1400));
    fc.assert(
      fc.property(literals, text, fc.boolean(), fc.array(fc.nat(1400), { maxLength: 3 }), (all, each, upper, cuts) => {
        const subject = upper ? each.toUpperCase() : each;
        expect(scan(all, subject, cuts)).toEqual(naive(all, subject));
      }),
      { numRuns: 150 },
    );
  });

  it('says how much of what it read may begin a literal', () => {
    const automaton = new Automaton(['abcd', 'cdx']);
    const hits = makeHits(16);
    const depth = (text: string): number =>
      automaton.depthOf(automaton.scan(Buffer.from(text), 0, text.length, 0, hits));
    expect([depth('zz'), depth('zab'), depth('abcd'), depth('abce')]).toEqual([0, 2, 4, 0]);
  });
});
