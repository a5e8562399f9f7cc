import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { Matcher, NONE, OPEN, kindOf, type Before } from '../../../src/pattern/matcher.ts';
import { parsePattern } from '../../../src/pattern/parse.ts';
import { compileProgram } from '../../../src/pattern/program.ts';

const BEGINNING: Before = 0;

function before(bytes: Uint8Array, at: number): Before {
  return at === 0 ? BEGINNING : kindOf(bytes[at - 1] as number);
}

/** First match in a text, the longest that starts there; Latin-1, so that a character is a byte. */
function find(pattern: string, text: string): [number, number] | null {
  const matcher = new Matcher(compileProgram(parsePattern(pattern)));
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at <= bytes.length; at++) {
    const end = matcher.find(bytes, at, bytes.length, before(bytes, at), true);
    if (end !== NONE) return [at, end];
  }
  return null;
}

function oracle(pattern: string, text: string): [number, number] | null {
  const matcher = RE2JS.compile(pattern, RE2JS.LONGEST_MATCH).matcher(text);
  return matcher.find() ? [matcher.start(), matcher.end()] : null;
}

/** Patterns over a small alphabet, so that they match now and then. */
const atom = fc.constantFrom(
  'a',
  'b',
  'A',
  '_',
  ' ',
  '-',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  '\\W',
  '\\d',
  '\\s',
  '\\b',
  '\\B',
  '^',
  '$',
);
const repetition = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?', '+?');
const { pattern } = fc.letrec((tie) => ({
  pattern: fc.array(tie('part') as fc.Arbitrary<string>, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(atom, repetition).map(([one, times]) => (/^(?:\\[bB]|[\^$])$/.test(one) ? one : one + times)),
    fc
      .tuple(
        fc.array(tie('pattern') as fc.Arbitrary<string>, { minLength: 1, maxLength: 3 }),
        repetition,
        fc.constantFrom('(?:', '(', '(?i:', '(?s:', '(?m:'),
      )
      .map(([either, times, open]) => `${open}${either.join('|')})${times}`),
  ),
}));
const text = fc
  .array(fc.constantFrom('a', 'b', 'A', 'B', '_', ' ', '-', '1', '\n', '\xe4'), { maxLength: 14 })
  .map((all) => all.join(''));

describe('Matcher', () => {
  it('finds what RE2 finds, where and as long', () => {
    fc.assert(
      fc.property(pattern as fc.Arbitrary<string>, text, (source, subject) => {
        expect(find(source, subject)).toEqual(oracle(source, subject));
      }),
      { numRuns: 4000 },
    );
  });

  it('reads a reversed program from the end and finds the longest match that ends there', () => {
    fc.assert(
      fc.property(pattern as fc.Arbitrary<string>, text, (source, subject) => {
        const bytes = Buffer.from(subject, 'latin1');
        const back = new Matcher(compileProgram(parsePattern(source), true));
        for (let end = 0; end <= bytes.length; end++) {
          const after: Before = end === bytes.length ? BEGINNING : kindOf(bytes[end] as number);
          const start = back.findBack(bytes, end, 0, after, true);
          const starts = Array.from({ length: end + 1 }, (_, at) => at).filter((at) =>
            endsAt(source, subject, at, end),
          );
          expect(start).toBe(starts[0] ?? NONE);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('finds the same however the bytes are split', () => {
    fc.assert(
      fc.property(
        pattern as fc.Arbitrary<string>,
        text,
        fc.array(fc.nat(14), { maxLength: 4 }),
        (source, subject, cuts) => {
          const bytes = Buffer.from(subject, 'latin1');
          const whole = new Matcher(compileProgram(parsePattern(source)));
          const parts = new Matcher(compileProgram(parsePattern(source)));
          const run = { bytes, from: 0, before: BEGINNING };
          const places = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
          let end = OPEN;
          let open = null;
          for (const to of [...places, bytes.length]) {
            const final = to === bytes.length;
            end =
              open === null ? parts.find(bytes, 0, to, BEGINNING, final) : parts.resume(open, 0, { ...run, to }, final);
            if (end !== OPEN) break;
            open = { ...parts.open };
          }
          expect(end).toBe(whole.find(bytes, 0, bytes.length, BEGINNING, true));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('stays linear and right where its cache of states does not help', () => {
    const source = '(?:a|b)*a(?:a|b){12}c';
    const matcher = new Matcher(compileProgram(parsePattern(source)));
    let seed = 7;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
    for (let round = 0; round < 60; round++) {
      const letters = Array.from({ length: 2000 }, () => (random() < 0.5 ? 'a' : 'b')).join('');
      const ends = round % 2 === 0 ? `a${'b'.repeat(12)}c` : 'a';
      const bytes = Buffer.from(letters + ends);
      const from = matcher.work;
      const end = matcher.find(bytes, 0, bytes.length, BEGINNING, true);
      expect(end).toBe(round % 2 === 0 ? bytes.length : NONE);
      expect(matcher.work - from).toBeLessThan(bytes.length * 200);
    }
  });

  it('does not take the end of a slice for the end of the text', () => {
    const matcher = new Matcher(compileProgram(parsePattern('ab$')));
    expect(matcher.find(Buffer.from('ab'), 0, 2, BEGINNING, false)).toBe(OPEN);
    expect(matcher.find(Buffer.from('ab'), 0, 2, BEGINNING, true)).toBe(2);
    expect(matcher.find(Buffer.from('abc'), 0, 3, BEGINNING, true)).toBe(NONE);
  });
});

/** Whether RE2 takes exactly [at, end) for a match, seen where it stands. */
function endsAt(source: string, subject: string, at: number, end: number): boolean {
  const exactly = `\\A(?s:.{${at}})(?:${source})(?s:.{${subject.length - end}})\\z`;
  return RE2JS.compile(exactly).matcher(subject).find();
}
