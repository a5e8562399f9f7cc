import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setOf, type ByteSet } from '../../../src/pattern/byte-set.ts';
import { Kernel } from '../../../src/scan/kernel.ts';
import { tablesOf, type Literal } from '../../../src/scan/kernel-tables.ts';
import { loadDetectors } from '../../../src/policy/load.ts';
import { compileEngine } from '../../../src/scan/engine.ts';

const ANY: ByteSet = new Uint8Array(256).fill(1);
const literal = (text: string, next = ANY): Literal => ({ text, next });

function naive(literals: readonly Literal[], text: string): string[] {
  const found: string[] = [];
  const folded = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  for (let end = 1; end <= text.length; end++)
    for (const each of literals)
      if (folded.slice(0, end).endsWith(each.text) && (end === text.length || each.next[text.charCodeAt(end)] === 1))
        found.push(`${end} ${each.text}`);
  return found.sort();
}

/** What is found, and how much is pending at the end. */
function scan(
  all: readonly Literal[],
  text: string,
  cuts: readonly number[] = [],
): { found: string[]; pending: number } {
  const kernel = new Kernel(tablesOf(all), text.length);
  const bytes = Buffer.from(text, 'latin1');
  const found: string[] = [];
  const places = [0, ...new Set(cuts.filter((cut) => cut < bytes.length)), bytes.length].sort((a, b) => a - b);
  let pending = 0;
  for (let i = 1; i < places.length; i++) {
    const to = places[i] as number;
    // What is not here yet is not looked at.
    const here = Buffer.concat([bytes.subarray(0, to), Buffer.alloc(8, 0xff)]);
    pending = kernel.run(here, { from: places[i - 1] as number, to, pending, final: false });
    for (let hit = 0; hit < kernel.count; hit++) {
      const { text: name, next } = all[kernel.literals[hit] as number] as Literal;
      const end = kernel.ends[hit] as number;
      // Where a piece ends, it is not known what follows: whoever confirms the hit will see.
      if (end === to && end < bytes.length && next[bytes[end] as number] !== 1) continue;
      found.push(`${end} ${name}`);
    }
  }
  return { found: found.sort(), pending };
}

const texts = (letters: string, least: number, most: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { minLength: least, maxLength: most }).map((all) => all.join(''));

describe('Kernel', () => {
  it.each(['abc', 'ab_', '[{1"', 'a\u00e9\n'])('finds every literal however the bytes are split: %j', (letters) => {
    const next = fc.oneof(
      fc.constant(ANY),
      texts(letters, 1, 2).map((each) => setOf(each + each.toUpperCase())),
    );
    const literals = fc
      .uniqueArray(texts(letters, 1, 5), { minLength: 1, maxLength: 12 })
      .chain((all) => fc.tuple(...all.map((each) => next.map((may) => literal(each, may)))));
    fc.assert(
      fc.property(
        literals,
        texts(letters, 0, 40),
        fc.boolean(),
        fc.array(fc.nat(40), { maxLength: 6 }),
        (all, each, upper, cuts) => {
          const subject = upper && letters.startsWith('a') && !letters.includes('\u00e9') ? each.toUpperCase() : each;
          expect(scan(all, subject, cuts).found).toEqual(naive(all, subject));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells bytes of one kind apart', () => {
    const all = [literal('a-b'), literal('k1'), literal('"x')];
    expect(scan(all, 'a_b a-b k2 k1 \'x "x').found).toEqual(['13 k1', '19 "x', '7 a-b']);
  });

  it('says how much of what it read may begin a literal', () => {
    const all = [literal('abcd'), literal('cdx')];
    const pending = (text: string): number => scan(all, text).pending;
    expect(['zz', 'zab', 'abcd', 'abce', 'abc', 'c'].map(pending)).toEqual([0, 2, 2, 0, 3, 1]);
  });

  it('leaves out what is followed by what it never is', () => {
    const all = [literal('sk', setOf('0123456789abcdef'))];
    expect(scan(all, 'sku task sk9 skA sk').found).toEqual(['11 sk', '19 sk']);
  });

  it('finds the literals of all detectors that ship, among the beginnings of others', () => {
    const { targets } = compileEngine(loadDetectors('rules/detectors'));
    const kernel = new Kernel(tablesOf(targets), 1024);
    const piece = fc.oneof(
      fc.nat(targets.length - 1).map((id) => (targets[id] as Literal).text),
      fc
        .tuple(fc.nat(targets.length - 1), fc.nat(6))
        .map(([id, length]) => (targets[id] as Literal).text.slice(0, length).toUpperCase()),
      fc.constantFrom(' ', '=', '"', 'x1', '-', '\n', '\xe9'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('').slice(0, 1000);
        const bytes = Buffer.from(text, 'latin1');
        kernel.run(bytes, { from: 0, to: bytes.length, pending: 0, final: true });
        const found = Array.from(
          { length: kernel.count },
          (_, hit) => `${kernel.ends[hit]} ${(targets[kernel.literals[hit] as number] as Literal).text}`,
        );
        expect(found.sort()).toEqual(naive(targets, text));
      }),
      { numRuns: 200 },
    );
  });

  it('has room for literals that begin with one another, wherever they stand', () => {
    const all = ['a', 'aa', 'aaa', 'aaaa'].map((text) => literal(text));
    const { found } = scan(all, 'a'.repeat(50));
    expect(found).toHaveLength(50 + 49 + 48 + 47);
  });
});
