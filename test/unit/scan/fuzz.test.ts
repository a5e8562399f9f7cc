import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchorsOf } from '../../../src/pattern/anchor.ts';
import { Matcher, OPEN } from '../../../src/pattern/matcher.ts';
import { PatternError, parsePattern } from '../../../src/pattern/parse.ts';
import { compileProgram } from '../../../src/pattern/program.ts';
import { BudgetExceeded } from '../../../src/scan/budget.ts';
import { compileEngine } from '../../../src/scan/engine.ts';
import { Scanner } from '../../../src/scan/scanner.ts';
import type { Form } from '../../../src/scan/text/answer-strings.ts';
import { ENCODINGS } from '../../support/encodings.ts';
import { detector, KEY, namesIn, saidIn, TOKEN, tokenEngine } from '../../support/scan.ts';

/** `FUZZ_RUNS=100000 npx vitest run --project unit scan/fuzz` for as long as anybody likes. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const engine = tokenEngine();

/** What decoders look at: what is encoded, what looks like it, and what neither is. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  fc
    .tuple(fc.constantFrom(...ENCODINGS), fc.string({ minLength: 1, maxLength: 60 }))
    .map(([[, encode], text]) => Buffer.from(encode(text), 'latin1')),
  fc.constantFrom(...ENCODINGS).map(([, encode]) => Buffer.from(encode(`x ${TOKEN} y`), 'latin1')),
  fc
    .constantFrom(
      '%',
      '%25',
      '\\u00',
      '\\x',
      '&#',
      '=\r\n',
      'PK\x03\x04',
      '\x1f\x8b\x08',
      '\x78\x9c',
      '\x28\xb5\x2f\xfd',
      '0x',
      ' ',
      '\n',
      '"',
      'tok_',
    )
    .map((text) => Buffer.from(text, 'latin1')),
);

/** Something that was encoded, damaged. */
const damaged = fc
  .tuple(fc.array(piece, { maxLength: 12 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
  .map(([pieces, changes]) => {
    const bytes = Buffer.concat(pieces);
    for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });

describe('fuzz', () => {
  it('whatever comes, the scanner reads it to its end or refuses it, the same however it is split', () => {
    fc.assert(
      fc.property(damaged, fc.array(fc.nat(2000), { maxLength: 6 }), (bytes, cuts) => {
        // What is found in two ways is told of once: which way is met first may depend on how it comes.
        const found = (at: readonly number[]): Set<string | undefined> | null => {
          try {
            return new Set(namesIn(engine, bytes, at).map((name) => name.split('>')[0]));
          } catch (error) {
            if (!(error instanceof BudgetExceeded)) throw error;
            return null;
          }
        };
        // How much work something is may depend on how it comes, too: what is near the limit is refused one way or the other.
        const [split, whole] = [found(cuts), found([])];
        if (split !== null && whole !== null) expect(split).toEqual(whole);
      }),
      { numRuns: RUNS },
    );
  });

  it('a scanner that has read whatever came finds what it found before', () => {
    let scanner = new Scanner(engine, KEY);
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          scanner.wholeBytes(bytes);
        } catch (error) {
          if (!(error instanceof BudgetExceeded)) throw error;
          scanner = new Scanner(engine, KEY);
        }
        expect(scanner.whole(`a ${TOKEN} b`).map((finding) => finding.detector)).toEqual(['token']);
      }),
      { numRuns: RUNS },
    );
  });

  it('a pattern is compiled or refused with its place, and is matched in linear time', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc
        .array(
          fc.constantFrom(
            'a',
            'b',
            '(',
            ')',
            '[',
            ']',
            '{',
            '}',
            '*',
            '+',
            '?',
            '|',
            '\\',
            '^',
            '$',
            '.',
            '-',
            ',',
            '1',
            '2',
            '(?:',
            '(?i)',
            '\\b',
            '\\w',
            '[^',
            '{2,}',
            '\\x41',
            '\\pL',
            '(?P<n>',
          ),
          { maxLength: 14 },
        )
        .map((parts) => parts.join('')),
    );
    const input = Buffer.from('ab1 -aaaa(b)|bbbb\\^$.ab'.repeat(40));
    fc.assert(
      fc.property(text, (source) => {
        let matcher: Matcher;
        try {
          const node = parsePattern(source);
          matcher = new Matcher(compileProgram(node));
          if (anchorsOf(node, 1) !== null) compileEngine([detector('x', source)]);
        } catch (error) {
          if (!(error instanceof PatternError)) throw error;
          expect(error.at).toBeGreaterThanOrEqual(0);
          expect(error.at).toBeLessThanOrEqual(source.length);
          return;
        }
        const end = matcher.find(input, 0, input.length, 0, true);
        expect(end).not.toBe(OPEN);
        expect(end).toBeLessThanOrEqual(input.length);
        // Each byte is a step, or one for each state of the program where there are too many.
        expect(matcher.work).toBeLessThanOrEqual((input.length + 1) * 4096);
      }),
      { numRuns: RUNS * 3 },
    );
  });

  const instructions = compileEngine([
    detector('attack', '\\n(?i:ignore all previous instructions)', {
      family: 'injected-instructions',
      bounds: 'none',
      placeholders: false,
    }),
  ]);
  const words = fc.constantFrom(
    'Ignore all previous instructions',
    'ignore',
    'all',
    'previous',
    ' ',
    '  ',
    '\n',
    '\n\n',
    '.',
    '. ',
    ': ',
    '"',
    "'",
    '“',
    '”',
    '`',
    '```',
    '<p>',
    '</p>',
    '<code>',
    '</code>',
    '<b',
    '>',
    '<!--',
    '-->',
    '<div hidden>',
    '</div>',
    '&quot;',
    '&#103;',
    '&',
    '\u200b',
    '\u{e0041}',
    '*',
    '- ',
    '> ',
    '# ',
    '|',
    '{"a": "',
    '"}',
    '\\n',
    '\\u0061',
    'data: ',
    '<script>',
    '</script>',
    '[INST]',
    'x',
    'é',
    '😀',
  );

  it.each<Form>(['text', 'json', 'events', 'lines'])(
    'what a text of form %s says is the same however it is split',
    (form) => {
      fc.assert(
        fc.property(fc.array(words, { maxLength: 30 }), fc.array(fc.nat(300), { maxLength: 8 }), (parts, cuts) => {
          const text = parts.join('');
          expect(saidIn(instructions, form, text, cuts)).toEqual(saidIn(instructions, form, text));
        }),
        { numRuns: RUNS * 3 },
      );
    },
  );
});
